// Branches and jumps.

#include "alpha/float_format.h"
#include "alpha/integer.h"
#include "ref/context.h"
#include "ref/select.h"

namespace isochron::ref {
namespace {

using alpha::Cpu;

// Accounts for the whole block; the pc is the caller's.
inline void AccountAll(const Context& context, Cpu& cpu) {
  cpu.cycle += context.block->cost;
  cpu.instructions += context.block->count;
}

// A direct branch ends its block. The target is remembered in the block when it lies in the
// same page: then the translation that holds for the block holds for the target. A remembered
// target is run at once unless a deadline falls into it. Inlined, so that every kind of branch
// has a jump of its own for the host to predict.
[[gnu::always_inline]] inline void GoTo(Context& context, Cpu& cpu, uint64_t target, Block** link) {
  const uint64_t start = cpu.pc;
  AccountAll(context, cpu);
  cpu.pc = target;
  if (((start ^ target) & ~alpha::kPageMask) != 0) return;
  Block* next = *link;
  if (next == nullptr || context.chain == 0 ||
      next->CrossesBoundaryAt(context.deadline, cpu.cycle)) {
    context.link = link;
    return;
  }
  --context.chain;
  context.block = next;
  const Operation* first = next->operations.data();
  return first->handler(context, first, cpu);
}

uint64_t NextPc(const Context& context, const Cpu& cpu) {
  return cpu.pc + 4 * uint64_t{context.block->count};
}

uint64_t BranchTarget(const Context& context, const Operation* op, const Cpu& cpu) {
  return NextPc(context, cpu) + static_cast<int64_t>(op->immediate);
}

// Conditions on an integer or floating register.
template <auto Condition, bool kFloat>
void ConditionalBranch(Context& context, const Operation* op, Cpu& cpu) {
  if constexpr (kFloat) {
    if (!cpu.fp_enable) [[unlikely]]
      return RaiseFpDisabled(context, op, cpu);
  }
  const uint64_t value = kFloat ? cpu.f[op->ra] : cpu.r[op->ra];
  if (Condition(value)) {
    return GoTo(context, cpu, BranchTarget(context, op, cpu), &context.block->taken);
  }
  return GoTo(context, cpu, NextPc(context, cpu), &context.block->fall_through);
}

// BR and BSR: Ra := return address.
void Branch(Context& context, const Operation* op, Cpu& cpu) {
  cpu.r[op->ra] = NextPc(context, cpu);
  return GoTo(context, cpu, BranchTarget(context, op, cpu), &context.block->taken);
}

// JMP, JSR, RET, JSR_COROUTINE. In PALmode the target is in PALmode as well.
void Jump(Context& context, const Operation* op, Cpu& cpu) {
  const uint64_t target = (cpu.r[op->rb] & ~uint64_t{3}) | (cpu.pc & 1);
  cpu.r[op->ra] = NextPc(context, cpu);
  AccountAll(context, cpu);
  cpu.pc = target;
}

void EndOfBlock(Context& context, const Operation*, Cpu& cpu) {
  return GoTo(context, cpu, NextPc(context, cpu), &context.block->fall_through);
}

void LeaveBlock(Context& context, const Operation* op, Cpu& cpu) {
  return LeaveBefore(context, op, cpu);
}

}  // namespace

Handler EndOfBlockHandler() { return EndOfBlock; }
Handler LeaveBlockHandler() { return LeaveBlock; }

#define ISOCHRON_BRANCH(Name, Condition)               \
  Handler Select##Name(const alpha::Instruction&) {    \
    return ConditionalBranch<alpha::Condition, false>; \
  }
#define ISOCHRON_FLOAT_BRANCH(Name, Condition)        \
  Handler Select##Name(const alpha::Instruction&) {   \
    return ConditionalBranch<alpha::Condition, true>; \
  }

ISOCHRON_BRANCH(Blbc, IsLowBitClear)
ISOCHRON_BRANCH(Blbs, IsLowBitSet)
ISOCHRON_BRANCH(Beq, IsEqual)
ISOCHRON_BRANCH(Bne, IsNotEqual)
ISOCHRON_BRANCH(Blt, IsLess)
ISOCHRON_BRANCH(Ble, IsLessOrEqual)
ISOCHRON_BRANCH(Bgt, IsGreater)
ISOCHRON_BRANCH(Bge, IsGreaterOrEqual)
ISOCHRON_FLOAT_BRANCH(Fbeq, Fbeq)
ISOCHRON_FLOAT_BRANCH(Fbne, Fbne)
ISOCHRON_FLOAT_BRANCH(Fblt, Fblt)
ISOCHRON_FLOAT_BRANCH(Fble, Fble)
ISOCHRON_FLOAT_BRANCH(Fbgt, Fbgt)
ISOCHRON_FLOAT_BRANCH(Fbge, Fbge)

Handler SelectBr(const alpha::Instruction&) { return Branch; }
Handler SelectBsr(const alpha::Instruction&) { return Branch; }
Handler SelectJmp(const alpha::Instruction&) { return Jump; }
Handler SelectJsr(const alpha::Instruction&) { return Jump; }
Handler SelectRet(const alpha::Instruction&) { return Jump; }
Handler SelectJsrCoroutine(const alpha::Instruction&) { return Jump; }

}  // namespace isochron::ref
