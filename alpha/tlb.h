// A translation buffer: fully associative, replaced round robin.

#ifndef ISOCHRON_ALPHA_TLB_H_
#define ISOCHRON_ALPHA_TLB_H_

#include <array>
#include <cstdint>
#include <vector>

#include "alpha/ipr.h"
#include "alpha/state_visitor.h"

namespace isochron::alpha {

// One translation.
struct TlbEntry {
  uint64_t tag = 0;          // virtual address of the (granularity-hint) page
  uint64_t base = 0;         // physical address of that page
  uint16_t permissions = 0;  // PTE bits <15:0>: enables, FOR, FOW
  uint8_t asn = 0;
  uint8_t granularity = 0;  // log8 of the number of 8 KiB pages, 0 to 3
  bool match_all = false;   // ASM
  bool valid = false;

  uint64_t offset_mask() const { return (uint64_t{0x2000} << (3 * granularity)) - 1; }
  bool CanRead(Mode mode) const {
    return (permissions >> (pte::kReadEnableShift + static_cast<int>(mode)) & 1) != 0;
  }
  bool CanWrite(Mode mode) const {
    return (permissions >> (pte::kWriteEnableShift + static_cast<int>(mode)) & 1) != 0;
  }

  void VisitState(StateVisitor& visitor) const;
  void RestoreState(StateReader& reader);

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);
};

// The 21264's ITB or DTB. A lookup changes nothing, so that what an engine remembers of
// earlier lookups is invisible; inserting overwrites an entry for the same page and address
// space, else the entry after the one written last. Where several entries match (an ASM entry
// beside an older one, or overlapping granularities; UNPREDICTABLE on the chip) the smallest
// granularity wins, then the lowest entry number.
class Tlb {
 public:
  // `size` entries; 128 on the chip.
  explicit Tlb(uint32_t size);

  uint32_t size() const { return static_cast<uint32_t>(entries_.size()); }
  const TlbEntry& entry(uint32_t index) const { return entries_[index]; }

  // The entry that translates `va` (canonical) in the address space `asn`, or nullptr.
  const TlbEntry* Find(uint64_t va, uint8_t asn) const;

  void Insert(const TlbEntry& entry);
  // What the last Insert overwrote; not `valid` when the slot was empty. For engines that
  // remember translations; no part of the state.
  const TlbEntry& replaced() const { return replaced_; }
  // Whether every entry since the last InvalidateAll() or restore was of one 8 KiB page. No
  // part of the state.
  bool only_small() const { return only_small_; }
  void InvalidateAll();
  // All entries without ASM.
  void InvalidateProcess();
  // All entries that translate `va` in `asn`.
  void InvalidateSingle(uint64_t va, uint8_t asn);

  void VisitState(StateVisitor& visitor) const;
  void RestoreState(StateReader& reader);

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  static constexpr uint16_t kNone = 0xffff;

  size_t Bucket(uint64_t va, int granularity) const;
  uint16_t FindIndex(uint64_t va, uint8_t asn) const;
  void Link(uint16_t index);
  void Unlink(uint16_t index);
  void Rebuild();

  std::vector<TlbEntry> entries_;
  uint32_t next_ = 0;
  TlbEntry replaced_;
  bool only_small_ = true;

  // Derived from the entries: hash chains, and how many entries each granularity has.
  std::vector<uint16_t> heads_;
  std::vector<uint16_t> chain_;
  std::array<uint32_t, 4> granularity_count_{};
};

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_TLB_H_
