// The golden interpreter.

#ifndef ISOCHRON_REF_INTERPRETER_H_
#define ISOCHRON_REF_INTERPRETER_H_

#include "alpha/cpu.h"
#include "alpha/engine.h"
#include "alpha/memory.h"
#include "ref/block_loop.h"

namespace isochron::ref {

// A BlockLoop that interprets every block.
class Interpreter final : public alpha::Engine {
 public:
  // Both must outlive it.
  Interpreter(alpha::Memory& memory, alpha::IoBus& io) : loop_(memory, io) {}

  alpha::RunResult Run(alpha::Cpu& cpu, alpha::Deadline& deadline) override {
    return loop_.Run(cpu, deadline);
  }
  void Invalidate() override { loop_.Invalidate(); }
  void ForgetCpus() override { loop_.ForgetCpus(); }
  alpha::EngineStats stats() const override;

 private:
  BlockLoop loop_;
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_INTERPRETER_H_
