// Decoded blocks by physical address.

#ifndef ISOCHRON_REF_BLOCK_CACHE_H_
#define ISOCHRON_REF_BLOCK_CACHE_H_

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "alpha/engine.h"
#include "alpha/memory.h"
#include "ref/code_page.h"
#include "ref/operation.h"

namespace isochron::ref {

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
