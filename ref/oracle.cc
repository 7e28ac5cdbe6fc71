#include "ref/oracle.h"

#include <memory>

#include "alpha/performance.h"
#include "ref/decode_block.h"
#include "ref/engine.h"
#include "ref/fetch.h"

namespace isochron::ref {

Oracle::Oracle(alpha::Memory& memory, alpha::IoBus& io) : context_(memory, io) {
  context_.lookaside.Limit(2);  // the fewest that it can have; see Step()
}

alpha::RunResult Oracle::Run(alpha::Cpu& cpu, alpha::Deadline& deadline) {
  context_.ranges = deadline.ranges;
  for (;;) {
    alpha::LatchOverflows(cpu);
    if (!fatal_.empty() || StopsAt(cpu, deadline, context_.memory)) break;
    Step(cpu);
  }
  if (!fatal_.empty()) return {alpha::StopReason::kFatal, fatal_};
  return {};
}

void Oracle::Step(alpha::Cpu& cpu) {
  uint64_t pa = 0;
  if (!TranslatePc(cpu, pa)) return;
  if (!context_.memory.Contains(pa)) {
    fatal_ = TakeMachineCheck(cpu, kFetchOutsideMemory, pa);
    return;
  }
  // What the instruction before has put there is forgotten: no reference is answered from it.
  context_.lookaside.Flush();
  context_.data_context = DataContext(cpu.dtb_asn, cpu.mode);
  DecodeOne(context_.memory.host(pa), pa, ModeOf(cpu), instruction_);
  context_.block = instruction_.get();
  const Operation* op = instruction_->operations();
  op->handler(context_, op, cpu, 0);
  if (context_.machine_check) {
    context_.machine_check = false;
    fatal_ = TakeMachineCheck(cpu, kAccessOutsideMemory, context_.machine_check_pa);
  }
}

std::unique_ptr<alpha::Engine> CreateOracle(alpha::Memory& memory, alpha::IoBus& io) {
  return std::make_unique<Oracle>(memory, io);
}

}  // namespace isochron::ref
