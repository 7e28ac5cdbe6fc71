#include "debug/report/survey.h"

#include <algorithm>
#include <utility>

#include "alpha/cost.h"
#include "alpha/exceptions.h"
#include "debug/address_space.h"
#include "debug/osf_calls.h"
#include "debug/osf_places.h"
#include "debug/query_kinds.h"

namespace isochron::debug {
namespace {

// Of a Sighting::kind: that of the query which saw it and, above, whose it is.
constexpr int kTopicShift = 8;
constexpr int kOwn = kTopics << kTopicShift;
enum OwnKind { kToUser = kOwn, kToKernel, kWait };

bool Has(const std::vector<uint64_t>& pcs, uint64_t pc) {
  return std::find(pcs.begin(), pcs.end(), pc) != pcs.end();
}

}  // namespace

Survey::Survey(const Symbols& symbols, const Spans& spans, SurveyListener* listener)
    : spans_(spans), listener_(listener) {
  parts_[static_cast<int>(Topic::kSystemCalls)].query = MakeSystemCallQuery(symbols);
  parts_[static_cast<int>(Topic::kExceptions)].query = MakeExceptionQuery(symbols);
  parts_[static_cast<int>(Topic::kInterrupts)].query = MakeInterruptQuery(symbols);
  parts_[static_cast<int>(Topic::kSwitches)].query = MakeSwitchQuery(symbols);
  for (int topic = 0; topic < kTopics; ++topic) {
    parts_[topic].answers = std::make_unique<Answers>(
        [this, topic](const Row& row) {
          listener_->OnRow(static_cast<Topic>(topic), row);
          return true;
        },
        Answers::Order::kCompleted);
  }
}

size_t Survey::ColumnOf(Topic topic, std::string_view name) const {
  const std::vector<Column> columns = parts_[static_cast<int>(topic)].query->columns();
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& column) { return column.name == name; });
  return static_cast<size_t>(found - columns.begin());
}

machine::StopCondition Survey::Condition(const timeline::Timeline& timeline) {
  const machine::Machine& machine = timeline.machine();
  machine::StopCondition all;
  entries_.clear();
  for (int cpu = 0; cpu < machine.cpu_count(); ++cpu) {
    for (const uint64_t entry : SystemEntries(machine, cpu)) {
      if ((entry & 1) == 0 && !Has(entries_, entry)) entries_.push_back(entry);
    }
  }
  all.pcs = entries_;
  for (Part& part : parts_) {
    part.condition = part.query->Condition(timeline);
    for (const uint64_t pc : part.condition.pcs) {
      if (!Has(all.pcs, pc)) all.pcs.push_back(pc);
    }
    // The entry points: the same for all.
    if (all.ranges.empty()) all.ranges = part.condition.ranges;
    all.events |= part.condition.events;
  }
  for (int cpu = 0; cpu < machine.cpu_count(); ++cpu) {
    // Each where it comes to a span of its own: others may be there a round before.
    const uint64_t span = machine.cpu(cpu).cycle / spans_.width + 1;
    all.Add(machine::StopCondition::AtCycleOf(cpu, span * spans_.width));
  }
  // Where a part of a run may begin, of which what is seen must be the same.
  if (machine.cpu_count() != 1) {
    all.Add(machine::StopCondition::AtEvent<machine::CheckpointEvent>());
  }
  return all;
}

absl::Status Survey::Begin(timeline::Timeline& timeline) {
  waited_.clear();
  for (int cpu = 0; cpu < timeline.machine().cpu_count(); ++cpu) {
    waited_.push_back({timeline.machine().cpu(cpu).cycle, timeline.machine().wait_cycles(cpu)});
  }
  for (Part& part : parts_) {
    if (absl::Status status = part.query->Begin(timeline); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Survey::See(timeline::Timeline& timeline, const machine::StopReasons& met,
                         std::vector<Sighting>& seen) {
  const machine::Machine& machine = timeline.machine();
  const uint64_t pc = machine.cpu(CpuHere(machine)).pc;
  for (int topic = 0; topic < kTopics; ++topic) {
    Part& part = parts_[topic];
    machine::StopReasons own;
    own.pc = met.pc && Has(part.condition.pcs, pc);
    if (part.condition.events != 0) own.events = met.events;
    if (!own.any()) continue;
    const size_t first = seen.size();
    if (absl::Status status = part.query->See(timeline, own, seen); !status.ok()) return status;
    for (size_t i = first; i < seen.size(); ++i) seen[i].kind |= topic << kTopicShift;
  }
  if (met.pc) SeeMode(machine, seen);
  SeeWait(machine, seen);
  return absl::OkStatus();
}

void Survey::SeeMode(const machine::Machine& machine, std::vector<Sighting>& seen) const {
  const int index = CpuHere(machine);
  const alpha::Cpu& cpu = machine.cpu(index);
  const bool enters = Has(entries_, cpu.pc);
  const bool retsys = cpu.pc == alpha::CallPalPc(cpu, osf::kRetsys);
  if (!enters && !retsys && cpu.pc != alpha::CallPalPc(cpu, osf::kRti)) return;
  const SystemFrame frame = ReadSystemFrame(machine, index);
  const bool user = retsys || (frame.whole && (frame.ps & SystemFrame::kUserMode) != 0);
  if (!user) return;
  seen.push_back({cpu.cycle, enters ? kToKernel : kToUser, {static_cast<uint64_t>(cpu.index)}});
}

void Survey::SeeWait(const machine::Machine& machine, std::vector<Sighting>& seen) {
  for (int cpu = 0; cpu < machine.cpu_count(); ++cpu) {
    Waited& last = waited_[cpu];
    const Waited now = {machine.cpu(cpu).cycle, machine.wait_cycles(cpu)};
    const uint64_t cycles = now.total - last.total;
    const auto add = [&](uint64_t cycle, uint64_t waited) {
      if (waited != 0) seen.push_back({cycle, kWait, {static_cast<uint64_t>(cpu), waited}});
    };
    if (last.cycle + cycles == now.cycle) {
      // The end of a round may have brought it from one span to another.
      for (uint64_t from = last.cycle; from < now.cycle;) {
        const uint64_t to = std::min(now.cycle, (from / spans_.width + 1) * spans_.width);
        add(from, to - from);
        from = to;
      }
    } else {
      // It stops where a span begins: all of that time is of the one in which it was before.
      add(last.cycle, cycles);
    }
    last = now;
  }
}

void Survey::Tell(const Sighting& sighting, Answers&) {
  const std::vector<uint64_t>& v = sighting.values;
  switch (sighting.kind) {
    case kToUser: return listener_->OnMode(static_cast<int>(v[0]), sighting.cycle, true);
    case kToKernel: return listener_->OnMode(static_cast<int>(v[0]), sighting.cycle, false);
    case kWait: return listener_->OnWait(static_cast<int>(v[0]), sighting.cycle, v[1]);
    default: break;
  }
  Part& part = parts_[sighting.kind >> kTopicShift];
  Sighting own = sighting;
  own.kind &= (1 << kTopicShift) - 1;
  part.query->Tell(own, *part.answers);
}

void Survey::TellRest() {
  for (Part& part : parts_) part.answers->CompleteAll();
}

}  // namespace isochron::debug
