// Remembered translations of instruction fetches.

#ifndef ISOCHRON_REF_FETCH_LOOKASIDE_H_
#define ISOCHRON_REF_FETCH_LOOKASIDE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "alpha/memory.h"

namespace isochron::ref {

class CodePage;

// A direct-mapped table from virtual pages to pages of code, a subset of what the ITB, the
// superpages and PALmode allow. A tag is the address of a page and, below it, all else that a fetch
// depends on (FetchTag() in block_loop.cc).
class FetchLookaside {
 public:
  static constexpr size_t kEntries = 256;
  // No fetch has this tag.
  static constexpr uint64_t kNoTag = 7;
  // Nor one that has this below the page, and no entry has it either.
  static constexpr uint64_t kNoContext = 5;

  struct alignas(32) Entry {
    uint64_t tag = kNoTag;
    CodePage* page = nullptr;
    // What a BlockRunner calls that page in that place; 0: nothing. It lasts until ForgetKeys(), or
    // until the entry is for something else.
    uint64_t key = 0;
  };

  // Where the page of this address is remembered, if it is.
  static size_t Index(uint64_t va) { return va >> alpha::kPageShift & (kEntries - 1); }
  Entry& at(uint64_t va) { return entries_[Index(va)]; }
  const Entry& at(uint64_t va) const { return entries_[Index(va)]; }

  // The page with this tag; nullptr: not known.
  CodePage* Find(uint64_t tag) const {
    const Entry& entry = at(tag);
    return entry.tag == tag ? entry.page : nullptr;
  }
  void Add(uint64_t tag, CodePage* page) { at(tag) = {tag, page, 0}; }

  void Flush() { entries_.fill(Entry()); }
  // Forgets where everything is, but no key.
  void FlushPlaces() {
    for (Entry& entry : entries_) entry.tag = kNoTag;
  }
  void ForgetKeys() {
    for (Entry& entry : entries_) entry.key = 0;
  }
  // Forgets the page of `va` in every address space and mode, with its key.
  void FlushPage(uint64_t va) { at(va) = Entry(); }

 private:
  std::array<Entry, kEntries> entries_;
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_FETCH_LOOKASIDE_H_
