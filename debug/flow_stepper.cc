#include "debug/flow_stepper.h"

#include <algorithm>

#include "alpha/exceptions.h"
#include "alpha/ipr.h"
#include "debug/address_space.h"
#include "debug/calling_standard.h"
#include "debug/osf_calls.h"

namespace isochron::debug {
namespace {

using machine::StopCondition;
using timeline::Arrival;

// CALL_PALs that end a flow.
const std::vector<uint32_t> kLeaving = {osf::kHalt,   osf::kSwppal, osf::kSwpctx,
                                        osf::kRetsys, osf::kRti,    osf::kUrti};
// Those of them that go back to a flow that was left.
const std::vector<uint32_t> kReturning = {osf::kRetsys, osf::kRti, osf::kUrti};
// And those that a program calls the kernel with.
const std::vector<uint32_t> kCalling = {osf::kBpt, osf::kBugchk, osf::kCallsys, osf::kGentrap};

// How far back the place where a flow was left is looked for at first, and at most; in
// instructions. Nothing is lost where it is farther away: the step is then one of the handler.
constexpr uint64_t kFirstSpan = uint64_t{1} << 12;
constexpr uint64_t kLastSpan = uint64_t{1} << 28;
// From one span to the next.
constexpr uint64_t kSpanFactor = 8;

// How far ahead FetchAhead() looks, in cycles of one CPU.
constexpr uint64_t kFetchSpan = uint64_t{1} << 28;

bool Contains(const std::vector<uint64_t>& pcs, uint64_t pc) {
  return std::find(pcs.begin(), pcs.end(), pc) != pcs.end();
}

bool IsOver(const absl::StatusOr<StepEnd>& end) {
  return !end.ok() || end->arrival != Arrival::kThere || end->met;
}

}  // namespace

StepEnd MetAt(const timeline::Timeline& timeline, Arrival arrival, bool at_pc) {
  StepEnd end;
  end.arrival = arrival;
  if (arrival != Arrival::kThere) return end;
  end.reference = timeline.reference();
  if (timeline.selection().has_value()) end.selected = timeline.selection()->why;
  end.met = end.reference.has_value() || end.selected.has_value() || at_pc;
  if (!end.met) return end;
  if (end.reference.has_value() && end.reference->pc.has_value()) {
    end.cpu = static_cast<int>(end.reference->cpu);
  } else if (end.selected.has_value()) {
    end.cpu = timeline.selection()->cpu;
  } else {
    end.cpu = timeline.machine().next_cpu();
  }
  return end;
}

FlowStepper::Flow FlowStepper::Here() const {
  return {cpu().r[kStackPointer], cpu().mode, ProcessControlBlock(machine(), cpu_)};
}

std::vector<uint64_t> FlowStepper::CallPalPcs(const std::vector<uint32_t>& functions) const {
  std::vector<uint64_t> pcs;
  for (const uint32_t function : functions) pcs.push_back(alpha::CallPalPc(cpu(), function));
  return pcs;
}

std::vector<uint64_t> FlowStepper::EntryPcs() const {
  using alpha::PalEntry;
  std::vector<uint64_t> pcs = CallPalPcs(kCalling);
  for (const PalEntry entry :
       {PalEntry::kFen, PalEntry::kUnalign, PalEntry::kDtbmSingle, PalEntry::kDfault,
        PalEntry::kOpcdec, PalEntry::kIacv, PalEntry::kMchk, PalEntry::kItbMiss, PalEntry::kArith,
        PalEntry::kInterrupt}) {
    pcs.push_back(alpha::PalEntryPc(cpu(), entry));
  }
  return pcs;
}

std::optional<uint64_t> FlowStepper::LeavingPc() const {
  const std::optional<uint32_t> instruction = ReadInstruction(machine(), cpu_);
  if (!instruction.has_value()) return std::nullopt;
  // CALL_PAL has opcode 0.
  if (std::find(kLeaving.begin(), kLeaving.end(), *instruction) == kLeaving.end()) {
    return std::nullopt;
  }
  return alpha::CallPalPc(cpu(), *instruction);
}

absl::StatusOr<StepEnd> FlowStepper::Run(const StopCondition& condition) {
  const absl::StatusOr<Arrival> arrival = RunForward(condition);
  if (!arrival.ok()) return arrival.status();
  return MetAt(timeline_, *arrival, timeline_.met().pc);
}

absl::StatusOr<Arrival> FlowStepper::RunForward(const StopCondition& condition) {
  return selector_ != nullptr ? timeline_.RunForward(condition, *selector_)
                              : timeline_.RunForward(condition);
}

absl::StatusOr<Arrival> FlowStepper::RunBackward(const StopCondition& condition) {
  return selector_ != nullptr ? timeline_.RunBackward(condition, *selector_)
                              : timeline_.RunBackward(condition);
}

absl::StatusOr<StepEnd> FlowStepper::ForwardExact(const StopCondition& also) {
  StopCondition condition = also;
  condition.Add(timeline::Timeline::AtRetired(which_, cpu().instructions + 1));
  return Run(condition);
}

absl::StatusOr<StepEnd> FlowStepper::LeavePalcode(const StopCondition& also) {
  for (uint64_t steps = 1; cpu().pal_mode(); ++steps) {
    absl::StatusOr<StepEnd> end = ForwardExact(also);
    if (IsOver(end)) return end;
    if (steps % 256 == 0 && interrupted_()) return StepEnd{Arrival::kInterrupted, false, {}, {}};
  }
  return StepEnd{};
}

absl::StatusOr<StepEnd> FlowStepper::AwaitFlow(const Flow& flow, const StopCondition& also) {
  StopCondition condition = also;
  for (const uint64_t pc : CallPalPcs(kReturning)) condition.pcs.push_back(pc);
  for (;;) {
    absl::StatusOr<StepEnd> end = Run(condition);
    if (!end.ok() || end->arrival != Arrival::kThere) return end;
    if (end->reference.has_value() || end->selected.has_value()) return end;
    const alpha::Cpu& next = machine().cpu(machine().next_cpu().value_or(cpu_));
    if (timeline_.met().pc && Contains(also.pcs, next.pc)) return end;
    if (interrupted_()) return StepEnd{Arrival::kInterrupted, false, {}, {}};
    if (!IsHere()) continue;
    end = LeavePalcode(also);
    if (IsOver(end) || Here() == flow) return end;
  }
}

absl::StatusOr<StepEnd> FlowStepper::Forward(StopCondition also) {
  if (cpu().pal_mode()) return ForwardExact(also);
  const Flow flow = Here();
  const uint64_t pc = cpu().pc;
  const std::optional<uint64_t> leaving = LeavingPc();
  std::erase(also.pcs, pc);  // it may be tried more than once
  for (;;) {
    absl::StatusOr<StepEnd> end = ForwardExact(also);
    if (IsOver(end) || !cpu().pal_mode()) return end;
    const bool left = leaving == cpu().pc;
    end = LeavePalcode(also);
    if (IsOver(end) || left) return end;
    if (Here() != flow) {
      end = AwaitFlow(flow, also);
      if (IsOver(end)) return end;
    }
    if (cpu().pc != pc) return end;
  }
}

absl::StatusOr<std::optional<uint32_t>> FlowStepper::FetchAhead() {
  const Flow flow = Here();
  const uint64_t begin = machine().moment();
  const uint64_t span =
      kFetchSpan * machine::MomentsPerCycle(static_cast<uint32_t>(machine().cpu_count()));
  StopCondition condition = StopCondition::AtPcs({cpu().pc});
  condition.moment = std::min(begin + span, timeline_.known_to_moment());
  absl::StatusOr<StepEnd> end;
  do {
    end = Run(condition);
  } while (end.ok() && end->arrival == Arrival::kThere && end->met &&
           (!IsHere() || Here() != flow));
  std::optional<uint32_t> instruction;
  const bool there = end.ok() && end->arrival == Arrival::kThere && end->met;
  if (there) instruction = ReadInstruction(machine(), cpu_);
  const absl::Status back = timeline_.ComeBack(begin);
  if (!end.ok()) return end.status();
  if (!back.ok()) return back;
  return instruction;
}

absl::StatusOr<StepEnd> FlowStepper::BackwardExact(const StopCondition& also) {
  const uint64_t begin = machine().moment();
  const absl::StatusOr<Arrival> arrival = timeline_.StepBackward(1, which_);
  if (!arrival.ok()) return arrival.status();
  return FinishBackward(also, begin, *arrival);
}

absl::StatusOr<StepEnd> FlowStepper::Backward(StopCondition also) {
  if (cpu().pal_mode()) return BackwardExact(also);
  std::erase(also.pcs, cpu().pc);
  const uint64_t begin = machine().moment();
  const absl::StatusOr<Arrival> arrival = SeekBackward();
  if (!arrival.ok()) return arrival.status();
  return FinishBackward(also, begin, *arrival);
}

absl::StatusOr<StepEnd> FlowStepper::FinishBackward(const StopCondition& also, uint64_t begin,
                                                    Arrival arrival) {
  const bool anything = !also.pcs.empty() || !also.ranges.empty() || selector_ != nullptr;
  if (arrival == Arrival::kInterrupted || !anything) return StepEnd{arrival, false, {}, {}};
  const uint64_t end = machine().moment();
  StopCondition condition = also;
  condition.moment = begin;
  absl::StatusOr<StepEnd> met = Run(condition);
  if (!met.ok() || met->arrival == Arrival::kInterrupted) return met;
  const bool counts = met->reference.has_value() || (met->met && machine().moment() < begin);
  absl::StatusOr<Arrival> last = timeline_.GoToMoment(counts ? begin : end);
  if (!last.ok()) return last.status();
  if (!counts || *last != Arrival::kThere) {
    return StepEnd{*last == Arrival::kThere ? arrival : *last, false, {}, {}};
  }
  last = RunBackward(also);
  if (!last.ok()) return last.status();
  return MetAt(timeline_, *last, /*at_pc=*/true);
}

absl::StatusOr<Arrival> FlowStepper::SeekBackward() {
  const Flow flow = Here();
  const uint64_t pc = cpu().pc;
  for (;;) {
    Arrival arrival = Arrival::kThere;
    const absl::StatusOr<bool> done = SeekTurn(flow, pc, arrival);
    if (!done.ok()) return done.status();
    if (*done || arrival != Arrival::kThere) return arrival;
    if (interrupted_()) return Arrival::kInterrupted;
  }
}

absl::StatusOr<bool> FlowStepper::SeekTurn(const Flow& flow, uint64_t pc, Arrival& arrival) {
  const uint64_t here = cpu().instructions;
  absl::StatusOr<Arrival> went = timeline_.StepBackward(1, which_);
  if (!went.ok()) return went.status();
  arrival = *went;
  if (arrival != Arrival::kThere || !cpu().pal_mode()) return true;

  const absl::StatusOr<std::optional<Boundary>> last = LastOutside(here, arrival);
  if (!last.ok()) return last.status();
  if (arrival != Arrival::kThere) return false;
  if (!last->has_value()) {
    went = timeline_.GoToMoment(0);
    if (!went.ok()) return went.status();
    arrival = Arrival::kBegin;
    return true;
  }
  const Boundary& boundary = **last;
  const bool same = boundary.flow == flow;
  if (!same && Contains(CallPalPcs(kReturning), boundary.palcode_pc)) {
    const absl::StatusOr<bool> found = GoToDeparture(flow, boundary.instructions, arrival);
    if (!found.ok()) return found.status();
    if (arrival != Arrival::kThere) return false;
    if (*found) return cpu().pc != pc;
  }
  went = timeline_.GoToInstruction(boundary.instructions, which_);
  if (!went.ok()) return went.status();
  arrival = *went;
  return !same || boundary.pc != pc;
}

absl::StatusOr<std::optional<FlowStepper::Boundary>> FlowStepper::LastOutside(uint64_t instructions,
                                                                              Arrival& arrival) {
  for (uint64_t span = 64;; span *= kSpanFactor) {
    const uint64_t start = instructions - std::min(span, instructions);
    absl::StatusOr<Arrival> went = timeline_.GoToInstruction(start, which_);
    std::optional<Boundary> last;
    while (went.ok() && *went == Arrival::kThere && cpu().instructions < instructions) {
      const uint64_t at = cpu().instructions;
      const bool outside = !cpu().pal_mode();
      if (outside) last = Boundary{at, cpu().pc, Here(), 0};
      went = timeline_.StepForward(1, which_);
      if (outside) last->palcode_pc = cpu().pc;
    }
    if (!went.ok()) return went.status();
    arrival = *went;
    if (arrival != Arrival::kThere || last.has_value() || start == 0) return last;
    if (interrupted_()) {
      arrival = Arrival::kInterrupted;
      return last;
    }
  }
}

bool FlowStepper::IsEntered(const Flow& flow) const {
  // PALcode's own misses have a PC in PALmode. CALL_PAL sets no EXC_ADDR, and is never PALcode's.
  const bool call = Contains(CallPalPcs(kCalling), cpu().pc);
  return (call || (cpu().exc_addr & 1) == 0) && Here() == flow;
}

absl::StatusOr<bool> FlowStepper::GoToDeparture(const Flow& flow, uint64_t instructions,
                                                Arrival& arrival) {
  StopCondition condition = StopCondition::AtPcs(EntryPcs());
  condition.Add(timeline::Timeline::AtRetired(which_, instructions));
  for (uint64_t span = kFirstSpan;; span *= kSpanFactor) {
    const uint64_t start = instructions - std::min(span, instructions);
    absl::StatusOr<Arrival> went = timeline_.GoToInstruction(start, which_);
    std::optional<uint64_t> last;
    uint64_t stops = 0;
    while (went.ok() && *went == Arrival::kThere && cpu().instructions < instructions) {
      went = timeline_.RunForward(condition);
      const bool entered = cpu().instructions < instructions && IsHere() && IsEntered(flow);
      if (entered) last = cpu().instructions;
      if (++stops % 256 == 0 && interrupted_()) went = Arrival::kInterrupted;
    }
    if (last.has_value() && went.ok() && *went == Arrival::kThere) {
      went = timeline_.GoToInstruction(*last, which_);
      // A CALL_PAL has retired when PALcode begins; what faults or is interrupted has not.
      const bool call = went.ok() && *went == Arrival::kThere && cpu().pal_mode();
      if (call) went = timeline_.GoToInstruction(*last - 1, which_);
    }
    if (!went.ok()) return went.status();
    arrival = *went;
    if (arrival != Arrival::kThere || last.has_value()) return last.has_value();
    if (start == 0 || span >= kLastSpan) return false;
  }
}

}  // namespace isochron::debug
