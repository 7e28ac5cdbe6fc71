#include "alpha/memory.h"

#include <algorithm>

namespace isochron::alpha {

void Memory::Write(uint64_t pa, const void* data, uint64_t size) {
  const auto* from = static_cast<const uint8_t*>(data);
  while (size != 0) {
    const uint64_t part = std::min(size, kPageSize - (pa & kPageMask));
    WillWrite(pa, part);
    std::memcpy(base_ + pa, from, part);
    Written(pa, part);
    pa += part;
    from += part;
    size -= part;
  }
}

void Memory::ClearDirty() {
  for (uint8_t& mark : marks_) mark &= ~kDirty;
  if (listener_ != nullptr) listener_->OnDirtyCleared();
}

}  // namespace isochron::alpha
