// Predecoded instructions and the blocks they form.

#ifndef ISOCHRON_REF_OPERATION_H_
#define ISOCHRON_REF_OPERATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

#include "alpha/cpu.h"
#include "alpha/decode.h"
#include "ref/handler.h"

namespace isochron::ref {

// One instruction, ready to run. Registers are places in Cpu::r or Cpu::f: shadow registers
// are resolved, and a destination of R31 or F31 is the sink. Where Ra is both source and
// destination (the conditional stores), `rc` is its place as a destination.
struct Operation {
  Handler handler;
  uint8_t ra;
  uint8_t rb;
  uint8_t rc;
  uint8_t detail;     // floating-point qualifiers, HW_LD and HW_ST type
  int32_t immediate;  // literal or displacement
};
static_assert(sizeof(Operation) == 16);

// A run of instructions with one entry, at most to the end of its page. Ends with the first
// instruction that may go elsewhere.
//
// A block does not know its virtual address: branches are relative to its start. It is
// shared by all address spaces that map its page.
//
// It is a line of the host's cache, and its operations are in the next ones: what leads to a block
// waits for both at once. Only a BlockPtr has operations.
struct alignas(64) Block {
  static constexpr std::align_val_t kAlignment{64};
  static constexpr uint64_t kNotNoted = 2;  // no PC

  Block() = default;

  uint32_t count = 0;          // of its instructions
  uint32_t cost = 0;           // cycles of all instructions
  uint32_t last_boundary = 0;  // cycles of all but the last
  // Whether an execution that ends with the registers it began with has changed nothing but
  // time: no stores, no PALcode, no counters read.
  bool pure = true;
  bool ends = false;  // with an instruction that may go elsewhere
  // Of the last instruction: see alpha::NotesStackPointer(). Valid with `note`.
  bool notes_stack_pointer = false;
  // Where a direct branch in the same page leads to, once it has been taken. Blocks of a
  // page live and die together.
  Block* taken = nullptr;
  Block* fall_through = nullptr;
  uint64_t pa = 0;  // physical address
  // For an engine that translates hot blocks: how often the block was seen, and what it made
  // of it. No link leads to a block with a translation.
  const void* translation = nullptr;
  uint32_t samples = 0;
  // How an alpha::ExecutionSink calls the block where it was executed last.
  uint32_t note = 0;
  uint64_t noted_pc = kNotNoted;

  // The first `count` belong to instructions; one more leaves a block that just ends.
  Operation* operations() { return reinterpret_cast<Operation*>(this + 1); }
  const Operation* operations() const { return reinterpret_cast<const Operation*>(this + 1); }
  // Cycles of the instructions before each, and of all: `count + 1` of them.
  std::span<const uint16_t> cost_before() const {
    return {reinterpret_cast<const uint16_t*>(operations() + count + 1), count + size_t{1}};
  }

  // Whether a deadline falls before the last instruction of the block, when it starts at
  // `cycle`: then it must not be run as a whole.
  bool CrossesBoundaryAt(uint64_t deadline, uint64_t cycle) const {
    return cycle + last_boundary >= deadline;
  }

 private:
  // A copy would be without its operations.
  Block(const Block&) = default;
  Block& operator=(const Block&) = default;
};

static_assert(sizeof(Block) == 64);

struct FreeBlock {
  void operator()(Block* block) const;
};
// A block with its operations.
using BlockPtr = std::unique_ptr<Block, FreeBlock>;

inline constexpr int kMaxBlockLength = 64;

// How instructions are decoded: what else, beside the bits in memory, a block depends on.
enum class DecodeMode : uint8_t { kNative = 0, kPal = 1, kPalShadow = 2 };
inline constexpr int kDecodeModes = 3;

// Chooses the handler for an instruction (one function a row of the instruction table; a row
// without one does not link) and fills in `op` as it wants to find it.
// `reuse` must be right, or kNothing; what has no use for it ignores it.
Handler SelectHandler(const alpha::Instruction& instruction, Reuse reuse = Reuse::kNothing);
// Leaves a block that ends without a branch.
Handler EndOfBlockHandler();
// Leaves a block before the instruction in whose place it stands.
Handler LeaveBlockHandler();
// Whether nothing after this instruction may belong to its block.
bool EndsBlock(alpha::Op op);
// Whether its handler passes on what it writes to its integer register.
bool LeavesResult(alpha::Op op);
// Whether a block that holds it can be `pure`.
bool IsPure(alpha::Op op);

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_OPERATION_H_
