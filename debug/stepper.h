// A run taken apart into what happens in it, one instruction, exception or interrupt at a time.

#ifndef ISOCHRON_DEBUG_STEPPER_H_
#define ISOCHRON_DEBUG_STEPPER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "alpha/cpu.h"
#include "alpha/stop_ranges.h"
#include "machine/events/config.h"
#include "timeline/timeline.h"

namespace isochron::debug {

// A register that an instruction has written.
struct RegisterWrite {
  enum class File : uint8_t { kInteger, kFloat, kFpcr };
  File file = File::kInteger;
  int place = 0;  // in Cpu::r or Cpu::f
  uint64_t value = 0;

  // "t0", "p4" of PALmode's own, "f12", "fpcr".
  std::string Name() const;
};

// Who executes.
enum class Level : uint8_t { kPal, kKernel, kUser };
Level LevelOf(const alpha::Cpu& cpu);
// The same of the mode that it has but for the PC.
Level LevelAt(const alpha::Cpu& cpu, uint64_t pc);
// "pal", "kernel", "user".
const char* LevelName(Level level);

// What happened between two boundaries.
struct Step {
  enum class Kind : uint8_t {
    kInstruction,  // one has retired
    kException,    // of the instruction at `pc`, which has not retired unless it trapped behind it
    kInterrupt,    // before the instruction at `pc`
    kWait,         // the CPU stood still
  };
  Kind kind = Kind::kInstruction;
  int cpu = 0;
  uint64_t cycle = 0;  // of that CPU, at which it began
  uint64_t cycles = 0;
  uint64_t pc = 0;     // as in Cpu::pc
  uint64_t to_pc = 0;  // where it has led to
  Level level = Level::kPal;
  uint8_t asn = 0;

  // Of an instruction:
  uint32_t word = 0;
  std::vector<RegisterWrite> registers;
  std::optional<alpha::MemoryReference> memory;
  std::optional<uint64_t> value;  // what was read or written there, unless nobody knows
};

// Goes through a run from where a Timeline stands, step by step. The steps are the same on every
// engine. Those of several CPUs come in the order in which the machine makes them; that one has
// stood still is told when it goes on.
class Stepper {
 public:
  // `timeline` must outlive it. It goes no farther than where GoToCycle(to) would lead.
  Stepper(timeline::Timeline& timeline, uint64_t to);

  // The next step; false at the end. Errors are those of the timeline.
  absl::StatusOr<bool> Next(Step& step);

 private:
  // What a step is made out of: the CPU before it.
  struct Before {
    uint64_t cycle;
    uint64_t instructions;
    uint64_t pc;
    bool shadow;
    std::array<uint64_t, 41> r;
    std::array<uint64_t, 33> f;
    uint64_t fpcr;
    uint64_t exceptions;  // of all kinds
    uint64_t interrupts;
  };

  const alpha::Cpu& cpu(int index) const { return timeline_.machine().cpu(index); }
  Before Remember(int index) const;
  void NoteRegisters(const Before& before, Step& step) const;
  void NoteMemory(const Before& before, Step& step) const;
  Step Start(Step::Kind kind, int index, uint64_t cycle) const;
  // One step of one CPU alone. Errors are those of the timeline.
  absl::Status StepAlone();
  // Of several: one of the CPU that executes next, or the beginning of a round.
  absl::Status StepOne();
  absl::Status BeginRound();
  // What a CPU has done since `before`, of which `done` is what is known already.
  void Finish(const Before& before, Step done);
  // Tells, when a CPU has gone on, that it had stood still up to that cycle.
  void NoteWait(int index, uint64_t until);
  bool Ends() const;

  timeline::Timeline& timeline_;
  const uint64_t to_;
  std::vector<Step> ready_;  // further steps of the last boundary, the next last
  // Of several CPUs: the beginning of the wait that each is in.
  std::array<std::optional<Step>, machine::MachineConfig::kMaxCpus> waits_;
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_STEPPER_H_
