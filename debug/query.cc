#include "debug/query.h"

#include <algorithm>
#include <limits>

#include "absl/status/statusor.h"
#include "alpha/stop_pcs.h"

namespace isochron::debug {
namespace {

using timeline::Arrival;
using timeline::Timeline;

// Whether the machine, which stands where a search begins, stands at a place that is asked about:
// a run does not look at that.
bool BeginsAtPc(const Timeline& timeline, const machine::StopCondition& condition) {
  const machine::Machine& machine = timeline.machine();
  if (machine.cpu_count() != 1) return false;  // what they execute next is still to come
  const alpha::Cpu& cpu = machine.cpu();
  if (condition.pcs.empty() || cpu.cycle == 0 || machine.waiting() || cpu.InterruptDeliverable()) {
    return false;
  }
  return alpha::StopPcs(condition.pcs, cpu.cycle - 1).Stops(cpu, machine.memory());
}

class Search {
 public:
  Search(Timeline& timeline, Query& query, const QueryRange& range,
         const std::function<bool(const Sighting&)>& take)
      : timeline_(timeline), query_(query), range_(range), take_(take) {}

  absl::Status Run() {
    if (!range_.from_here) {
      const absl::StatusOr<Arrival> arrival = timeline_.GoToCycle(range_.from);
      if (!arrival.ok()) return arrival.status();
      if (*arrival == Arrival::kInterrupted) return absl::OkStatus();
    }
    if (absl::Status status = query_.Begin(timeline_); !status.ok()) return status;
    machine::StopReasons met;
    met.pc = BeginsAtPc(timeline_, query_.Condition(timeline_));
    if (met.pc) {
      if (absl::Status status = Look(met); !status.ok()) return status;
    }
    while (wanted_ && !timeline_.run_end().has_value() && !Ends()) {
      machine::StopCondition next = query_.Condition(timeline_);
      next.cycle = std::min(next.cycle, range_.to);
      const absl::StatusOr<Arrival> forward = timeline_.RunForward(next);
      if (!forward.ok()) return forward.status();
      if (*forward == Arrival::kInterrupted) break;
      met = timeline_.machine().stopped_by();
      met.pc = met.pc && *forward == Arrival::kThere;
      if (absl::Status status = Look(met); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  bool Ends() const {
    const machine::Machine& machine = timeline_.machine();
    return !machine.inside_round() && machine.now() >= range_.to;
  }
  // Of several CPUs what a range has is what happens between its boundaries.
  bool Has(const Sighting& sighting) const {
    if (timeline_.machine().cpu_count() != 1) return true;
    return sighting.cycle >= range_.from && sighting.cycle < range_.to;
  }

  absl::Status Look(const machine::StopReasons& met) {
    const bool reason = met.pc || met.event() || met.reference.has_value();
    if (!reason && !query_.sees_time()) return absl::OkStatus();
    seen_.clear();
    if (absl::Status status = query_.See(timeline_, met, seen_); !status.ok()) return status;
    for (const Sighting& sighting : seen_) {
      if (!Has(sighting)) continue;
      wanted_ = wanted_ && take_(sighting);
    }
    return absl::OkStatus();
  }

  Timeline& timeline_;
  Query& query_;
  const QueryRange range_;
  const std::function<bool(const Sighting&)>& take_;
  bool wanted_ = true;
  std::vector<Sighting> seen_;
};

}  // namespace

absl::Status SearchRange(Timeline& timeline, Query& query, const QueryRange& range,
                         const std::function<bool(const Sighting&)>& take) {
  return Search(timeline, query, range, take).Run();
}

absl::Status TellAnswers(const Query& query, const AnswerOptions& options, const AnswerSink& sink,
                         const std::function<absl::Status(Answers&)>& tell) {
  const AnswerFormat format(query.columns(), options.json);
  if (!options.json && !sink(format.Heading())) return absl::OkStatus();
  constexpr size_t kCpuColumn = 1;  // of all queries
  Answers answers([&](const Row& row) {
    if (options.cpu.has_value() && row[kCpuColumn].value != static_cast<uint64_t>(*options.cpu)) {
      return true;
    }
    return sink(format.Format(row));
  });
  absl::Status status = tell(answers);
  answers.CompleteAll();
  return status;
}

absl::Status RunQuery(Timeline& timeline, Query& query, const QueryRange& range,
                      const AnswerOptions& options, const AnswerSink& sink) {
  return TellAnswers(query, options, sink, [&](Answers& answers) {
    return SearchRange(timeline, query, range, [&](const Sighting& sighting) {
      query.Tell(sighting, answers);
      return answers.wanted();
    });
  });
}

absl::Status RunQueryBackwards(Timeline& timeline, Query& query, uint64_t before,
                               const AnswerOptions& options, const AnswerSink& sink) {
  return TellAnswers(query, options, sink, [&](Answers& answers) {
    const absl::StatusOr<Arrival> there = timeline.GoToCycle(before);
    if (!there.ok()) return there.status();
    const absl::StatusOr<Arrival> back = timeline.RunBackward(query.Condition(timeline));
    if (!back.ok() || *back != Arrival::kThere) return back.status();
    const uint64_t here = timeline.machine().now();
    const bool several = timeline.machine().cpu_count() != 1;
    const QueryRange range = {here, std::numeric_limits<uint64_t>::max(), several};
    return SearchRange(timeline, query, range, [&](const Sighting& sighting) {
      query.Tell(sighting, answers);
      return false;
    });
  });
}

}  // namespace isochron::debug
