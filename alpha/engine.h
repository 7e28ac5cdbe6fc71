// The small interfaces between an engine and the machine it runs in. Engines see nothing
// else of the machine; the machine sees nothing else of an engine.

#ifndef ISOCHRON_ALPHA_ENGINE_H_
#define ISOCHRON_ALPHA_ENGINE_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

namespace isochron::alpha {

struct Cpu;
class Memory;
class StopPcs;
class StopRanges;
class ExecutionSink;

// The cycle at which an engine must stop. Whoever makes something happen earlier (a device
// that schedules an event, in the middle of an access) moves it nearer; the engine reads it
// again after every access to I/O space.
struct Deadline {
  uint64_t cycle = 0;

  void MoveNearer(uint64_t to) {
    cycle = std::min(cycle, to);
    moved_to = std::min(moved_to, to);
  }

  // The nearest that anybody has asked for while a BoundedDeadline lives.
  uint64_t moved_to = ~uint64_t{0};

  // Set by any thread: somebody wants the machine to stop. The engine stops at a boundary that it
  // comes to after a bounded amount of host work, whatever the guest does, as it would had `cycle`
  // been that of the boundary.
  std::atomic<bool> leave{false};

  // Where else the engine must stop; nullptr: nowhere. It stays the same while the engine runs.
  const StopPcs* pcs = nullptr;
  // References to memory behind which the engine must stop, which it tells of those that it makes;
  // nullptr: none. Which ranges they are stays the same while the engine runs.
  StopRanges* ranges = nullptr;
  // Who is told of all that the engine executes; nullptr: nobody, which is faster. Engines keep
  // what a sink has called pieces of code until Engine::Invalidate(), which is due when it changes.
  ExecutionSink* sink = nullptr;
};

// Whether an engine that has come to this boundary stops there, as Engine::Run() has it.
bool StopsAt(const Cpu& cpu, const Deadline& deadline, const Memory& memory);

// While it lives, a deadline is no farther away than some cycle. Afterwards it is what it would
// have been without. For who runs an engine in smaller steps than it was told to.
class BoundedDeadline {
 public:
  BoundedDeadline(Deadline& deadline, uint64_t cycle)
      : deadline_(deadline), outer_(deadline.cycle), outer_moved_to_(deadline.moved_to) {
    deadline.cycle = std::min(deadline.cycle, cycle);
    deadline.moved_to = ~uint64_t{0};
  }
  ~BoundedDeadline() {
    deadline_.cycle = std::min(outer_, deadline_.moved_to);
    deadline_.moved_to = std::min(outer_moved_to_, deadline_.moved_to);
  }
  BoundedDeadline(const BoundedDeadline&) = delete;
  BoundedDeadline& operator=(const BoundedDeadline&) = delete;

 private:
  Deadline& deadline_;
  uint64_t outer_;
  uint64_t outer_moved_to_;
};

// What one access outside RAM gave.
struct IoResult {
  uint64_t data = 0;         // zero-extended; reads only
  uint32_t cycles = 0;       // what the access costs beyond the instruction itself
  bool nonexistent = false;  // nothing answered: the CPU takes a machine check
};

// Everything at physical addresses that are not RAM.
class IoBus {
 public:
  virtual ~IoBus() = default;
  // `size` is 1, 2, 4 or 8 bytes and `pa` a multiple of it. `cpu.cycle` is the exact cycle
  // of the access. The engine must stop at the boundary after the accessing instruction when
  // the deadline has passed or an interrupt has become deliverable.
  virtual IoResult Read(Cpu& cpu, uint64_t pa, int size) = 0;
  virtual IoResult Write(Cpu& cpu, uint64_t pa, int size, uint64_t data) = 0;
};

// Why an engine stopped.
enum class StopReason : uint8_t {
  kBoundary,  // the deadline was reached, or an interrupt has become deliverable
  kFatal,     // the CPU cannot go on: a machine check while PALcode handled one
};

struct RunResult {
  StopReason reason = StopReason::kBoundary;
  std::string message;  // for kFatal: what happened, in one line
};

// How much work an engine did beyond the architectural counts; for people, never for the log.
struct EngineStats {
  uint64_t blocks_decoded = 0;
  uint64_t blocks_invalidated = 0;
  uint64_t spin_cycles_skipped = 0;
};

// The same of an engine that translates.
struct TranslationStats {
  uint64_t regions_translated = 0;
  uint64_t instructions_translated = 0;  // guest instructions in them
  uint64_t links = 0;                    // exits that lead to another region directly
  uint64_t cache_flushes = 0;            // times that everything was dropped for want of room
  uint64_t code_bytes = 0;               // of host code in the cache now
  uint64_t translation_nanoseconds = 0;  // of host time
  uint64_t entries = 0;                  // of translated code, from the engine's loop
  uint64_t unlinked_exits = 0;           // ways back to the loop: a branch not linked yet,
  uint64_t other_exits = 0;              // an indirect jump not seen yet, a slice that ended
  uint64_t golden_exits = 0;             // an instruction that went elsewhere
  uint64_t golden_calls = 0;             // instructions done by the golden functions
};

// What people, and those who look for a fault of an engine that translates
// (conformance/compare/narrowing.h), ask of it. The guest can notice nothing of it.
class TranslationProbe {
 public:
  // The engine's own code for what it runs at cpu.pc, as text, guest and host code; empty when it
  // has none.
  virtual std::string DescribeCode(const Cpu& cpu) const = 0;
  // Translates what follows cpu.pc now, hot or not, but no more than `instructions` instructions
  // of it, in place of any translation that is there, so that the next Run() begins with it. With
  // 0, lets the next Run() begin with the translation that is there, if any. False when the engine
  // translates nothing there.
  virtual bool TranslateAtMost(Cpu& cpu, uint32_t instructions) = 0;
  virtual TranslationStats translation_stats() const = 0;

 protected:
  ~TranslationProbe() = default;
};

// Runs the CPUs of a machine, one at a time. Every engine stops at the same boundaries with the
// same state. What an engine derives from one CPU it does not take for another's (Cpu::index).
class Engine {
 public:
  virtual ~Engine() = default;

  // Runs until the cycle counter reaches the deadline or an interrupt becomes deliverable,
  // always to an instruction boundary: the first one at which either is so, or at which
  // `deadline.pcs` or `deadline.ranges` say to stop, or any before it once `deadline.leave` is set.
  // Exceptions and PALcode entries happen inside; taking an interrupt is the caller's.
  virtual RunResult Run(Cpu& cpu, Deadline& deadline) = 0;

  // Forgets everything derived from CPU and memory state. Called after a restore or reset.
  virtual void Invalidate() = 0;

  // Forgets what is derived from CPU state, which has been replaced; memory has been written only
  // by ways that its listeners are told of.
  virtual void ForgetCpus() { Invalidate(); }

  virtual EngineStats stats() const = 0;

  // How people call the guest code at an address outside PALmode; empty when they have no name for
  // it.
  using CodeNamer = std::function<std::string(uint64_t pc)>;
  // For an engine that tells a profiler which host code is which. Called before the first Run().
  virtual void NameGuestCode(CodeNamer /*namer*/) {}  // NOLINT: an engine keeps it

  // nullptr when the engine does not translate. An engine that stands before another one forwards
  // it.
  virtual TranslationProbe* probe() { return nullptr; }
};

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_ENGINE_H_
