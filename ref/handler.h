// What executes an instruction of a block.

#ifndef ISOCHRON_REF_HANDLER_H_
#define ISOCHRON_REF_HANDLER_H_

#include <cstdint>

#include "alpha/cpu.h"

namespace isochron::ref {

struct Context;
struct Operation;

// Executes `op` and all operations after it in its block. A handler ends with Next(), which
// the compiler turns into a jump, or with one of the functions of ref/context.h that leave
// the block. Without that optimisation the stack is as deep as a block is long.
//
// `last` is what the instruction before it in the block has written to its integer register, if it
// leaves a result (LeavesResult()); otherwise it means nothing.
using Handler = void (*)(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t last);

// Which integer operand of an instruction is `last`, and need not be read from the register: the
// host would wait for it to go through its memory.
enum class Reuse : uint8_t { kNothing, kA, kB };

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_HANDLER_H_
