// Running to what is looked for, forwards and backwards.

#include <utility>

#include "timeline/timeline.h"

namespace isochron::timeline {
namespace {

using machine::StopCondition;

// Where a search backwards comes to it: before who makes a reference, so in front of all that is at
// the boundary behind.
uint64_t Order(const Selection& where) {
  return where.reference.has_value() ? where.moment - 1 : where.moment;
}

// Somebody has interrupted a search that was made on the way.
absl::StatusOr<Arrival> StoppedBy(const absl::Status& status) {
  if (absl::IsCancelled(status)) return Arrival::kInterrupted;
  return status;
}

// Hits that come so seldom get snapshots, in cycles.
constexpr uint64_t kSeldom = uint64_t{1} << 23;

}  // namespace

absl::StatusOr<std::vector<Timeline::Hit>> Timeline::HitsHere(const StopCondition& condition,
                                                              StopSelector* also) {
  machine::StopReasons met = machine_.stopped_by();
  const uint64_t instructions = machine_.Instructions();
  std::vector<Hit> hits;
  if (also != nullptr) {
    std::vector<Selection> selected;
    if (absl::Status status = also->Select(*this, met, selected); !status.ok()) return status;
    for (Selection& one : selected) hits.push_back({std::move(one), instructions, true});
    met = machine_.MetOf(condition);
  }
  const uint64_t here = machine_.moment();
  if (met.pc || met.event()) hits.push_back({{here, std::nullopt, ""}, instructions, false});
  if (met.reference.has_value()) hits.push_back({{here, met.reference, ""}, instructions, false});
  return hits;
}

absl::StatusOr<Arrival> Timeline::RunForward(const StopCondition& condition) {
  return Forward(condition, nullptr);
}

absl::StatusOr<Arrival> Timeline::RunForward(const StopCondition& condition, StopSelector& also) {
  return Forward(condition, &also);
}

absl::StatusOr<Arrival> Timeline::Forward(const StopCondition& condition, StopSelector* also) {
  const bool was_at_end = run_end_.has_value();
  const uint64_t begin = machine_.moment();
  if (also != nullptr) {
    const absl::Status status = also->Begin(*this, /*forward=*/true);
    if (!status.ok()) return StoppedBy(status);
  }
  met_ = {};
  reference_.reset();
  selection_.reset();
  for (;;) {
    StopCondition next = condition;
    if (also != nullptr) next.Add(also->Candidates(*this));
    const absl::StatusOr<Arrival> arrival = RunOn(next);
    if (!arrival.ok() || *arrival == Arrival::kInterrupted || was_at_end) return arrival;
    met_ = machine_.MetOf(condition);
    if (also != nullptr) {
      const absl::StatusOr<std::vector<Hit>> hits = HitsHere(condition, also);
      if (!hits.ok()) return StoppedBy(hits.status());
      SelectFirst(*hits, begin);
    }
    if (selection_.has_value() && selection_->moment < machine_.moment()) {
      return GoToMoment(selection_->moment);
    }
    // The last instruction of a run may have made a reference, too.
    reference_ = met_.reference;
    if (selection_.has_value() || *arrival == Arrival::kEnd || met_.any()) return arrival;
  }
}

void Timeline::SelectFirst(const std::vector<Hit>& hits, uint64_t begin) {
  selection_.reset();
  for (const Hit& hit : hits) {
    if (!hit.selected || hit.where.moment <= begin) continue;
    if (!selection_.has_value() || hit.where.moment < selection_->moment) {
      selection_ = hit.where;
    } else if (hit.where.moment == selection_->moment) {
      selection_->why += "\n" + hit.where.why;
    }
  }
}

absl::StatusOr<std::optional<Timeline::Hit>> Timeline::LastHit(const Search& search, uint64_t end,
                                                               bool& interrupted) {
  std::optional<Hit> last;
  StopSelector* const also = search.also;
  if (also != nullptr) {
    if (absl::Status status = also->Begin(*this, /*forward=*/false); !status.ok()) return status;
  }
  for (;;) {
    const uint64_t from = machine_.moment();
    const bool beyond = from >= end;
    const bool follows = also != nullptr && also->pending() && from < search.here;
    if (run_end_.has_value() || (beyond && !follows)) return last;
    StopCondition next = search.condition;
    if (also != nullptr) next.Add(also->Candidates(*this));
    next.moment = beyond ? search.here : end;
    const absl::StatusOr<Arrival> arrival = RunOn(next);
    if (!arrival.ok()) return arrival.status();
    interrupted = *arrival == Arrival::kInterrupted;
    if (interrupted || *arrival == Arrival::kBegin) return last;
    absl::StatusOr<std::vector<Hit>> hits = HitsHere(search.condition, also);
    if (!hits.ok()) return hits.status();
    for (Hit& hit : *hits) {
      const bool is_reference = hit.where.reference.has_value();
      if (!is_reference && hit.where.moment >= search.here) continue;
      const bool joins =
          last.has_value() && last->selected && last->where.moment == hit.where.moment;
      if (joins && hit.selected) {
        last->where.why += "\n" + hit.where.why;
        continue;
      }
      // Who asked sees by itself what else is met where one has been selected.
      const uint64_t least = !last.has_value() ? 0 : Order(last->where) + (joins ? 1 : 0);
      if (Order(hit.where) < least) continue;
      // Where this comes seldom, going back to the last of them is going to a snapshot.
      const uint64_t here = machine_.moment();
      const uint64_t last_snapshot = snapshots_.FindAtOrBefore(here)->moment();
      const bool is_here = !is_reference && hit.where.moment == here;
      if (is_here && here - last_snapshot >= kSeldom * per_cycle_) snapshots_.Take(PlaceHere());
      last = std::move(hit);
    }
  }
}

absl::StatusOr<Arrival> Timeline::RunBackward(const StopCondition& condition) {
  return Backward({condition, nullptr, machine_.moment()});
}

absl::StatusOr<Arrival> Timeline::RunBackward(const StopCondition& condition, StopSelector& also) {
  return Backward({condition, &also, machine_.moment()});
}

absl::StatusOr<Arrival> Timeline::Backward(const Search& search) {
  if (absl::Status status = CheckHistory(); !status.ok()) return status;
  reference_.reset();
  selection_.reset();
  // What lies between two snapshots is searched forwards, the latest first. The boundary of a
  // snapshot is searched with what lies before it, since a run does not look at where it begins.
  uint64_t start = search.here;
  std::optional<Hit> last;
  for (uint64_t end = search.here; start != 0; end = start + 1) {
    if (absl::Status status = StartAtOrBefore(start - 1); !status.ok()) return status;
    start = machine_.moment();
    bool interrupted = false;
    absl::StatusOr<std::optional<Hit>> hit = LastHit(search, end, interrupted);
    if (!hit.ok()) return StoppedBy(hit.status());
    if (interrupted) return Arrival::kInterrupted;
    // What lies before may tell of one that is farther on, or of more that is met where the last
    // is.
    const bool later = hit->has_value() && (!last || Order((*hit)->where) >= Order(last->where));
    if (later) last = *std::move(hit);
    if (!last.has_value()) continue;
    const bool uncertain =
        search.also != nullptr && search.also->MayHaveMissed(last->where.moment, search.here);
    if (!uncertain) break;
  }
  if (last.has_value()) return GoToHit(*last);
  reference_.reset();
  selection_.reset();
  const absl::StatusOr<Arrival> arrival = GoToCycle(0);
  return arrival.ok() && *arrival == Arrival::kThere ? Arrival::kBegin : arrival;
}

absl::StatusOr<Arrival> Timeline::GoToHit(const Hit& hit) {
  const Selection& where = hit.where;
  absl::StatusOr<Arrival> arrival =
      where.reference.has_value()
          ? GoToBoundaryBefore(where.moment, hit.instructions, where.reference->pc.has_value())
          : GoToMoment(where.moment);
  const bool there = arrival.ok() && *arrival == Arrival::kThere;
  reference_ = there ? where.reference : std::nullopt;
  selection_.reset();
  if (there && hit.selected) selection_ = where;
  return arrival;
}

}  // namespace isochron::timeline
