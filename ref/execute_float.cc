// Floating-point operates: all arithmetic is alpha/'s.

#include "alpha/float_format.h"
#include "alpha/fpcr.h"
#include "alpha/ieee_float.h"
#include "alpha/vax_float.h"
#include "ref/float_forms.h"
#include "ref/select.h"
#include "ref/superinstructions.h"

namespace isochron::ref {
namespace {

using alpha::Cpu;

template <auto Condition>
void FloatConditionalMove(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  if (!cpu.fp_enable) [[unlikely]]
    return RaiseFpDisabled(context, op, cpu);
  if (Condition(cpu.f[op->ra])) cpu.f[op->rc] = cpu.f[op->rb];
  return Next(context, op, cpu);
}

// ITOFx: Fc := F(Rav).
template <auto F>
void IntegerToFloat(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  if (!cpu.fp_enable) [[unlikely]]
    return RaiseFpDisabled(context, op, cpu);
  cpu.f[op->rc] = F(cpu.r[op->ra]);
  return Next(context, op, cpu);
}

// FTOIx: Rc := F(Fav).
template <auto F>
void FloatToInteger(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  if (!cpu.fp_enable) [[unlikely]]
    return RaiseFpDisabled(context, op, cpu);
  cpu.r[op->rc] = F(cpu.f[op->ra]);
  return Next(context, op, cpu);
}

void MoveToFpcr(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  if (!cpu.fp_enable) [[unlikely]]
    return RaiseFpDisabled(context, op, cpu);
  cpu.fpcr = alpha::fpcr::Written(cpu.f[op->ra]);
  return Next(context, op, cpu);
}

void MoveFromFpcr(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  if (!cpu.fp_enable) [[unlikely]]
    return RaiseFpDisabled(context, op, cpu);
  cpu.f[op->ra] = cpu.fpcr;
  return Next(context, op, cpu);
}

}  // namespace

#define ISOCHRON_FLOAT(Name)                               \
  Handler Select##Name(const alpha::Instruction&, Reuse) { \
    return kHandler<FloatOperate<alpha::Name>>;            \
  }
#define ISOCHRON_FCMOV(Name, Condition)                    \
  Handler Select##Name(const alpha::Instruction&, Reuse) { \
    return FloatConditionalMove<alpha::Condition>;         \
  }

ISOCHRON_FLOAT(Cvtlq)
ISOCHRON_FLOAT(Cvtql)
ISOCHRON_FLOAT(Cpys)
ISOCHRON_FLOAT(Cpysn)
ISOCHRON_FLOAT(Cpyse)
ISOCHRON_FCMOV(Fcmoveq, Fbeq)
ISOCHRON_FCMOV(Fcmovne, Fbne)
ISOCHRON_FCMOV(Fcmovlt, Fblt)
ISOCHRON_FCMOV(Fcmovge, Fbge)
ISOCHRON_FCMOV(Fcmovle, Fble)
ISOCHRON_FCMOV(Fcmovgt, Fbgt)
Handler SelectMtFpcr(const alpha::Instruction&, Reuse) { return MoveToFpcr; }
Handler SelectMfFpcr(const alpha::Instruction&, Reuse) { return MoveFromFpcr; }

Handler SelectItofs(const alpha::Instruction&, Reuse) { return IntegerToFloat<alpha::Itofs>; }
Handler SelectItoff(const alpha::Instruction&, Reuse) { return IntegerToFloat<alpha::Itoff>; }
Handler SelectItoft(const alpha::Instruction&, Reuse) { return IntegerToFloat<alpha::Itoft>; }
Handler SelectFtois(const alpha::Instruction&, Reuse) { return FloatToInteger<alpha::Ftois>; }
Handler SelectFtoit(const alpha::Instruction&, Reuse) { return FloatToInteger<alpha::Ftoit>; }

// VAX.
ISOCHRON_FLOAT(Addf)
ISOCHRON_FLOAT(Subf)
ISOCHRON_FLOAT(Mulf)
ISOCHRON_FLOAT(Divf)
ISOCHRON_FLOAT(Sqrtf)
ISOCHRON_FLOAT(Addg)
ISOCHRON_FLOAT(Subg)
ISOCHRON_FLOAT(Mulg)
ISOCHRON_FLOAT(Divg)
ISOCHRON_FLOAT(Sqrtg)
ISOCHRON_FLOAT(Cmpgeq)
ISOCHRON_FLOAT(Cmpglt)
ISOCHRON_FLOAT(Cmpgle)
ISOCHRON_FLOAT(Cvtdg)
ISOCHRON_FLOAT(Cvtgf)
ISOCHRON_FLOAT(Cvtgd)
ISOCHRON_FLOAT(Cvtgq)
ISOCHRON_FLOAT(Cvtqf)
ISOCHRON_FLOAT(Cvtqg)

// IEEE.
ISOCHRON_FLOAT(Adds)
ISOCHRON_FLOAT(Subs)
ISOCHRON_FLOAT(Muls)
ISOCHRON_FLOAT(Divs)
ISOCHRON_FLOAT(Sqrts)
ISOCHRON_FLOAT(Addt)
ISOCHRON_FLOAT(Subt)
ISOCHRON_FLOAT(Mult)
ISOCHRON_FLOAT(Divt)
ISOCHRON_FLOAT(Sqrtt)
ISOCHRON_FLOAT(Cmptun)
ISOCHRON_FLOAT(Cmpteq)
ISOCHRON_FLOAT(Cmptlt)
ISOCHRON_FLOAT(Cmptle)
ISOCHRON_FLOAT(Cvtts)
ISOCHRON_FLOAT(Cvtst)
ISOCHRON_FLOAT(Cvttq)
ISOCHRON_FLOAT(Cvtqs)
ISOCHRON_FLOAT(Cvtqt)

}  // namespace isochron::ref
