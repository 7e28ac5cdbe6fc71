// One function for each row of the instruction table, defined in the file of its chapter
// (ref/execute_*.cc). A row that no file handles does not link.

#ifndef ISOCHRON_REF_SELECT_H_
#define ISOCHRON_REF_SELECT_H_

#include "alpha/decode.h"
#include "ref/handler.h"

namespace isochron::ref {

#define ISOCHRON_INSTRUCTION(Name, ...) \
  Handler Select##Name(const alpha::Instruction& instruction, Reuse reuse);
#include "alpha/instructions.inc"

Handler SelectReserved(const alpha::Instruction& instruction, Reuse reuse);

// An instruction without effect beyond its cost.
void Nothing(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t last);

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_SELECT_H_
