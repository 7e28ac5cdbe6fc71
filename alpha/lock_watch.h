// What others than a CPU do to its lock.

#ifndef ISOCHRON_ALPHA_LOCK_WATCH_H_
#define ISOCHRON_ALPHA_LOCK_WATCH_H_

#include <cstdint>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/memory.h"

namespace isochron::alpha {

// Has a device's write to a locked block take the lock away, so that the STx_C fails, whatever
// bytes of the block it writes (Alpha Architecture Handbook, LDx_L and STx_C: a write by another
// processor or an I/O device).
class LockWatch final : public MemoryListener {
 public:
  // `memory` and the CPUs must outlive it.
  explicit LockWatch(Memory& memory) : memory_(memory) { memory_.AddListener(*this); }
  ~LockWatch() override { memory_.RemoveListener(*this); }
  LockWatch(const LockWatch&) = delete;
  LockWatch& operator=(const LockWatch&) = delete;

  void Add(Cpu& cpu) { cpus_.push_back(&cpu); }

 private:
  void OnDeviceWrite(uint64_t pa, uint64_t size) override {
    for (Cpu* cpu : cpus_) {
      const bool touched =
          pa < cpu->lock_address + Cpu::kLockBlock && cpu->lock_address < pa + size;
      if (touched) cpu->lock_flag = false;
    }
  }

  Memory& memory_;
  std::vector<Cpu*> cpus_;
};

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_LOCK_WATCH_H_
