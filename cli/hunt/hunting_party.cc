#include "cli/hunt/hunting_party.h"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hostio/thread.h"

namespace isochron::cli {

absl::StatusOr<machine::ScheduleConfig> SeededSchedule(std::string_view form, uint64_t seed) {
  const size_t end = std::min(form.find(':'), form.size());
  const std::string name(form.substr(0, end));
  if (name != "random" && name != "pct") {
    return absl::InvalidArgumentError(
        absl::StrCat("'", std::string(form),
                     "' is nothing to hunt with: it is random[:MIN-MAX] or pct:DEPTH[:LENGTH]"));
  }
  return machine::ScheduleConfig::Parse(
      absl::StrCat(name, ":", seed, std::string(form.substr(end))));
}

HuntingParty::HuntingParty(SeedRun run, const HuntRange& range, VerdictFile& verdicts,
                           Progress progress)
    : run_(std::move(run)),
      range_(range),
      verdicts_(verdicts),
      progress_(std::move(progress)),
      next_(verdicts.next()),
      end_(range.last + 1) {}

absl::Status HuntingParty::Hunt() {
  for (const VerdictFile::Line& line : verdicts_.lines()) {
    if (line.fails && !range_.all) return absl::OkStatus();
  }
  std::vector<std::thread> helpers;
  for (int i = 1; i < range_.jobs; ++i) {
    absl::StatusOr<std::thread> helper = hostio::StartThread([this] { Work(); });
    if (!helper.ok()) break;  // fewer do it as well
    helpers.push_back(*std::move(helper));
  }
  Work();
  for (std::thread& helper : helpers) helper.join();
  return file_status_.ok() ? run_status_ : file_status_;
}

void HuntingParty::Work() {
  for (;;) {
    uint64_t seed = 0;
    {
      const std::lock_guard lock(mutex_);
      if (next_ >= end_ || !file_status_.ok()) return;
      seed = next_++;
    }
    Take(seed, run_(seed));
  }
}

void HuntingParty::Take(uint64_t seed, const absl::StatusOr<VerdictFile::Line>& line) {
  const std::lock_guard lock(mutex_);
  if (!file_status_.ok() || seed >= end_) return;
  if (!line.ok()) {
    end_ = seed;
    run_status_ =
        absl::Status(line.status().code(),
                     absl::StrCat("seed ", seed, ": ", std::string(line.status().message())));
    return;
  }
  if (line->fails && !range_.all) {
    end_ = seed + 1;
    run_status_ = absl::OkStatus();  // that was of a seed behind this one
    verdicts_.EndAt(seed);
  }
  file_status_ = verdicts_.Add(*line);
  if (file_status_.ok()) progress_(*line);
}

}  // namespace isochron::cli
