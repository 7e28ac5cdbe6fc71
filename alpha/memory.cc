#include "alpha/memory.h"

#include <algorithm>
#include <cstring>

namespace isochron::alpha {
namespace {

constexpr uint8_t kZeros[kPageSize] = {};

}  // namespace

void Memory::Write(uint64_t pa, const void* data, uint64_t size) {
  const auto* from = static_cast<const uint8_t*>(data);
  while (size != 0) {
    const uint64_t part = std::min(size, kPageSize - (pa & kPageMask));
    WillWrite(pa, part);
    std::memcpy(base_ + pa, from, part);
    Written(pa, part);
    for (MemoryListener* listener : listeners_) listener->OnDeviceWrite(pa, part);
    pa += part;
    from += part;
    size -= part;
  }
}

void Memory::WriteChanges(uint64_t pa, const void* data, uint64_t size) {
  const auto* from = static_cast<const uint8_t*>(data);
  while (size != 0) {
    const uint64_t part = std::min(size, kPageSize - (pa & kPageMask));
    const uint8_t* held = MayHoldData(pa) ? base_ + pa : kZeros;
    if (std::memcmp(held, from, part) != 0) Write(pa, from, part);
    pa += part;
    from += part;
    size -= part;
  }
}

void Memory::Clear(uint64_t pa, uint64_t size) {
  while (size != 0) {
    const uint64_t part = std::min(size, kPageSize - (pa & kPageMask));
    if (MayHoldData(pa)) WriteChanges(pa, kZeros, part);
    pa += part;
    size -= part;
  }
}

void Memory::WillClear() {
  for (uint64_t page = 0; page < marks_.size(); ++page) {
    if (written_[page] != 0) marks_[page] |= kDirty;
  }
}

void Memory::ClearDirty() {
  for (uint64_t page = 0; page < marks_.size(); ++page) {
    written_[page] = static_cast<uint8_t>(written_[page] | (marks_[page] & kDirty));
    marks_[page] = static_cast<uint8_t>(marks_[page] & ~kDirty);
  }
  for (MemoryListener* listener : listeners_) listener->OnDirtyCleared();
}

void Memory::MarkLocked(uint64_t pa) {
  uint8_t& marks = marks_[pa >> kPageShift];
  if ((marks & kLocked) != 0) return;
  marks |= kLocked;
  for (MemoryListener* listener : listeners_) listener->OnLocked(pa);
}

void Memory::TellWritten(uint64_t pa, uint64_t size) {
  const uint8_t marks = marks_[pa >> kPageShift];
  for (MemoryListener* listener : listeners_) {
    if ((marks & kCode) != 0) listener->OnCodeWritten(pa, size);
    if ((marks & kLocked) != 0) listener->OnLockedWritten(pa, size);
  }
}

}  // namespace isochron::alpha
