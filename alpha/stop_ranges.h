// Ranges of memory at which a run is to stop.

#ifndef ISOCHRON_ALPHA_STOP_RANGES_H_
#define ISOCHRON_ALPHA_STOP_RANGES_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace isochron::alpha {

// A reference to memory or I/O space that has been made, all of it in one page.
struct MemoryReference {
  // Of references that were translated: not PALcode's physical ones, nor a device's.
  std::optional<uint64_t> va;
  uint64_t pa = 0;
  uint64_t size = 0;  // bytes
  bool write = false;
  // Of the instruction, as in Cpu::pc; nothing when none has written.
  std::optional<uint64_t> pc;
  // Then it was no device, but somebody for whom the machine stands still: a debugger.
  bool from_outside = false;
  // Who has made it, if an instruction has; engines, which run one CPU at a time, do not tell.
  uint32_t cpu = 0;
};

// A range of addresses, and which references to it count: those to any byte of it.
struct StopRange {
  enum class Space : uint8_t { kVirtual, kPhysical };

  // Whether the reference counts.
  bool Covers(const MemoryReference& reference) const;
  // Whether any of it is in the page at `va`, which is at `pa`.
  bool IsInPage(std::optional<uint64_t> va, uint64_t pa) const;

  // A virtual range is the same in all address spaces, and has none of the other addresses that
  // its memory may have. A physical one is as an engine's IoBus sees it.
  Space space = Space::kVirtual;
  uint64_t begin = 0;
  uint64_t size = 0;  // bytes; up to the end of the address space at most. 0: nothing is in it
  bool reads = false;
  bool writes = false;

  friend bool operator==(const StopRange&, const StopRange&) = default;

 private:
  bool Overlaps(uint64_t first, uint64_t bytes) const;
};

// Boundaries at which an engine stops although no deadline falls there: those behind an instruction
// that has made a reference that counts. One that faults has made none, nor has a load to R31, nor
// an STx_C without the lock. What is fetched as instructions is not looked at.
class StopRanges {
 public:
  StopRanges() = default;
  explicit StopRanges(std::vector<StopRange> ranges) : ranges_(std::move(ranges)) {}

  // Tells of a reference. The first that counts is kept, and the run is to stop.
  void Note(const MemoryReference& reference);
  // That reference.
  const std::optional<MemoryReference>& hit() const { return hit_; }

  // Whether references to the page at `va` or `pa` must be told of.
  bool AnyInPage(std::optional<uint64_t> va, uint64_t pa) const;
  // Whether references must be told of that have no virtual address.
  bool any_physical() const;

  bool empty() const { return ranges_.empty(); }
  const std::vector<StopRange>& ranges() const { return ranges_; }

 private:
  std::vector<StopRange> ranges_;
  std::optional<MemoryReference> hit_;
};

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_STOP_RANGES_H_
