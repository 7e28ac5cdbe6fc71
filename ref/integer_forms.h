// Forms (see ref/superinstructions.h) of integer operates and of the moves of Ra+disp.

#ifndef ISOCHRON_REF_INTEGER_FORMS_H_
#define ISOCHRON_REF_INTEGER_FORMS_H_

#include <cstdint>

#include "alpha/cpu.h"
#include "alpha/integer.h"
#include "ref/context.h"

namespace isochron::ref {

// Rb, or the literal in its place.
template <bool kLiteral, Reuse kReuse>
uint64_t RegisterOrLiteral(const Operation* op, const alpha::Cpu& cpu, uint64_t last) {
  return kLiteral ? static_cast<uint64_t>(op->immediate) : OperandB<kReuse>(op, cpu, last);
}

// Rc := F(Rav, Rbv).
template <auto F, bool kLiteral, Reuse kReuse>
struct Operate {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t last) {
    const uint64_t result =
        F(OperandA<kReuse>(op, cpu, last), RegisterOrLiteral<kLiteral, kReuse>(op, cpu, last));
    cpu.r[op->rc] = result;
    return Then::Next(context, op, cpu, result);
  }
};

// The same for the /V forms: the result is written, then the overflow traps.
template <auto F, bool kLiteral, Reuse kReuse>
struct OperateOverflow {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t last) {
    const alpha::OverflowResult result =
        F(OperandA<kReuse>(op, cpu, last), RegisterOrLiteral<kLiteral, kReuse>(op, cpu, last));
    cpu.r[op->rc] = result.value;
    if (result.overflow) [[unlikely]] {
      constexpr uint64_t kSummary = alpha::exc_sum::kIntegerOverflow | alpha::exc_sum::kInteger;
      return RaiseArithmetic(context, op, cpu, kSummary);
    }
    return Then::Next(context, op, cpu, result.value);
  }
};

// Rc := Rbv if the condition holds for Rav.
template <auto Condition, bool kLiteral, Reuse kReuse>
struct ConditionalMove {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t last) {
    uint64_t result = cpu.r[op->rc];
    if (Condition(OperandA<kReuse>(op, cpu, last))) {
      result = RegisterOrLiteral<kLiteral, kReuse>(op, cpu, last);
    }
    cpu.r[op->rc] = result;
    return Then::Next(context, op, cpu, result);
  }
};

// LDA and LDAH: Ra := Rbv + displacement.
template <Reuse kReuse>
struct LoadAddress {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t last) {
    const uint64_t result = EffectiveAddress<kReuse>(op, cpu, last);
    cpu.r[op->ra] = result;
    return Then::Next(context, op, cpu, result);
  }
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_INTEGER_FORMS_H_
