#include "ref/block_cache.h"

#include <algorithm>
#include <utility>

#include "ref/decode_block.h"

namespace isochron::ref {

CodePage* BlockCache::Page(uint64_t pa, DecodeMode mode) {
  std::unique_ptr<CodePage>& page = pages_[Key(pa, mode)];
  if (page == nullptr) page = std::make_unique<CodePage>(pa & ~alpha::kPageMask, mode);
  return page.get();
}

Block* BlockCache::Get(CodePage* page, uint64_t address, bool& newly_code) {
  if (Block* block = page->Find(address)) return block;
  const uint64_t pa = page->pa_ | (address & alpha::kPageMask & ~uint64_t{3});
  BlockPtr block = DecodeBlock(memory_.host(pa), pa, page->mode_, kMaxBlockLength);
  ++blocks_decoded_;
  newly_code = !memory_.IsCode(pa);
  memory_.MarkCode(pa);
  const uint64_t first = (pa & alpha::kPageMask) / kLine;
  const uint64_t last = ((pa & alpha::kPageMask) + 4 * uint64_t{block->count} - 1) / kLine;
  for (uint64_t line = first; line <= last; ++line) page->lines_ |= uint64_t{1} << line;
  page->starts_[CodePage::Slot(address)] = block.get();
  page->blocks_.push_back(std::move(block));
  return page->blocks_.back().get();
}

void BlockCache::Shorten(CodePage* page, uint64_t address, int limit) {
  Block*& start = page->starts_[CodePage::Slot(address)];
  page->ForgetLinksTo(start);
  const auto owner = std::find_if(page->blocks_.begin(), page->blocks_.end(),
                                  [start](const BlockPtr& block) { return block.get() == start; });
  *owner = DecodeBlock(memory_.host(start->pa), start->pa, page->mode_, limit);
  start = owner->get();
}

bool BlockCache::OnCodeWritten(uint64_t pa, uint64_t size) {
  uint64_t written = 0;
  for (uint64_t line = (pa & alpha::kPageMask) / kLine;
       line <= ((pa & alpha::kPageMask) + size - 1) / kLine; ++line) {
    written |= uint64_t{1} << line;
  }
  bool dropped = false;
  bool remains = false;
  for (int mode = 0; mode < kDecodeModes; ++mode) {
    const auto found = pages_.find(Key(pa, static_cast<DecodeMode>(mode)));
    if (found == pages_.end()) continue;
    if ((found->second->lines_ & written) == 0) {
      remains = true;
      continue;
    }
    blocks_dropped_ += found->second->blocks_.size();
    dropped_.push_back(std::move(found->second));
    pages_.erase(found);
    dropped = true;
  }
  if (!remains) memory_.UnmarkCode(pa);
  return dropped;
}

void BlockCache::DropAll() {
  for (auto& [key, page] : pages_) {
    blocks_dropped_ += page->blocks_.size();
    memory_.UnmarkCode(page->pa_);
    dropped_.push_back(std::move(page));
  }
  pages_.clear();
}

void BlockCache::AddTo(alpha::EngineStats& stats) const {
  stats.blocks_decoded += blocks_decoded_;
  stats.blocks_invalidated += blocks_dropped_;
}

}  // namespace isochron::ref
