// Steps that stay with one flow of control.

#ifndef ISOCHRON_DEBUG_FLOW_STEPPER_H_
#define ISOCHRON_DEBUG_FLOW_STEPPER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "alpha/cpu.h"
#include "alpha/stop_ranges.h"
#include "machine/machine.h"
#include "machine/stop_condition.h"
#include "timeline/timeline.h"

namespace isochron::debug {

// Where a step has come to.
struct StepEnd {
  timeline::Arrival arrival = timeline::Arrival::kThere;
  // It has not come so far: something else was met before.
  bool met = false;
  // A reference to memory that was.
  std::optional<alpha::MemoryReference> reference;
  // What was selected, and why, in lines.
  std::optional<std::string> selected;
  // The CPU that has met it.
  std::optional<int> cpu = std::nullopt;
  // It is where a step of that CPU was to lead: another may execute next.
  bool stepped_there = false;
};

// Where a run has come to that was to stop for something, which is told by the timeline: a
// reference, a selection, or (`at_pc`) a PC.
StepEnd MetAt(const timeline::Timeline& timeline, timeline::Arrival arrival, bool at_pc);

// Steps of a machine on a timeline.
//
// A person who steps through a program does not want to see each TLB miss of it, each interrupt and
// every other process that runs meanwhile. A *flow* is what goes on on one stack: a process in user
// mode, or in the kernel. It is told by SP, mode and PCBB, at the place where it is left for
// PALcode; what PALcode and handlers do until it goes on belongs to none of its steps. An
// instruction of it that leads elsewhere for good, a return from an exception or a change of
// context, is a step to where that is.
//
// Each step takes `also`, a condition of PCs and ranges: what meets it on the way ends the step,
// and so does what a selector selects.
class FlowStepper {
 public:
  // `timeline` must outlive it. `interrupted` is asked now and then; true ends a step with
  // kInterrupted. `cpu` is the one that steps; all of several go on meanwhile.
  FlowStepper(timeline::Timeline& timeline, int cpu, std::function<bool()> interrupted,
              timeline::StopSelector* selector = nullptr)
      : timeline_(timeline),
        cpu_(cpu),
        which_(timeline.machine().cpu_count() == 1 ? timeline::Timeline::kAnyCpu : cpu),
        interrupted_(std::move(interrupted)),
        selector_(selector) {}

  // By one instruction, whatever it is of.
  absl::StatusOr<StepEnd> ForwardExact(const machine::StopCondition& also);
  absl::StatusOr<StepEnd> BackwardExact(const machine::StopCondition& also);
  // To where the instruction of this flow here has been completed, and back to before the one that
  // was. In PALmode as the exact ones.
  absl::StatusOr<StepEnd> Forward(machine::StopCondition also);
  absl::StatusOr<StepEnd> Backward(machine::StopCondition also);
  // The instruction that this flow executes next, whose page is not there yet: by going to where it
  // is, and back. Nothing if that is too far away.
  absl::StatusOr<std::optional<uint32_t>> FetchAhead();

 private:
  struct Flow {
    uint64_t sp = 0;
    alpha::Mode mode = alpha::Mode::kKernel;
    uint64_t pcbb = 0;

    friend bool operator==(const Flow&, const Flow&) = default;
  };
  // A boundary outside of PALmode, and where PALcode was entered from there.
  struct Boundary {
    uint64_t instructions = 0;
    uint64_t pc = 0;
    Flow flow;
    uint64_t palcode_pc = 0;
  };

  const machine::Machine& machine() const { return timeline_.machine(); }
  const alpha::Cpu& cpu() const { return machine().cpu(cpu_); }
  // Whether a stop at a PC is one of this CPU.
  bool IsHere() const { return machine().next_cpu() == cpu_; }
  Flow Here() const;
  // The PCs in PALmode of CALL_PAL functions.
  std::vector<uint64_t> CallPalPcs(const std::vector<uint32_t>& functions) const;
  // Where PALcode is entered from anywhere else.
  std::vector<uint64_t> EntryPcs() const;
  // If the instruction here is a CALL_PAL that leaves its flow: where that begins.
  std::optional<uint64_t> LeavingPc() const;

  absl::StatusOr<StepEnd> Run(const machine::StopCondition& condition);
  absl::StatusOr<timeline::Arrival> RunForward(const machine::StopCondition& condition);
  absl::StatusOr<timeline::Arrival> RunBackward(const machine::StopCondition& condition);
  // To the first boundary outside of PALmode.
  absl::StatusOr<StepEnd> LeavePalcode(const machine::StopCondition& also);
  // To where the flow goes on.
  absl::StatusOr<StepEnd> AwaitFlow(const Flow& flow, const machine::StopCondition& also);

  // To the start of the last step of this flow.
  absl::StatusOr<timeline::Arrival> SeekBackward();
  // One turn of that, from the boundary at which so many instructions have retired. True when it is
  // there; otherwise it is at an earlier boundary at which the flow was where it is.
  absl::StatusOr<bool> SeekTurn(const Flow& flow, uint64_t pc, timeline::Arrival& arrival);
  // The last boundary outside of PALmode at which fewer instructions had retired.
  absl::StatusOr<std::optional<Boundary>> LastOutside(uint64_t instructions,
                                                      timeline::Arrival& arrival);
  // At one of EntryPcs(): whether it is this flow that has been left.
  bool IsEntered(const Flow& flow) const;
  // Goes to where the flow was left for the handler that has returned to it there. False when that
  // is not found.
  absl::StatusOr<bool> GoToDeparture(const Flow& flow, uint64_t instructions,
                                     timeline::Arrival& arrival);
  // From where a step back has begun and where it leads, to where `also` was met in between, if it
  // was.
  absl::StatusOr<StepEnd> FinishBackward(const machine::StopCondition& also, uint64_t begin,
                                         timeline::Arrival arrival);

  timeline::Timeline& timeline_;
  const int cpu_;
  const int which_;  // for a timeline: the CPU, or any if there is but one
  std::function<bool()> interrupted_;
  timeline::StopSelector* const selector_;  // nullptr: none
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_FLOW_STEPPER_H_
