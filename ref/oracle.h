// The plain oracle: what the interpreter is held against.

#ifndef ISOCHRON_REF_ORACLE_H_
#define ISOCHRON_REF_ORACLE_H_

#include <string>

#include "alpha/cpu.h"
#include "alpha/engine.h"
#include "alpha/memory.h"
#include "ref/context.h"
#include "ref/operation.h"

namespace isochron::ref {

// Fetches, translates and decodes every instruction anew, and remembers nothing from one to the
// next: no blocks, no lookaside, no loops that are skipped, no code marks. The functions that
// execute an instruction are the interpreter's own; what surrounds them is not. So a comparison of
// the two shows faults of the interpreter's caches, on which the translating engine stands, too.
//
// Some twenty times as slow as the interpreter; a guest that waits by spinning is executed turn
// by turn.
class Oracle final : public alpha::Engine {
 public:
  // Runs on `memory` and `io`, which must outlive it. It needs no news of memory.
  Oracle(alpha::Memory& memory, alpha::IoBus& io);

  alpha::RunResult Run(alpha::Cpu& cpu, alpha::Deadline& deadline) override;
  void Invalidate() override { fatal_.clear(); }
  alpha::EngineStats stats() const override { return {}; }

 private:
  // Executes the instruction at cpu.pc, or enters the exception that its fetch takes.
  void Step(alpha::Cpu& cpu);

  Context context_;
  BlockPtr instruction_;  // the one that Step() runs
  std::string fatal_;     // not empty: the CPU cannot go on
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_ORACLE_H_
