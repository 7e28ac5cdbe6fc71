// Where a run of the machine is to stop.

#ifndef ISOCHRON_MACHINE_STOP_CONDITION_H_
#define ISOCHRON_MACHINE_STOP_CONDITION_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/memory.h"
#include "alpha/stop_pcs.h"
#include "alpha/stop_ranges.h"
#include "machine/bus/event_queue.h"
#include "machine/events/config.h"
#include "machine/events/event.h"

namespace isochron::machine {

// How far Machine::moment() goes where each of so many CPUs comes a cycle farther.
constexpr uint64_t MomentsPerCycle(uint32_t cpus) { return cpus == 1 ? 1 : uint64_t{2} * cpus; }

// The boundary at which a run stops: the first that meets one of these. Nothing that is unset costs
// anything, and every engine stops at the same boundary.
//
// The machine stands behind device events, inputs and checkpoint of that boundary, but before an
// interrupt is recognised: in the state whose digest a checkpoint there has. When it goes on, it
// does what it would have done: a stop is no input, no log has it, and no observer is told.
//
// Of several CPUs a boundary inside a round is that of the CPU which executes next, of which all
// that the last instruction of another has led to is there. Machine time is a place between rounds
// alone, since inside of one it is not known what else has to happen at it (docs/smp.md).
struct StopCondition {
  // Machine time has reached this.
  uint64_t cycle = kNever;
  // So many instructions have retired since power-on, of all CPUs.
  uint64_t instructions = kNever;
  // The same of one of several CPUs: its cycle counter, and what it has retired.
  struct Count {
    int cpu = 0;
    uint64_t cycle = kNever;
    uint64_t instructions = kNever;
  };
  std::vector<Count> counts;
  // Machine::moment() has come to this.
  uint64_t moment = kNever;
  // The next instruction, which can be fetched, is at one of these PCs, of whatever CPU; bit 0 of a
  // PC says PALmode. The boundary at which the run begins does not count, so that a run from a PC
  // leads to its next visit.
  std::vector<uint64_t> pcs;
  // A reference to one of these has been made behind the boundary at which the run began: by an
  // instruction, at the boundary behind it, or by a device (a write to a physical range).
  std::vector<alpha::StopRange> ranges;
  // An event of one of these kinds has happened behind the boundary at which the run began: a bit
  // for each EventBody::index(). An interrupt is an event once it has been entered: the CPU then
  // stands in PALcode, at the first boundary after that. (Several may enter theirs at once, where a
  // round begins.)
  uint32_t events = 0;

  // Adds what another condition asks for: the run stops where either is met.
  void Add(const StopCondition& other);

  static StopCondition AtCycle(uint64_t cycle);
  static StopCondition AtInstruction(uint64_t instructions);
  static StopCondition AtCycleOf(int cpu, uint64_t cycle);
  static StopCondition AtInstructionOf(int cpu, uint64_t instructions);
  static StopCondition AtMoment(uint64_t moment);
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
  bool moment = false;
  bool pc = false;                                  // of the CPU that executes next
  std::vector<Event> events;                        // all that were asked for
  std::optional<alpha::MemoryReference> reference;  // the first that counts

  bool event() const { return !events.empty(); }
  bool any() const {
    return cycle || instructions || moment || pc || event() || reference.has_value();
  }
};

// Where a machine stands, as far as one asks who looks for a boundary.
struct StopPlace {
  uint64_t moment = 0;
  uint64_t instructions = 0;         // of all CPUs
  std::optional<uint64_t> cycle;     // machine time; nothing inside a round
  const alpha::Cpu* next = nullptr;  // who executes next; nullptr: nobody, or that is not known
  uint32_t last = 0;                 // who has executed last
  std::array<const alpha::Cpu*, MachineConfig::kMaxCpus> cpus = {};  // those that there are
};

// Watches a run for its condition. What sequences the run asks it how far an engine may go, and at
// each boundary whether that is the one.
class StopWatch {
 public:
  // Never stops.
  StopWatch() = default;
  // Of a machine of one CPU: the run begins where that stands.
  StopWatch(const StopCondition& condition, const alpha::Cpu& cpu);
  // Of several: the run begins there.
  StopWatch(const StopCondition& condition, const StopPlace& place);

  // An event happens. When the condition names its kind, the boundary at which the sequencer looks
  // next is the one.
  void Note(const Event& event) {
    if ((condition_.events >> event.body.index() & 1) != 0) happened_.push_back(event);
  }

  // What an engine that runs this CPU is to be given as Deadline::pcs.
  const alpha::StopPcs* pcs(const alpha::Cpu& cpu) const {
    return pcs_.empty() ? nullptr : &pcs_[cpu.index];
  }
  // The same as Deadline::ranges. Writes of devices are noted there, too.
  alpha::StopRanges* ranges() { return ranges_.empty() ? nullptr : &ranges_; }

  // Of one CPU: up to which cycle time may pass while nothing retires.
  uint64_t WaitLimit() const {
    return happened_.empty() ? std::min(condition_.cycle, condition_.moment) : 0;
  }
  // Up to which cycle an engine may go with it. No instruction takes less than a cycle; so an
  // engine that stops there has not passed the boundary, and is closer to it than before.
  uint64_t RunLimit(const alpha::Cpu& cpu) const;
  // What is met before anything is run.
  StopReasons MetAlready(const alpha::Cpu& cpu) const { return MetCounts(PlaceOf(cpu)); }
  // What is met at this boundary, all of whose events have happened. `executes`: the CPU does not
  // stand still.
  StopReasons Met(const alpha::Cpu& cpu, const alpha::Memory& memory, bool executes) const {
    StopReasons met = MetAlready(cpu);
    met.pc = executes && AtPc(cpu, memory);
    return met;
  }

  // Of several: whether there is anything to look for.
  bool looks() const { return looks_; }
  // The machine time up to which it may pass while none of `cpus` executes.
  uint64_t RoundWaitLimit(uint32_t cpus) const;
  // Up to which of its cycles the one that executes next may go.
  uint64_t TurnLimit(const StopPlace& place) const;
  StopReasons MetAlready(const StopPlace& place) const { return MetCounts(place); }
  StopReasons Met(const StopPlace& place, const alpha::Memory& memory) const {
    StopReasons met = MetCounts(place);
    met.pc = place.next != nullptr && AtPc(*place.next, memory);
    return met;
  }

  // Of a part of the condition, what is met where the run has stopped.
  static StopReasons Part(const StopCondition& part, const StopReasons& met,
                          const StopPlace& place);
  static StopPlace PlaceOf(const alpha::Cpu& cpu) {
    return {cpu.cycle, cpu.instructions, cpu.cycle, &cpu, 0, {&cpu}};
  }

 private:
  static void MeetCounts(const StopCondition& condition, const StopPlace& place, StopReasons& met);
  // All but PCs.
  StopReasons MetCounts(const StopPlace& place) const;
  bool AtPc(const alpha::Cpu& cpu, const alpha::Memory& memory) const {
    return !pcs_.empty() && !cpu.InterruptDeliverable() && pcs_[cpu.index].Stops(cpu, memory);
  }

  StopCondition condition_;
  bool looks_ = false;
  std::vector<alpha::StopPcs> pcs_;  // by CPU; empty when there are no PCs
  alpha::StopRanges ranges_;
  std::vector<Event> happened_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_STOP_CONDITION_H_
