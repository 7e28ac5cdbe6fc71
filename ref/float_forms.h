// Forms (see ref/superinstructions.h) of floating-point operates: all arithmetic is alpha/'s.

#ifndef ISOCHRON_REF_FLOAT_FORMS_H_
#define ISOCHRON_REF_FLOAT_FORMS_H_

#include <cstdint>

#include "alpha/cpu.h"
#include "alpha/fpcr.h"
#include "alpha/ieee_float.h"
#include "ref/context.h"

namespace isochron::ref {

// Operation::detail of a floating-point operate.
inline alpha::FpQualifiers Qualifiers(const Operation* op) {
  return {.rounding = static_cast<alpha::Rounding>(op->detail & 3),
          .underflow = (op->detail & 4) != 0,
          .software = (op->detail & 8) != 0,
          .inexact = (op->detail & 16) != 0};
}

// Fc := F(Fav, Fbv), the FPCR status bits and, after that, the trap.
template <auto F>
struct FloatOperate {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t) {
    if (!cpu.fp_enable) [[unlikely]]
      return RaiseFpDisabled(context, op, cpu);
    const alpha::FpResult result = F(cpu.f[op->ra], cpu.f[op->rb], Qualifiers(op), cpu.fpcr);
    cpu.fpcr |= result.fpcr_set;
    if (result.write) cpu.f[op->rc] = result.value;
    if (result.trap != 0) [[unlikely]]
      return RaiseArithmetic(context, op, cpu, result.trap);
    return Then::Next(context, op, cpu);
  }
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_FLOAT_FORMS_H_
