#include "cli/hunt/explanation.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/hunt/switch_search.h"
#include "cli/text/report.h"
#include "machine/machine.h"
#include "machine/switch_list.h"

namespace isochron::cli {
namespace {

// Notes where CPUs stand when a turn goes elsewhere.
class PreemptionList final : public machine::TurnSink {
 public:
  explicit PreemptionList(const machine::Machine& machine) : machine_(machine) {}
  void OnTurn(const machine::TurnPlaces& places, uint32_t cpu) override {
    list_.OnTurn(places, cpu);
    if (list_.switches().size() == preemptions.size()) return;
    const machine::TurnSwitch& made = list_.switches().back();
    preemptions.push_back({made.cycle, made.from, machine_.cpu(static_cast<int>(made.from)).pc,
                           made.to, machine_.cpu(static_cast<int>(made.to)).pc});
  }

  std::vector<Preemption> preemptions;

 private:
  const machine::Machine& machine_;
  machine::SwitchList list_;
};

machine::ScheduleConfig ScheduleOf(Switches switches) {
  machine::ScheduleConfig schedule;
  if (switches.empty()) return schedule;
  schedule.kind = machine::ScheduleConfig::Kind::kSwitches;
  schedule.switches = std::move(switches);
  return schedule;
}

// All of a run.
absl::StatusOr<Switches> SwitchesOf(const HuntedGuest& guest,
                                    const machine::ScheduleConfig& schedule) {
  machine::SwitchList list;
  const absl::StatusOr<HuntVerdict> verdict =
      guest.Run(schedule, [&list](machine::Machine& machine) { machine.SetTurnSink(&list); });
  if (!verdict.ok()) return verdict.status();
  return list.switches();
}

}  // namespace

absl::StatusOr<Explanation> Explain(const HuntedGuest& guest,
                                    const machine::ScheduleConfig& schedule,
                                    const ExplanationProgress& progress) {
  absl::StatusOr<Switches> all = SwitchesOf(guest, schedule);
  if (!all.ok()) return all.status();
  Explanation explanation;
  explanation.all = all->size();
  size_t least = all->size();
  progress(least, explanation.runs);
  const auto fails = [&](const Switches& switches) -> absl::StatusOr<bool> {
    ++explanation.runs;
    const absl::StatusOr<HuntVerdict> verdict = guest.Run(ScheduleOf(switches));
    if (!verdict.ok()) return verdict.status();
    if (verdict->fails) least = switches.size();
    progress(least, explanation.runs);
    return verdict->fails;
  };
  constexpr size_t kMost = machine::ScheduleConfig::kMaxSwitches;
  if (all->size() > kMost) all->erase(all->begin(), all->end() - kMost);
  const absl::StatusOr<bool> listed = fails(*all);
  if (!listed.ok()) return listed.status();
  if (!*listed) {
    return absl::FailedPreconditionError(
        absl::StrCat("the run takes turns by ", explanation.all, " switches, and its last ",
                     all->size(), " alone do not fail; longer turns have fewer"));
  }
  absl::StatusOr<Switches> needed = MinimizeSwitches(*std::move(all), fails);
  if (!needed.ok()) return needed.status();
  explanation.schedule = ScheduleOf(*std::move(needed));
  std::unique_ptr<PreemptionList> list;
  const absl::StatusOr<HuntVerdict> verdict =
      guest.Run(explanation.schedule, [&list](machine::Machine& machine) {
        list = std::make_unique<PreemptionList>(machine);
        machine.SetTurnSink(list.get());
      });
  if (!verdict.ok()) return verdict.status();
  if (!verdict->fails) return absl::InternalError("a run that fails does not fail again");
  explanation.verdict = *verdict;
  explanation.preemptions = std::move(list->preemptions);
  return explanation;
}

std::string PreemptionTable(const std::vector<Preemption>& preemptions,
                            const machine::KernelImage& kernel) {
  std::vector<std::string> places;
  size_t width = 0;
  for (const Preemption& each : preemptions) {
    places.push_back(
        absl::StrCat("CPU ", each.from, " at ", DescribeAddress(each.from_pc, kernel)));
    width = std::max(width, places.back().size());
  }
  std::string table;
  for (size_t i = 0; i < preemptions.size(); ++i) {
    const Preemption& each = preemptions[i];
    places[i].resize(width, ' ');
    absl::StrAppend(&table, absl::StrFormat("%14d  ", each.cycle), places[i], "  ->  CPU ", each.to,
                    " at ", DescribeAddress(each.to_pc, kernel), "\n");
  }
  return table;
}

}  // namespace isochron::cli
