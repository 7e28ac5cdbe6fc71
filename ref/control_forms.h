// Forms (see ref/superinstructions.h) of branches and jumps, which are the last of theirs.

#ifndef ISOCHRON_REF_CONTROL_FORMS_H_
#define ISOCHRON_REF_CONTROL_FORMS_H_

#include <cstdint>

#include "alpha/cpu.h"
#include "alpha/integer.h"
#include "ref/code_page.h"
#include "ref/context.h"

namespace isochron::ref {

// Accounts for the whole block; the pc is the caller's.
inline void AccountAll(const Context& context, alpha::Cpu& cpu) {
  cpu.cycle += context.block->cost;
  cpu.instructions += context.block->count;
}

// Whether `next` may be run at once, and not by way of the loop.
inline bool MayFollow(const Context& context, const alpha::Cpu& cpu, const Block& next) {
  return !next.CrossesBoundaryAt(context.follow_until, cpu.cycle);
}

// Runs `next`, which starts at cpu.pc. Inlined, so that every kind of branch has a jump of its own
// for the host to predict.
[[gnu::always_inline]] inline void Follow(Context& context, alpha::Cpu& cpu, Block& next) {
  context.block = &next;
  const Operation* first = next.operations();
  return first->handler(context, first, cpu, 0);
}

// Goes on at cpu.pc, in whatever page, if the block there has been found before.
[[gnu::always_inline]] inline void FollowPc(Context& context, alpha::Cpu& cpu) {
  const uint64_t page = cpu.pc & ~alpha::kPageMask;
  const CodePage* const found = context.fetches.Find(page | context.fetch_context);
  if (found == nullptr) return;
  Block* const next = found->Find(cpu.pc);
  if (next == nullptr || !MayFollow(context, cpu, *next)) return;
  return Follow(context, cpu, *next);
}

// Goes on at cpu.pc where the block from `start` has not led before.
[[gnu::noinline]] inline void GoElsewhere(Context& context, alpha::Cpu& cpu, uint64_t start,
                                          Block** link) {
  if (((start ^ cpu.pc) & ~alpha::kPageMask) != 0) return FollowPc(context, cpu);
  context.link = link;
}

// A direct branch ends its block. The target is remembered in the block when it lies in the
// same page: then the translation that holds for the block holds for the target. A remembered
// target is run at once unless a deadline falls into it.
[[gnu::always_inline]] inline void GoTo(Context& context, alpha::Cpu& cpu, uint64_t target,
                                        Block** link) {
  const uint64_t start = cpu.pc;
  AccountAll(context, cpu);
  cpu.pc = target;
  Block* const next = *link;
  if (next == nullptr) [[unlikely]]
    return GoElsewhere(context, cpu, start, link);
  if (MayFollow(context, cpu, *next)) [[likely]]
    return Follow(context, cpu, *next);
  context.link = link;
}

inline uint64_t NextPc(const Context& context, const alpha::Cpu& cpu) {
  return cpu.pc + 4 * uint64_t{context.block->count};
}

inline uint64_t BranchTarget(const Context& context, const Operation* op, const alpha::Cpu& cpu) {
  return NextPc(context, cpu) + static_cast<int64_t>(op->immediate);
}

// Conditions on an integer or floating register.
template <auto Condition, bool kFloat, Reuse kReuse>
struct ConditionalBranch {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t last) {
    if constexpr (kFloat) {
      if (!cpu.fp_enable) [[unlikely]]
        return RaiseFpDisabled(context, op, cpu);
    }
    const uint64_t value = kFloat ? cpu.f[op->ra] : OperandA<kReuse>(op, cpu, last);
    if (Condition(value)) {
      return GoTo(context, cpu, BranchTarget(context, op, cpu), &context.block->taken);
    }
    return GoTo(context, cpu, NextPc(context, cpu), &context.block->fall_through);
  }
};

// BR and BSR: Ra := return address.
struct Branch {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t) {
    cpu.r[op->ra] = NextPc(context, cpu);
    return GoTo(context, cpu, BranchTarget(context, op, cpu), &context.block->taken);
  }
};

// JMP, JSR, RET, JSR_COROUTINE. In PALmode the target is in PALmode as well.
struct Jump {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t) {
    const uint64_t target = (cpu.r[op->rb] & ~uint64_t{3}) | (cpu.pc & 1);
    cpu.r[op->ra] = NextPc(context, cpu);
    AccountAll(context, cpu);
    cpu.pc = target;
    return FollowPc(context, cpu);
  }
};

struct EndOfBlock {
  template <typename Then>
  static void Run(Context& context, const Operation*, alpha::Cpu& cpu, uint64_t) {
    return GoTo(context, cpu, NextPc(context, cpu), &context.block->fall_through);
  }
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_CONTROL_FORMS_H_
