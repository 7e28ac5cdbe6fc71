// What a handler works on, and the ways out of a block.

#ifndef ISOCHRON_REF_CONTEXT_H_
#define ISOCHRON_REF_CONTEXT_H_

#include <cstdint>
#include <string>

#include "alpha/cpu.h"
#include "alpha/engine.h"
#include "alpha/exceptions.h"
#include "alpha/memory.h"
#include "alpha/stop_ranges.h"
#include "alpha/translate.h"
#include "ref/fetch_lookaside.h"
#include "ref/lookaside.h"
#include "ref/operation.h"

namespace isochron::ref {

// The part of the interpreter that handlers see.
//
// While a block runs, Cpu::pc, cycle and instructions stand at its start; a handler that
// leaves the block, or needs them exact, accounts for the operations before it.
struct Context {
  Context(alpha::Memory& memory, alpha::IoBus& io) : memory(memory), io(io) {}

  alpha::Memory& memory;
  alpha::IoBus& io;
  uint64_t data_context = 0;  // DataContext() of the CPU's current mode and ASN
  // Who is told of references to memory; nullptr: nobody. The lookaside holds no page in which it
  // has a range.
  alpha::StopRanges* ranges = nullptr;

  Block* block = nullptr;  // the block that runs
  // Where the next block is found or remembered; nullptr: look it up by Cpu::pc.
  Block** link = nullptr;
  uint64_t deadline = 0;  // cycle; as it was when the interpreter's loop was last passed
  // A block follows its predecessor directly when its last instruction starts before this cycle,
  // no later than `deadline`. It bounds the depth of the stack where handlers are not compiled to
  // jumps.
  uint64_t follow_until = 0;
  // What FetchTag() has beside the page while blocks may follow jumps, which stay in their mode.
  uint64_t fetch_context = FetchLookaside::kNoContext;
  bool code_written = false;  // the running block may be gone: leave it
  // An interrupt may have become deliverable, or `ranges` have been hit.
  bool check_interrupts = false;
  bool fetch_changed = false;  // all instruction translations must be looked up again
  // A machine check is to be taken behind the instruction that has just completed.
  bool machine_check = false;
  uint64_t machine_check_pa = 0;

  // Last, since they are large: what handlers need all the time is near the beginning.
  DataLookaside lookaside;
  FetchLookaside fetches;
};

// Operands: of a handler for this Reuse, whose `last` is that.
template <Reuse kReuse>
uint64_t OperandA(const Operation* op, const alpha::Cpu& cpu, uint64_t last) {
  return kReuse == Reuse::kA ? last : cpu.r[op->ra];
}
template <Reuse kReuse>
uint64_t OperandB(const Operation* op, const alpha::Cpu& cpu, uint64_t last) {
  return kReuse == Reuse::kB ? last : cpu.r[op->rb];
}
// Rbv + displacement.
template <Reuse kReuse = Reuse::kNothing>
uint64_t EffectiveAddress(const Operation* op, const alpha::Cpu& cpu, uint64_t last = 0) {
  return OperandB<kReuse>(op, cpu, last) + static_cast<int64_t>(op->immediate);
}

// The number of `op` in the running block.
inline uint32_t IndexOf(const Context& context, const Operation* op) {
  return static_cast<uint32_t>(op - context.block->operations());
}

// Goes on with the next operation of the block; `result` is that of `op`, if it leaves one.
inline void Next(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t result = 0) {
  ++op;
  // Keeps the compiler from reading the handler by the old `op`, which takes two instructions more.
  asm("" : "+r"(op));
  return op->handler(context, op, cpu, result);
}

// Accounts for the first `count` operations of the block; Cpu::pc is then the address of the
// one after them.
inline void Account(Context& context, alpha::Cpu& cpu, uint32_t count) {
  cpu.cycle += context.block->cost_before()[count];
  cpu.instructions += count;
  cpu.pc += 4 * uint64_t{count};
}

// Leaves the block before `op`, which has faulted: an exception may be entered now.
inline void LeaveBefore(Context& context, const Operation* op, alpha::Cpu& cpu) {
  Account(context, cpu, IndexOf(context, op));
}

// Leaves the block after `op`, which has completed.
inline void LeaveAfter(Context& context, const Operation* op, alpha::Cpu& cpu) {
  Account(context, cpu, IndexOf(context, op) + 1);
}

// The exact machine cycle at the start of `op`.
inline uint64_t CycleAt(const Context& context, const Operation* op, const alpha::Cpu& cpu) {
  return cpu.cycle + context.block->cost_before()[IndexOf(context, op)];
}

// The undecoded word of `op`.
inline uint32_t WordOf(const Context& context, const Operation* op) {
  return context.memory.Load<uint32_t>(context.block->pa + 4 * uint64_t{IndexOf(context, op)});
}

// How a reference to memory went.
enum class AccessResult : uint8_t {
  kDone,   // go on
  kLeave,  // done, and the block must be left after the instruction
  kFault,  // the block has been left and PALcode entered
};

// Goes on, or leaves the block, as the access of `op`, which has `loaded` a value, says.
inline void Finish(Context& context, const Operation* op, alpha::Cpu& cpu, AccessResult result,
                   uint64_t loaded = 0) {
  if (result == AccessResult::kDone) return Next(context, op, cpu, loaded);
  if (result == AccessResult::kLeave) LeaveAfter(context, op, cpu);
}

// How an instruction refers to virtual memory.
struct Reference {
  alpha::DataAccess access;
  alpha::Mode mode;
  bool vpte = false;  // HW_LD of type virtual/VPTE
};

// Translates `va` for `op`. False when the block has been left and PALcode entered instead.
bool TranslateOrFault(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t va,
                      const Reference& reference, uint64_t& pa);

// References that the lookaside does not answer: they translate, fault, reach I/O space, and
// teach the lookaside. `size` is 1, 2, 4 or 8; values are zero-extended.
AccessResult ReadSlowly(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t va,
                        int size, uint64_t& value);
AccessResult WriteSlowly(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t va,
                         int size, uint64_t value);

// The parts of these that PALcode's own loads and stores use: at a physical address. Both leave it
// to the caller to tell Context::ranges.
AccessResult ReadPhysical(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t pa,
                          int size, uint64_t& value);
AccessResult WritePhysical(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t pa,
                           int size, uint64_t value);

// Tells Context::ranges, which there are, of a reference that `op` has made; kLeave when the run is
// to stop behind it, else `result`.
AccessResult TellOfReference(Context& context, const Operation* op, const alpha::Cpu& cpu,
                             const alpha::MemoryReference& reference, AccessResult result);

// Has the lookaside answer for the page of `va`, which is at `pa`, from now on, if it can.
void Remember(Context& context, uint64_t va, uint64_t pa, uint64_t data_context, bool writable);

// What a data reference of `op` at `va` would latch if it faulted.
alpha::DataFault DescribeFault(const Context& context, const Operation* op, uint64_t va,
                               bool write);

// Leaves the block before `op` with OPCDEC.
void RaiseOpcdec(Context& context, const Operation* op, alpha::Cpu& cpu);
// Leaves the block before `op` with FEN.
void RaiseFpDisabled(Context& context, const Operation* op, alpha::Cpu& cpu);
// Leaves the block after `op` with ARITH.
void RaiseArithmetic(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t summary);

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_CONTEXT_H_
