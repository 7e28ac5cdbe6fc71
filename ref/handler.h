// What executes an instruction of a block.

#ifndef ISOCHRON_REF_HANDLER_H_
#define ISOCHRON_REF_HANDLER_H_

#include "alpha/cpu.h"

namespace isochron::ref {

struct Context;
struct Operation;

// Executes `op` and all operations after it in its block. A handler ends with Next(), which
// the compiler turns into a jump, or with one of the functions of ref/context.h that leave
// the block. Without that optimisation the stack is as deep as a block is long.
using Handler = void (*)(Context& context, const Operation* op, alpha::Cpu& cpu);

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_HANDLER_H_
