// Where a run of the machine is to stop.

#ifndef ISOCHRON_MACHINE_STOP_CONDITION_H_
#define ISOCHRON_MACHINE_STOP_CONDITION_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/memory.h"
#include "alpha/stop_pcs.h"
#include "alpha/stop_ranges.h"
#include "machine/bus/event_queue.h"
#include "machine/events/event.h"

namespace isochron::machine {

// The boundary at which a run stops: the first that meets one of these. Nothing that is unset costs
// anything, and every engine stops at the same boundary.
//
// The machine stands behind device events, inputs and checkpoint of that boundary, but before an
// interrupt is recognised: in the state whose digest a checkpoint there has. When it goes on, it
// does what it would have done: a stop is no input, no log has it, and no observer is told.
struct StopCondition {
  // The CPU whose cycles, instructions and PCs count.
  int cpu = 0;
  // The cycle counter has reached this.
  uint64_t cycle = kNever;
  // So many instructions have retired since power-on (Cpu::instructions).
  uint64_t instructions = kNever;
  // The next instruction, which can be fetched, is at one of these PCs; bit 0 of a PC says PALmode.
  // The boundary at which the run begins does not count, so that a run from a PC leads to its next
  // visit.
  std::vector<uint64_t> pcs;
  // A reference to one of these has been made behind the boundary at which the run began: by an
  // instruction, at the boundary behind it, or by a device (a write to a physical range).
  std::vector<alpha::StopRange> ranges;
  // An event of one of these kinds has happened behind the boundary at which the run began: a bit
  // for each EventBody::index(). An interrupt is an event once it has been entered: the CPU then
  // stands in PALcode, at the first boundary after that.
  uint32_t events = 0;

  // Adds what another condition, of the same CPU, asks for: the run stops where either is met.
  void Add(const StopCondition& other);

  static StopCondition AtCycle(uint64_t cycle);
  static StopCondition AtInstruction(uint64_t instructions);
  static StopCondition AtPcs(std::vector<uint64_t> pcs);
  static StopCondition AtReference(const alpha::StopRange& range);
  // At the next event whose body is an `Event`.
  template <typename Event>
  static StopCondition AtEvent() {
    StopCondition condition;
    condition.events = 1 << EventBody(Event()).index();
    return condition;
  }
};

// What of its condition a run has met: all that holds where it stopped.
struct StopReasons {
  bool cycle = false;
  bool instructions = false;
  bool pc = false;
  std::vector<Event> events;                        // all that were asked for
  std::optional<alpha::MemoryReference> reference;  // the first that counts

  bool event() const { return !events.empty(); }
  bool any() const { return cycle || instructions || pc || event() || reference.has_value(); }
  // Those of a condition, of all that a run has met to which others were added. The CPU stands
  // where the run has stopped.
  StopReasons Of(const StopCondition& condition, const alpha::Cpu& cpu) const;
};

// Watches a run for its condition. What sequences the run asks it how far an engine may go, and at
// each boundary whether that is the one.
class StopWatch {
 public:
  // Never stops.
  StopWatch() = default;
  // The run begins where `cpu`, the one of the condition, stands.
  StopWatch(const StopCondition& condition, const alpha::Cpu& cpu)
      : condition_(condition), pcs_(condition.pcs, cpu.cycle), ranges_(condition.ranges) {}

  int cpu() const { return condition_.cpu; }
  // An event happens. When the condition names its kind, the boundary at which the sequencer looks
  // next is the one.
  void Note(const Event& event) {
    if ((condition_.events >> event.body.index() & 1) != 0) happened_.push_back(event);
  }

  // Up to which cycle time may pass while nothing retires.
  uint64_t WaitLimit() const { return happened_.empty() ? condition_.cycle : 0; }
  // Up to which cycle an engine may go with the CPU of the condition. No instruction takes less
  // than a cycle; so an engine that stops there has not passed the boundary, and is closer to it
  // than before.
  uint64_t RunLimit(const alpha::Cpu& cpu) const { return happened_.empty() ? TurnLimit(cpu) : 0; }
  // The same within the turn of a CPU of several, where an event does not stop the run yet.
  uint64_t TurnLimit(const alpha::Cpu& cpu) const;
  // What an engine that runs this CPU is to be given as Deadline::pcs.
  const alpha::StopPcs* pcs() const { return pcs_.empty() ? nullptr : &pcs_; }
  // The same as Deadline::ranges. Writes of devices are noted there, too.
  alpha::StopRanges* ranges() { return ranges_.empty() ? nullptr : &ranges_; }
  // What is met before anything is run.
  StopReasons MetAlready(const alpha::Cpu& cpu) const {
    return {cpu.cycle >= condition_.cycle, cpu.instructions >= condition_.instructions,
            /*pc=*/false, happened_, ranges_.hit()};
  }
  // What is met at this boundary, all of whose events have happened. `executes`: the CPU does not
  // stand still.
  StopReasons Met(const alpha::Cpu& cpu, const alpha::Memory& memory, bool executes) const {
    StopReasons met = MetAlready(cpu);
    met.pc = !pcs_.empty() && executes && !cpu.InterruptDeliverable() && pcs_.Stops(cpu, memory);
    return met;
  }
  // What is met within the turn of a CPU: of the condition's all but events, of another one
  // references alone.
  StopReasons MetInTurn(const alpha::Cpu& cpu, const alpha::Memory& memory, bool executes) const {
    StopReasons met;
    if (static_cast<int>(cpu.index) == condition_.cpu) met = Met(cpu, memory, executes);
    met.events.clear();
    met.reference = ranges_.hit();
    return met;
  }

 private:
  StopCondition condition_;
  alpha::StopPcs pcs_;
  alpha::StopRanges ranges_;
  std::vector<Event> happened_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_STOP_CONDITION_H_
