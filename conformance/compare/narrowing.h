// The search for the first instruction at which two engines part.

#ifndef ISOCHRON_CONFORMANCE_COMPARE_NARROWING_H_
#define ISOCHRON_CONFORMANCE_COMPARE_NARROWING_H_

#include <cstdint>
#include <vector>

#include "conformance/compare/cpu_fields.h"

namespace isochron::conformance {

// An instruction boundary of a run. Where it is in the run its moment says (Machine::moment()): of
// one CPU that is its cycle.
struct Boundary {
  uint64_t moment = 0;
  uint64_t pc = 0;     // bit 0: PALmode
  uint32_t word = 0;   // the instruction that follows; 0 when it cannot be fetched
  uint64_t cycle = 0;  // of the CPU that executes it
  uint32_t cpu = 0;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Field("moment", self.moment);
    visitor.Field("pc", self.pc);
    visitor.Field("word", self.word);
    visitor.Field("cycle", self.cycle);
    visitor.Field("cpu", self.cpu);
  }
};

// What to do with both engines, from the base on.
struct Experiment {
  uint64_t end = 0;   // run to this moment, and compare there
  uint64_t stop = 0;  // if not 0: stop at this moment on the way, a boundary
  // With a stop: how many instructions the second engine is to translate anew there; 0: none, it
  // goes on with what it has.
  uint32_t translate = 0;
  uint32_t cpu = 0;  // for which it translates
};

// Two machines on two engines that were equal at some moment, the base, and a way to run from there
// as often as one likes, with the translations that the engines had made by then.
class Twins {
 public:
  virtual ~Twins() = default;
  // Whether the machines differ at the end of the experiment. The base stays as it is.
  virtual bool Differ(const Experiment& experiment) = 0;
  // Moves the base to `moment`, at which the machines are known to be equal. May do nothing.
  virtual void Advance(uint64_t /*moment*/) {}
  // The boundaries of the first engine from the first at or past `from` to `to`.
  virtual std::vector<Boundary> Step(uint64_t from, uint64_t to) = 0;
  // How far a moment goes in a cycle of a CPU while it executes.
  virtual uint64_t MomentsPerCycle() const { return 1; }
};

// How surely the instruction is known.
enum class Certainty : uint8_t {
  kNotReproduced,  // the machines did not differ in the rerun
  kRegion,         // it is one of those between `region` and `different`
  kInstruction,    // it is the one at `culprit`
};

struct Narrowed {
  Certainty certainty = Certainty::kNotReproduced;
  // Where the second engine's uninterrupted run of code begins, the instruction itself, and the
  // first boundary at which the machines differ.
  Boundary region;
  Boundary culprit;
  uint64_t different = 0;  // its moment
  // What the first engine executed from `region` to `different`.
  std::vector<Boundary> trace;
  // What shows the difference with as little before it as possible: from the start of the culprit's
  // block on if the fault was seen in a new translation of it, else from `region` on.
  Experiment experiment;
};

// Halves between the moments `equal`, the base, and `different`, at which the machines differ, down
// to neighbouring boundaries. An engine that translates runs whole regions: a stop within one makes
// it go step by step, and hides the fault. So then looks for the place from which the run to the
// difference must be left alone, and shortens the translation there until the fault is gone.
Narrowed Narrow(Twins& twins, uint64_t equal, uint64_t different);

// Where `found.experiment` leaves the engines to themselves.
const Boundary& StartOf(const Narrowed& found);

// Holds the culprit against what differs after the experiment. When an earlier instruction was the
// last to write a register that differs, it is named in its place, and only as the likely one: a
// fault in how registers of a region are kept shows when the region ends.
void Settle(Narrowed& found, const std::vector<FieldChange>& changes);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_COMPARE_NARROWING_H_
