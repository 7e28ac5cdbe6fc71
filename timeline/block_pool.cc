#include "timeline/block_pool.h"

#include <sys/mman.h>

#include <new>

namespace isochron::timeline {
namespace {

// What is asked for at once: a huge page of the host, if it gives us one.
constexpr size_t kRegion = size_t{2} << 20;

}  // namespace

BlockPool::BlockPool(size_t block_bytes)
    : block_bytes_((block_bytes + alignof(std::max_align_t) - 1) / alignof(std::max_align_t) *
                   alignof(std::max_align_t)) {}

BlockPool::~BlockPool() {
  for (void* const region : regions_) ::operator delete (region, std::align_val_t{kRegion});
}

void BlockPool::Grow() {
  void* const region = ::operator new (kRegion, std::align_val_t{kRegion});
  regions_.push_back(region);
  // Without these it is only slower.
  madvise(region, kRegion, MADV_HUGEPAGE);
#ifdef MADV_POPULATE_WRITE
  madvise(region, kRegion, MADV_POPULATE_WRITE);
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
