// Who runs the schedules of a hunt, some at the same time.

#ifndef ISOCHRON_CLI_HUNT_HUNTING_PARTY_H_
#define ISOCHRON_CLI_HUNT_HUNTING_PARTY_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/hunt/hunted_guest.h"
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

// Runs a guest with one seed after the other. Which verdicts there are depends neither on how many
// work nor on what had been done before.
class HuntingParty {
 public:
  // Told of each verdict, one at a time, from any thread.
  using Progress = std::function<void(const VerdictFile::Line& line)>;

  // All must outlive it. Seeds that the verdicts know are not run again.
  HuntingParty(const HuntedGuest& guest, const machine::ScheduleConfig& schedule,
               const HuntRange& range, VerdictFile& verdicts, Progress progress);

  // Until all are done. The first error of a run or of the file ends it.
  absl::Status Hunt();

 private:
  // What each thread does.
  void Work();
  absl::StatusOr<VerdictFile::Line> RunSeed(uint64_t seed) const;
  void Take(const absl::StatusOr<VerdictFile::Line>& line);

  const HuntedGuest& guest_;
  const machine::ScheduleConfig schedule_;
  const HuntRange range_;
  VerdictFile& verdicts_;
  const Progress progress_;
  std::mutex mutex_;  // of all below, and of the verdicts
  uint64_t next_;     // the seed that nobody has begun
  uint64_t last_;     // the last that is of interest
  absl::Status status_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HUNT_HUNTING_PARTY_H_
