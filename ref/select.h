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

// What `instance`, a template of handlers by the reuse, gives for `reuse`, if that is one of
// `kPossible`, or for none.
template <Reuse... kPossible, typename Instance>
Handler ForReuse(Reuse reuse, Instance instance) {
  Handler handler = instance.template operator()<Reuse::kNothing>();
  ((reuse == kPossible ? void(handler = instance.template operator()<kPossible>()) : void()), ...);
  return handler;
}

// An instruction without effect beyond its cost.
void Nothing(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t last);

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_SELECT_H_
