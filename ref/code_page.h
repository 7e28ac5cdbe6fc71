// Decoded blocks of one page.

#ifndef ISOCHRON_REF_CODE_PAGE_H_
#define ISOCHRON_REF_CODE_PAGE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "alpha/memory.h"
#include "ref/operation.h"

namespace isochron::ref {

// The blocks that start in one page of RAM, decoded in one mode.
class CodePage {
 public:
  CodePage(uint64_t pa, DecodeMode mode) : pa_(pa), mode_(mode) {}

  uint64_t pa() const { return pa_; }
  // The block at this address of the page, or nullptr when it is not decoded yet.
  Block* Find(uint64_t address) const { return starts_[Slot(address)]; }
  // Makes no block of the page lead directly to `block`.
  void ForgetLinksTo(const Block* block);
  DecodeMode mode() const { return mode_; }
  // What a runner calls the page where it is fetched from this virtual page: the number behind
  // `names`, the last one given out, when it has no name there yet.
  // Keys are made of names, so that a page whose bytes change is dropped and never used again.
  uint64_t NameAt(uint64_t virtual_page, uint64_t& names);
  // Gives it other names from now on: what leads to blocks of the page must be found again.
  void ForgetNames() { names_.clear(); }

 private:
  friend class BlockCache;
  static constexpr int kSlots = alpha::kPageSize / 4;
  static size_t Slot(uint64_t address) { return (address & alpha::kPageMask) >> 2; }

  uint64_t pa_;
  DecodeMode mode_;
  uint64_t lines_ = 0;  // a bit for each kLine bytes that blocks were decoded from
  std::vector<std::pair<uint64_t, uint64_t>> names_;  // virtual pages and NameAt()
  std::array<Block*, kSlots> starts_{};
  std::vector<BlockPtr> blocks_;
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_CODE_PAGE_H_
