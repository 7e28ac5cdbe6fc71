#include "alpha/lock_watch.h"

#include <algorithm>
#include <utility>

namespace isochron::alpha {
namespace {

bool Touches(const Cpu& cpu, uint64_t pa, uint64_t size) {
  return pa < cpu.lock_address + Cpu::kLockBlock && cpu.lock_address < pa + size;
}

}  // namespace

void LockWatch::Park(const Cpu& cpu) {
  Watched& watched = watched_[cpu.index];
  if (!cpu.lock_flag || !memory_.Contains(cpu.lock_address)) return;
  watched.page = cpu.lock_address & ~kPageMask;
  memory_.MarkLocked(*watched.page);
}

void LockWatch::Resume(const Cpu& cpu) { Unwatch(watched_[cpu.index]); }

void LockWatch::Unwatch(Watched& watched) {
  if (!watched.page.has_value()) return;
  const std::optional<uint64_t> page = std::exchange(watched.page, std::nullopt);
  const bool others = std::any_of(watched_.begin(), watched_.end(),
                                  [&](const Watched& other) { return other.page == page; });
  if (!others) memory_.UnmarkLocked(*page);
}

void LockWatch::OnDeviceWrite(uint64_t pa, uint64_t size) {
  for (const Watched& watched : watched_) {
    if (Touches(*watched.cpu, pa, size)) watched.cpu->lock_flag = false;
  }
}

void LockWatch::OnLockedWritten(uint64_t pa, uint64_t size) {
  for (Watched& watched : watched_) {
    if (!watched.page.has_value() || !Touches(*watched.cpu, pa, size)) continue;
    watched.cpu->lock_flag = false;
    Unwatch(watched);
  }
}

}  // namespace isochron::alpha
