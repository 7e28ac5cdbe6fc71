// A recording, or a hunt, worked on in parts by several processes, on this host or others
// (docs/query.md, "On a cluster").

#ifndef ISOCHRON_CLI_RUN_PARTS_H_
#define ISOCHRON_CLI_RUN_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace isochron::cli {

// No work is cut into more parts than this: each costs a process.
inline constexpr size_t kMostParts = 256;

// What a process is to do of the whole.
struct PartWork {
  enum class Kind : uint8_t {
    kList,  // tell the parts, FROM-TO a line, in the order in which they are to be joined
    kOne,   // do one of them
    kJoin,  // make the answer of what all of them wrote, which comes on standard input
  };
  Kind kind = Kind::kList;
  // Of one: of a recording in cycles, to kNever where the log ends; of a hunt the seeds, with both.
  uint64_t from = 0;
  uint64_t to = 0;
};

struct PartsOptions {
  std::string scheduler;  // of a Dask cluster; empty: there is none
  std::optional<PartWork> work;

  bool any() const { return !scheduler.empty() || work.has_value(); }
};

// InvalidArgument when somebody wants parts and `jobs`, which is 0 without --jobs, in this process.
absl::Status CheckParts(const PartsOptions& options, int jobs);

// "list", "join" or "FROM-TO".
absl::StatusOr<PartWork> ParsePartWork(std::string_view text);

// FROM-TO.
std::string PartName(uint64_t from, uint64_t to);

// Adds --dask, of which `what` says what is done there, and --part.
void AddPartsOptions(CLI::App& command, PartsOptions& options, const std::string& what);

// Which parts make the answer.
enum class PartsWanted : uint8_t {
  kAll,    // of a replay: all, and nothing is told where one has failed
  kUpTo,   // all, up to one that fails, as one of a hunt does that has found what it is to find
  kFirst,  // the first that has something to say
};

// Becomes the program that has workers of the cluster do the parts: python3 with isochron.cluster.
// `command` has been parsed; its options but --dask are those of each part. Workers that do not see
// one of `files` are left out. Returns the exit code of a failure to begin.
int BecomeClusterClient(const CLI::App& command, const std::string& scheduler, PartsWanted wanted,
                        const std::vector<std::string>& files);

// Gives `take` the lines of standard input as they come, without ends of lines, until it says
// false, and calls `pause` before it waits for more. InvalidArgument, with the number of the line,
// when `take` has an error.
absl::Status ReadParts(const std::function<absl::StatusOr<bool>(std::string_view line)>& take,
                       const std::function<void()>& pause);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_PARTS_H_
