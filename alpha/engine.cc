#include "alpha/engine.h"

#include "alpha/cpu.h"
#include "alpha/stop_pcs.h"
#include "alpha/stop_ranges.h"

namespace isochron::alpha {

bool StopsAt(const Cpu& cpu, const Deadline& deadline, const Memory& memory) {
  if (cpu.cycle >= deadline.cycle || cpu.InterruptDeliverable()) return true;
  if (deadline.leave.load(std::memory_order_relaxed)) return true;
  if (deadline.pcs != nullptr && deadline.pcs->Stops(cpu, memory)) return true;
  return deadline.ranges != nullptr && deadline.ranges->hit().has_value();
}

}  // namespace isochron::alpha
