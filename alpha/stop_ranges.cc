#include "alpha/stop_ranges.h"

#include <algorithm>

#include "alpha/memory.h"

namespace isochron::alpha {

bool StopRange::Overlaps(uint64_t first, uint64_t bytes) const {
  // Differences, since a sum may pass the end of the address space.
  return size != 0 && bytes != 0 && (first >= begin ? first - begin < size : begin - first < bytes);
}

bool StopRange::Covers(const MemoryReference& reference) const {
  if (!(reference.write ? writes : reads)) return false;
  if (space == Space::kPhysical) return Overlaps(reference.pa, reference.size);
  return reference.va.has_value() && Overlaps(*reference.va, reference.size);
}

bool StopRange::IsInPage(std::optional<uint64_t> va, uint64_t pa) const {
  if (space == Space::kPhysical) return Overlaps(pa & ~kPageMask, kPageSize);
  return va.has_value() && Overlaps(*va & ~kPageMask, kPageSize);
}

void StopRanges::Note(const MemoryReference& reference) {
  if (hit_.has_value()) return;
  const bool counts = std::any_of(ranges_.begin(), ranges_.end(),
                                  [&](const StopRange& range) { return range.Covers(reference); });
  if (counts) hit_ = reference;
}

bool StopRanges::AnyInPage(std::optional<uint64_t> va, uint64_t pa) const {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [&](const StopRange& range) { return range.IsInPage(va, pa); });
}

bool StopRanges::any_physical() const {
  return std::any_of(ranges_.begin(), ranges_.end(), [](const StopRange& range) {
    return range.space == StopRange::Space::kPhysical;
  });
}

}  // namespace isochron::alpha
