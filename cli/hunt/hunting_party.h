// Who runs the schedules of a hunt, some at the same time.

#ifndef ISOCHRON_CLI_HUNT_HUNTING_PARTY_H_
#define ISOCHRON_CLI_HUNT_HUNTING_PARTY_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/hunt/verdict_file.h"
#include "machine/events/schedule_config.h"

namespace isochron::cli {

// A kind of schedule without its seed, "random[:MIN-MAX]" or "pct:DEPTH[:LENGTH]", with one.
// InvalidArgument as ScheduleConfig::Parse().
absl::StatusOr<machine::ScheduleConfig> SeededSchedule(std::string_view form, uint64_t seed);

struct HuntRange {
  uint64_t first = 1;
  uint64_t last = 1;
  bool all = false;  // else no further than the first seed that fails
  int jobs = 1;      // runs at the same time
};

// Runs a guest with one seed after the other. What it comes to, verdicts or an error, depends
// neither on how many work nor on what had been done before.
class HuntingParty {
 public:
  // Runs the guest with a seed, in any thread.
  using SeedRun = std::function<absl::StatusOr<VerdictFile::Line>(uint64_t seed)>;
  // Told of each verdict, one at a time, from any thread.
  using Progress = std::function<void(const VerdictFile::Line& line)>;

  // `verdicts` must outlive it. Seeds that they know are not run again.
  HuntingParty(SeedRun run, const HuntRange& range, VerdictFile& verdicts, Progress progress);

  // Until all are done. An error of the file ends it at once. One of a run, which then names its
  // seed, ends it where a failure would: what comes before is done all the same.
  absl::Status Hunt();

 private:
  // What each thread does.
  void Work();
  void Take(uint64_t seed, const absl::StatusOr<VerdictFile::Line>& line);

  const SeedRun run_;
  const HuntRange range_;
  VerdictFile& verdicts_;
  const Progress progress_;
  std::mutex mutex_;         // of all below, and of the verdicts
  uint64_t next_;            // the seed that nobody has begun
  uint64_t end_;             // that and all behind it are of no interest
  absl::Status run_status_;  // of the run with seed `end_`
  absl::Status file_status_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HUNT_HUNTING_PARTY_H_
