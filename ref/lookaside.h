// Remembered translations.

#ifndef ISOCHRON_REF_LOOKASIDE_H_
#define ISOCHRON_REF_LOOKASIDE_H_

#include <array>
#include <cstdint>

#include "alpha/cpu.h"
#include "alpha/memory.h"

namespace isochron::ref {

// What the address space and mode contribute to a tag: it fits between the page number and
// the three lowest bits.
constexpr uint64_t DataContext(uint8_t asn, alpha::Mode mode) {
  return static_cast<uint64_t>(asn) << 5 | static_cast<uint64_t>(mode) << 3;
}

// A direct-mapped table from virtual pages to host memory, a subset of what the DTB and the
// superpages allow for RAM. Hits need no check but the tag, which covers page, address
// space, mode and alignment.
class DataLookaside {
 public:
  static constexpr uint32_t kMaxEntries = 4096;
  static constexpr uint32_t kDefaultEntries = 1024;

  DataLookaside() { Flush(); }

  // Makes it use only the first `entries`, a power of two from 2 to kMaxEntries.
  void Limit(uint32_t entries) {
    index_mask_ = entries - 1;
    Flush();
  }

  // Finds the host address of `va` for an access of `size` bytes. False: take the slow path.
  template <int kSize>
  bool FindRead(uint64_t va, uint64_t context, const uint8_t*& host) const {
    const Entry& entry = entries_[Index(va)];
    host = Host(entry, va);
    return entry.read_tag == Tag<kSize>(va, context);
  }
  template <int kSize>
  bool FindWrite(uint64_t va, uint64_t context, uint8_t*& host) const {
    const Entry& entry = entries_[Index(va)];
    host = Host(entry, va);
    return entry.write_tag == Tag<kSize>(va, context);
  }

  // Remembers that `va` is at `host` for reads, or for writes as well.
  void Add(uint64_t va, uint64_t context, uint8_t* host, bool writable);

  void Flush();
  void FlushWrites();
  // Forgets all writes to the page at `host`.
  void FlushWritesTo(const uint8_t* host);
  // Forgets the page of `va` in every address space and mode.
  void FlushPage(uint64_t va) { Invalidate(Index(va)); }

  // The table as translated code reads it: entry `va >> kPageShift & index_mask()`.
  struct alignas(32) Entry {
    uint64_t read_tag;
    uint64_t write_tag;
    uint64_t addend;  // host address minus virtual address
    uint64_t unused;
  };
  const Entry* entries() const { return entries_.data(); }
  uint32_t index_mask() const { return index_mask_; }

 private:
  size_t Index(uint64_t va) const { return va >> alpha::kPageShift & index_mask_; }
  template <int kSize>
  static uint64_t Tag(uint64_t va, uint64_t context) {
    return (va & (~alpha::kPageMask | (kSize - 1))) | context;
  }
  static uint8_t* Host(const Entry& entry, uint64_t va) {
    return reinterpret_cast<uint8_t*>(va + entry.addend);
  }
  // A page number that belongs to another entry, so that no address matches it here.
  static uint64_t NoTag(size_t index) {
    return static_cast<uint64_t>(index ^ 1) << alpha::kPageShift;
  }
  void Invalidate(size_t index);

  uint32_t index_mask_ = kDefaultEntries - 1;
  std::array<Entry, kMaxEntries> entries_{};
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_LOOKASIDE_H_
