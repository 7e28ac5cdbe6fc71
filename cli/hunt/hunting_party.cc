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

HuntingParty::HuntingParty(const HuntedGuest& guest, const machine::ScheduleConfig& schedule,
                           const HuntRange& range, VerdictFile& verdicts, Progress progress)
    : guest_(guest),
      schedule_(schedule),
      range_(range),
      verdicts_(verdicts),
      progress_(std::move(progress)),
      next_(range.first + verdicts.lines().size()),
      last_(range.last) {}

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
  return status_;
}

void HuntingParty::Work() {
  for (;;) {
    uint64_t seed = 0;
    {
      const std::lock_guard lock(mutex_);
      if (next_ > last_ || !status_.ok()) return;
      seed = next_++;
    }
    Take(RunSeed(seed));
  }
}

absl::StatusOr<VerdictFile::Line> HuntingParty::RunSeed(uint64_t seed) const {
  machine::ScheduleConfig schedule = schedule_;
  schedule.seed = seed;
  const absl::StatusOr<HuntVerdict> verdict = guest_.Run(schedule);
  if (!verdict.ok()) return verdict.status();
  return VerdictFile::Line{seed, verdict->fails, verdict->cycle, verdict->instructions};
}

void HuntingParty::Take(const absl::StatusOr<VerdictFile::Line>& line) {
  const std::lock_guard lock(mutex_);
  if (!line.ok()) {
    status_.Update(line.status());
    return;
  }
  if (line->seed > last_) return;
  if (line->fails && !range_.all) {
    last_ = line->seed;
    verdicts_.EndAt(last_);
  }
  status_.Update(verdicts_.Add(*line));
  progress_(*line);
}

}  // namespace isochron::cli
