#include "timeline/block_pool.h"

#include <sys/mman.h>

#include <new>

namespace isochron::timeline {
namespace {

// What is asked for at once. No huge page: where the host has none at hand it looks for one for
// longer than all of the small ones take.
constexpr size_t kRegion = size_t{1} << 20;
constexpr std::align_val_t kAlignment{4096};

}  // namespace

BlockPool::BlockPool(size_t block_bytes)
    : block_bytes_((block_bytes + alignof(std::max_align_t) - 1) / alignof(std::max_align_t) *
                   alignof(std::max_align_t)) {}

BlockPool::~BlockPool() { Release(); }

void BlockPool::Release() {
  for (void* const region : regions_) ::operator delete(region, kAlignment);
  regions_.clear();
  free_ = {};
}

void BlockPool::Grow() {
  void* const region = ::operator new(kRegion, kAlignment);
  regions_.push_back(region);
#ifdef MADV_POPULATE_WRITE
  madvise(region, kRegion, MADV_POPULATE_WRITE);  // without this it is only slower
#endif
  auto* const bytes = static_cast<unsigned char*>(region);
  for (size_t i = kRegion / block_bytes_; i-- > 0;) free_.push_back(bytes + i * block_bytes_);
}

void* BlockPool::Take() {
  if (free_.empty()) Grow();
  void* const block = free_.back();
  free_.pop_back();
  return block;
}

}  // namespace isochron::timeline
