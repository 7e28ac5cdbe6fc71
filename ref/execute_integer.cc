// Integer arithmetic, logical, shift, byte manipulation, multimedia and the moves of Ra+disp.

#include "alpha/integer.h"

#include "alpha/multimedia.h"
#include "ref/integer_forms.h"
#include "ref/select.h"
#include "ref/superinstructions.h"

namespace isochron::ref {
namespace {

// What `instance`, a template of handlers by the form of Rb and the reuse, gives for both.
template <typename Instance>
Handler ForForm(const alpha::Instruction& instruction, Reuse reuse, Instance instance) {
  if (instruction.literal) {
    return ForReuse<Reuse::kA>(reuse, [instance]<Reuse kReuse>() -> Handler {
      return instance.template operator()<true, kReuse>();
    });
  }
  return ForReuse<Reuse::kA, Reuse::kB>(reuse, [instance]<Reuse kReuse>() -> Handler {
    return instance.template operator()<false, kReuse>();
  });
}

}  // namespace

#define ISOCHRON_OPERATE(Name)                                                        \
  Handler Select##Name(const alpha::Instruction& instruction, Reuse reuse) {          \
    return ForForm(instruction, reuse, []<bool kLiteral, Reuse kReuse>() -> Handler { \
      return kHandler<Operate<alpha::Name, kLiteral, kReuse>>;                        \
    });                                                                               \
  }
#define ISOCHRON_OPERATE_OVERFLOW(Name)                                               \
  Handler Select##Name(const alpha::Instruction& instruction, Reuse reuse) {          \
    return ForForm(instruction, reuse, []<bool kLiteral, Reuse kReuse>() -> Handler { \
      return kHandler<OperateOverflow<alpha::Name, kLiteral, kReuse>>;                \
    });                                                                               \
  }
#define ISOCHRON_CMOV(Name, Condition)                                                \
  Handler Select##Name(const alpha::Instruction& instruction, Reuse reuse) {          \
    return ForForm(instruction, reuse, []<bool kLiteral, Reuse kReuse>() -> Handler { \
      return kHandler<ConditionalMove<alpha::Condition, kLiteral, kReuse>>;           \
    });                                                                               \
  }

Handler SelectLda(const alpha::Instruction&, Reuse reuse) {
  return ForReuse<Reuse::kB>(
      reuse, []<Reuse kReuse>() -> Handler { return kHandler<LoadAddress<kReuse>>; });
}
Handler SelectLdah(const alpha::Instruction& instruction, Reuse reuse) {
  return SelectLda(instruction, reuse);
}

// Arithmetic.
ISOCHRON_OPERATE(Addl)
ISOCHRON_OPERATE(S4addl)
ISOCHRON_OPERATE(S8addl)
ISOCHRON_OPERATE(Addq)
ISOCHRON_OPERATE(S4addq)
ISOCHRON_OPERATE(S8addq)
ISOCHRON_OPERATE(Subl)
ISOCHRON_OPERATE(S4subl)
ISOCHRON_OPERATE(S8subl)
ISOCHRON_OPERATE(Subq)
ISOCHRON_OPERATE(S4subq)
ISOCHRON_OPERATE(S8subq)
ISOCHRON_OPERATE(Mull)
ISOCHRON_OPERATE(Mulq)
ISOCHRON_OPERATE(Umulh)
ISOCHRON_OPERATE_OVERFLOW(AddlV)
ISOCHRON_OPERATE_OVERFLOW(AddqV)
ISOCHRON_OPERATE_OVERFLOW(SublV)
ISOCHRON_OPERATE_OVERFLOW(SubqV)
ISOCHRON_OPERATE_OVERFLOW(MullV)
ISOCHRON_OPERATE_OVERFLOW(MulqV)
ISOCHRON_OPERATE(Cmpeq)
ISOCHRON_OPERATE(Cmplt)
ISOCHRON_OPERATE(Cmple)
ISOCHRON_OPERATE(Cmpult)
ISOCHRON_OPERATE(Cmpule)
ISOCHRON_OPERATE(Ctlz)
ISOCHRON_OPERATE(Ctpop)
ISOCHRON_OPERATE(Cttz)

// Logical and shift.
ISOCHRON_OPERATE(And)
ISOCHRON_OPERATE(Bic)
ISOCHRON_OPERATE(Bis)
ISOCHRON_OPERATE(Ornot)
ISOCHRON_OPERATE(Xor)
ISOCHRON_OPERATE(Eqv)
ISOCHRON_OPERATE(Sll)
ISOCHRON_OPERATE(Srl)
ISOCHRON_OPERATE(Sra)
ISOCHRON_OPERATE(Amask)
ISOCHRON_OPERATE(Implver)
ISOCHRON_CMOV(Cmovlbs, IsLowBitSet)
ISOCHRON_CMOV(Cmovlbc, IsLowBitClear)
ISOCHRON_CMOV(Cmoveq, IsEqual)
ISOCHRON_CMOV(Cmovne, IsNotEqual)
ISOCHRON_CMOV(Cmovlt, IsLess)
ISOCHRON_CMOV(Cmovge, IsGreaterOrEqual)
ISOCHRON_CMOV(Cmovle, IsLessOrEqual)
ISOCHRON_CMOV(Cmovgt, IsGreater)

// Byte manipulation.
ISOCHRON_OPERATE(Cmpbge)
ISOCHRON_OPERATE(Extbl)
ISOCHRON_OPERATE(Extwl)
ISOCHRON_OPERATE(Extll)
ISOCHRON_OPERATE(Extql)
ISOCHRON_OPERATE(Extwh)
ISOCHRON_OPERATE(Extlh)
ISOCHRON_OPERATE(Extqh)
ISOCHRON_OPERATE(Insbl)
ISOCHRON_OPERATE(Inswl)
ISOCHRON_OPERATE(Insll)
ISOCHRON_OPERATE(Insql)
ISOCHRON_OPERATE(Inswh)
ISOCHRON_OPERATE(Inslh)
ISOCHRON_OPERATE(Insqh)
ISOCHRON_OPERATE(Mskbl)
ISOCHRON_OPERATE(Mskwl)
ISOCHRON_OPERATE(Mskll)
ISOCHRON_OPERATE(Mskql)
ISOCHRON_OPERATE(Mskwh)
ISOCHRON_OPERATE(Msklh)
ISOCHRON_OPERATE(Mskqh)
ISOCHRON_OPERATE(Zap)
ISOCHRON_OPERATE(Zapnot)
ISOCHRON_OPERATE(Sextb)
ISOCHRON_OPERATE(Sextw)

// Multimedia.
ISOCHRON_OPERATE(Perr)
ISOCHRON_OPERATE(Unpkbw)
ISOCHRON_OPERATE(Unpkbl)
ISOCHRON_OPERATE(Pkwb)
ISOCHRON_OPERATE(Pklb)
ISOCHRON_OPERATE(Minsb8)
ISOCHRON_OPERATE(Minsw4)
ISOCHRON_OPERATE(Minub8)
ISOCHRON_OPERATE(Minuw4)
ISOCHRON_OPERATE(Maxub8)
ISOCHRON_OPERATE(Maxuw4)
ISOCHRON_OPERATE(Maxsb8)
ISOCHRON_OPERATE(Maxsw4)

}  // namespace isochron::ref
