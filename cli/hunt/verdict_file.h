// What a hunt has come to so far, on disk.

#ifndef ISOCHRON_CLI_HUNT_VERDICT_FILE_H_
#define ISOCHRON_CLI_HUNT_VERDICT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hostio/file.h"

namespace isochron::cli {

// A line for each seed of a hunt, in the order of seeds: "SEED fails|passes CYCLE INSTRUCTIONS".
// The first line says what is hunted, so that a hunt which was interrupted goes on where it was,
// and another one is not taken for it. The same hunt has the same file, whoever works on it.
class VerdictFile {
 public:
  struct Line {
    uint64_t seed = 0;
    bool fails = false;
    uint64_t cycle = 0;
    uint64_t instructions = 0;

    // As it is in the file, without an end of line.
    std::string Text() const;
    // Nothing when `text` is none.
    static std::optional<Line> Parse(std::string_view text);

    friend bool operator==(const Line&, const Line&) = default;
  };

  // Opens the file at `path`, of the hunt `what`, with seeds from `first` on; with nothing in it if
  // there is none. InvalidArgument when it is there and of another hunt, or nobody's.
  static absl::StatusOr<VerdictFile> Open(const std::string& path, const std::string& what,
                                          uint64_t first);

  // Those that are known: of all seeds from the first on, in order.
  const std::vector<Line>& lines() const { return lines_; }
  // The least seed of which nothing is known.
  uint64_t next() const { return first_ + lines_.size(); }
  // Of any seed that is not known. What is known of the seeds in order is written at once.
  absl::Status Add(const Line& line);
  // No seed behind that one is of interest any more.
  void EndAt(uint64_t seed) { end_ = seed; }

 private:
  // Takes what is there. Returns how many bytes of it are whole lines.
  absl::StatusOr<size_t> Read(std::string_view text, const std::string& what);
  // All of it or, after an error, nothing.
  absl::Status Write(const std::string& text);

  std::string path_;
  uint64_t first_ = 0;
  uint64_t end_ = ~uint64_t{0};
  std::vector<Line> lines_;
  std::map<uint64_t, Line> waiting_;  // for one before them
  hostio::Descriptor file_;
  size_t size_ = 0;  // bytes of the file: whole lines
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HUNT_VERDICT_FILE_H_
