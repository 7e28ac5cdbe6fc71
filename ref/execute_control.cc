// Branches and jumps.

#include "alpha/float_format.h"
#include "alpha/integer.h"
#include "ref/control_forms.h"
#include "ref/select.h"
#include "ref/superinstructions.h"

namespace isochron::ref {
namespace {

using alpha::Cpu;

void LeaveBlock(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  return LeaveBefore(context, op, cpu);
}

}  // namespace

Handler EndOfBlockHandler() { return kHandler<EndOfBlock>; }
Handler LeaveBlockHandler() { return LeaveBlock; }

#define ISOCHRON_BRANCH(Name, Condition)                                   \
  Handler Select##Name(const alpha::Instruction&, Reuse reuse) {           \
    return ForReuse<Reuse::kA>(reuse, []<Reuse kReuse>() -> Handler {      \
      return kHandler<ConditionalBranch<alpha::Condition, false, kReuse>>; \
    });                                                                    \
  }
#define ISOCHRON_FLOAT_BRANCH(Name, Condition)                                   \
  Handler Select##Name(const alpha::Instruction&, Reuse) {                       \
    return kHandler<ConditionalBranch<alpha::Condition, true, Reuse::kNothing>>; \
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

Handler SelectBr(const alpha::Instruction&, Reuse) { return kHandler<Branch>; }
Handler SelectBsr(const alpha::Instruction&, Reuse) { return kHandler<Branch>; }
Handler SelectJmp(const alpha::Instruction&, Reuse) { return kHandler<Jump>; }
Handler SelectJsr(const alpha::Instruction&, Reuse) { return kHandler<Jump>; }
Handler SelectRet(const alpha::Instruction&, Reuse) { return kHandler<Jump>; }
Handler SelectJsrCoroutine(const alpha::Instruction&, Reuse) { return kHandler<Jump>; }

}  // namespace isochron::ref
