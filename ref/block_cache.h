// Decoded blocks by physical address.

#ifndef ISOCHRON_REF_BLOCK_CACHE_H_
#define ISOCHRON_REF_BLOCK_CACHE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alpha/engine.h"
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

// Keeps decoded blocks in step with memory. Pages are dropped whole: when bytes change that a
// block was decoded from, and all of them when there are too many.
class BlockCache {
 public:
  explicit BlockCache(alpha::Memory& memory) : memory_(memory) {}

  // The page at `pa`, which must be in RAM. Valid until it is dropped.
  CodePage* Page(uint64_t pa, DecodeMode mode);
  // The block at `address` of the page, decoded if necessary. Marks the page as code; sets
  // `newly_code` when it was not.
  Block* Get(CodePage* page, uint64_t address, bool& newly_code);
  // Has Get(), which has found it there, give a block of at most `limit` instructions from now on.
  void Shorten(CodePage* page, uint64_t address, int limit);

  // Bytes of a code page have changed. True when blocks were dropped: pointers to pages and
  // blocks must be forgotten, but what runs now stays allocated until Collect().
  bool OnCodeWritten(uint64_t pa, uint64_t size);
  void DropAll();
  // Whether DropAll() is due before another page is asked for.
  bool IsFull() const { return pages_.size() >= kMaxPages; }
  // Frees what was dropped. No block may be running.
  void Collect() { dropped_.clear(); }
  bool has_dropped() const { return !dropped_.empty(); }

  void AddTo(alpha::EngineStats& stats) const;

 private:
  static constexpr uint64_t kLine = alpha::kPageSize / 64;
  // Full of straight code that many pages decode to 57 MiB.
  static constexpr size_t kMaxPages = 1024;

  static uint64_t Key(uint64_t pa, DecodeMode mode) {
    return pa >> alpha::kPageShift << 2 | static_cast<uint64_t>(mode);
  }

  alpha::Memory& memory_;
  std::unordered_map<uint64_t, std::unique_ptr<CodePage>> pages_;
  std::vector<std::unique_ptr<CodePage>> dropped_;
  uint64_t blocks_decoded_ = 0;
  uint64_t blocks_dropped_ = 0;
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_BLOCK_CACHE_H_
