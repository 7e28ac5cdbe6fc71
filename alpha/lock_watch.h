// What others than a CPU do to its lock.

#ifndef ISOCHRON_ALPHA_LOCK_WATCH_H_
#define ISOCHRON_ALPHA_LOCK_WATCH_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/memory.h"

namespace isochron::alpha {

// Has a write to a locked block by another CPU or a device take the lock away, so that the STx_C
// fails, whatever bytes of the block it writes (Alpha Architecture Handbook, LDx_L and STx_C: a
// write by another processor or an I/O device).
//
// The writes of CPUs are seen where more than one runs in turns: each is to be Parked() behind its
// turn and Resumed() before the next. A page in which no parked CPU has a lock is not slower for
// it.
class LockWatch final : public MemoryListener {
 public:
  // `memory` and the CPUs must outlive it.
  explicit LockWatch(Memory& memory) : memory_(memory) { memory_.AddListener(*this); }
  ~LockWatch() override { memory_.RemoveListener(*this); }
  LockWatch(const LockWatch&) = delete;
  LockWatch& operator=(const LockWatch&) = delete;

  // CPUs are added in the order of their numbers.
  void Add(Cpu& cpu) { watched_.push_back({&cpu, std::nullopt}); }

  // The CPU does not run: what is written to its locked block is written by others.
  void Park(const Cpu& cpu);
  // It is about to run. Nothing for one that is not parked.
  void Resume(const Cpu& cpu);

 private:
  struct Watched {
    Cpu* cpu;
    std::optional<uint64_t> page;  // with the block that it has locked, while it is parked
  };

  void OnDeviceWrite(uint64_t pa, uint64_t size) override;
  void OnLockedWritten(uint64_t pa, uint64_t size) override;
  void Unwatch(Watched& watched);

  Memory& memory_;
  std::vector<Watched> watched_;  // by Cpu::index
};

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_LOCK_WATCH_H_
