// Counts all that a run executes.

#ifndef ISOCHRON_DEBUG_PROFILER_H_
#define ISOCHRON_DEBUG_PROFILER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "alpha/cpu.h"
#include "alpha/execution_sink.h"
#include "debug/call_stacks.h"
#include "debug/call_tree.h"
#include "machine/machine.h"

namespace isochron::debug {

// Instructions that have retired, and cycles that have passed.
struct Counts {
  uint64_t instructions = 0;
  uint64_t cycles = 0;

  void Add(const Counts& other) {
    instructions += other.instructions;
    cycles += other.cycles;
  }
};

// Cycles by who executes; what is idle is nobody's.
struct ModeCycles {
  uint64_t user = 0;
  uint64_t kernel = 0;
  uint64_t pal = 0;
  uint64_t idle = 0;

  ModeCycles Since(const ModeCycles& before) const {
    return {user - before.user, kernel - before.kernel, pal - before.pal, idle - before.idle};
  }
};

// Counts instructions and cycles of a machine's CPUs, each exactly once: of an instruction that has
// retired where it is, its waiting for a device included; the entry of PALcode where that begins;
// time in which nothing is executed for Functions::kIdle or kReset.
class Profiler final : public alpha::ExecutionSink {
 public:
  // Counts from the boundary on at which the machine stands: all CPUs, or one alone. All must
  // outlive it.
  Profiler(const machine::Machine& machine, Functions& functions, std::optional<int> only = {});

  uint32_t Number(uint64_t pc, std::span<const uint32_t> words) override;
  void Executed(const alpha::Cpu& cpu, std::span<const uint32_t> notes) override;
  void Repeated(const alpha::Cpu& cpu, uint64_t turns, uint64_t instructions) override;

  // The machine stands between runs: counts what has passed since it was told last.
  void CatchUp();
  // The machine stands where counting ends.
  void Finish();

  // ResourceExhausted when the run is too manifold to be counted; it should then be ended.
  const absl::Status& status() const { return status_; }

  // What has been counted, up to Finish().
  const CallTree& tree() const { return tree_; }
  // By PC, as Cpu::pc has it. What is neither is idle.
  std::map<uint64_t, Counts> ByPc() const;
  // By address space number. PALcode counts for the one in which it has been entered.
  const std::map<uint8_t, Counts>& by_asn() const { return by_asn_; }
  Counts total() const;
  // Of all that has been told of a CPU so far.
  const ModeCycles& by_mode(int cpu = 0) const { return seen_[static_cast<size_t>(cpu)].by_mode; }

 private:
  enum class End : uint8_t { kPlain, kCall, kJump, kReturn, kCoroutine, kCallPal, kPalReturn };
  // Instructions at consecutive addresses, of one function unless it is split.
  struct Piece {
    uint64_t pc = 0;
    uint64_t executions = 0;
    uint32_t count = 0;
    uint32_t cost = 0;
    uint32_t function = 0;  // kSplit: of several
    End end = End::kPlain;
    bool notes_stack_pointer = false;

    uint64_t end_pc() const { return pc + 4 * uint64_t{count}; }
  };
  static constexpr uint32_t kSplit = ~uint32_t{0} - 1;
  // What is seldom asked of a piece.
  struct PieceOrigin {
    uint32_t words = 0;  // where they begin in `words_`
    uint32_t split = 0;  // into `splits_`, from 1: what it consists of
    uint32_t next = 0;   // piece at the same PC
  };
  // One of the last that were executed one at a time.
  struct Recent {
    uint32_t piece;
    uint32_t node;
  };
  static constexpr size_t kMaxPieces = size_t{1} << 23;
  static constexpr size_t kRecent = 256;
  static constexpr uint32_t kNoPiece = ~uint32_t{0};

  // Counts for a node of the tree.
  void AddTo(uint32_t node, const Counts& counts);
  // Without a look at whether it exists.
  uint32_t Make(uint64_t pc, std::span<const uint32_t> words);
  uint32_t Split(uint64_t pc, std::span<const uint32_t> words);
  static End EndOf(uint32_t word);
  // The first instructions of a piece as a piece.
  uint32_t Prefix(uint32_t piece, uint32_t count);
  void Count(uint32_t piece);
  // Counts pieces that have been executed whole, as long as `notes` cannot be the last, and what
  // they are off `left`. Returns how many notes that were.
  size_t CountMany(std::span<const uint32_t> notes, Counts& left);
  // The pieces of one function each that make up a piece.
  std::vector<uint32_t> PartsOf(uint32_t piece) const;
  // Counts the last piece, of which `left` is what was executed.
  void CountLast(const alpha::Cpu& cpu, uint32_t piece, const Counts& left, bool has_sp,
                 uint64_t sp);
  void Leave(const Piece& piece, uint64_t sp);
  // What has happened to the CPU beside executing.
  void NoteEntry(const alpha::Cpu& cpu, uint64_t& cycles);
  void NoteElsewhere(const alpha::Cpu& cpu, uint64_t cycles);
  void CountTime(uint32_t label, uint64_t cycles);
  // Cycles beside those that instructions cost, at a PC.
  void CountExtra(uint64_t pc, uint64_t cycles);
  void LeavePal(const alpha::Cpu& cpu);
  void CloseAsn();
  // What is told comes from this CPU. False: that is not to be counted.
  bool TurnTo(const alpha::Cpu& cpu);
  CallStacks::Place Here(const alpha::Cpu& cpu) const;
  static uint64_t Exceptions(const alpha::Cpu& cpu);

  const machine::Machine& machine_;
  Functions& functions_;
  const std::optional<int> only_;
  CallTree tree_;
  CallStacks::Sleepers sleepers_;
  std::optional<uint64_t> reset_at_;  // where all CPUs came to by the last reset, in cycles
  std::vector<Piece> pieces_;
  std::vector<PieceOrigin> origins_;  // of each
  std::vector<std::vector<uint32_t>> splits_;
  std::vector<uint32_t> words_;
  std::unordered_map<uint64_t, uint32_t> by_pc_;  // the last piece that was made there
  std::unordered_map<uint64_t, uint64_t> extra_;

  // What is known of a CPU.
  struct Seen {
    CallStacks stacks;
    // The boundary up to which everything is counted.
    uint64_t instructions;
    uint64_t cycle;
    uint64_t pc;
    uint64_t exceptions;
    uint64_t interrupts;
    uint8_t asn;
    Counts total = {};
    ModeCycles by_mode = {};
    Counts asn_since = {};  // `total` when `asn` became that
    std::array<Recent, kRecent> recent = {};
    size_t recents = 0;  // that were ever noted, since others came between
  };
  std::vector<Seen> seen_;  // of each
  Seen* now_ = nullptr;     // of the one that is told of
  std::map<uint8_t, Counts> by_asn_;
  absl::Status status_;
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_PROFILER_H_
