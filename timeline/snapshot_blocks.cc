#include "timeline/snapshot_blocks.h"

#include <algorithm>
#include <utility>

#include "replaylog/varint.h"

namespace isochron::timeline {
namespace {

using machine::BlockTree;

constexpr size_t kRunsPerFrame = 256;
// As for pages: see kChangedPages. A few are no reason to write all.
constexpr uint64_t kChangedBlocks = 4;
constexpr uint64_t kFewBlocks = 1024;

}  // namespace

uint64_t DiskChanges::Key() const { return frames() << 1 | (whole ? 1 : 0); }

size_t DiskChanges::frames() const { return (runs.size() + kRunsPerFrame - 1) / kRunsPerFrame; }

std::string DiskChanges::Frame(size_t index) const {
  const size_t first = index * kRunsPerFrame;
  const size_t count = std::min(kRunsPerFrame, runs.size() - first);
  std::string content;
  replaylog::AppendVarint(count, content);
  for (const BlockTree::Run& run : std::span(runs).subspan(first, count)) {
    const bool zeros = run.bytes == nullptr;
    replaylog::AppendVarint(run.first << 1 | (zeros ? 1 : 0), content);
    if (zeros) {
      replaylog::AppendVarint(run.count, content);
    } else {
      content.append(reinterpret_cast<const char*>(run.bytes), BlockTree::kBlockSize);
    }
  }
  return content;
}

DiskChanges DiskFollower::Next(const BlockTree& now) {
  DiskChanges changes;
  const auto add = [&](const BlockTree::Run& run) { changes.runs.push_back(run); };
  const bool builds_on_before = now.VisitChanges(before_, add);
  changes_ += changes.runs.size();
  const uint64_t most = kChangedBlocks * std::max(now.nonzero_blocks(), kFewBlocks);
  if (first_ || !builds_on_before || changes_ > most) {
    changes.whole = true;
    changes.runs.clear();
    now.Visit(add);
    changes_ = 0;
    first_ = false;
  }
  before_ = now;
  return changes;
}

DiskFiller::DiskFiller(const BlockTree& like)
    : blocks_(like.Empty()),
      part_(like.Empty()),
      budget_((kChangedBlocks + 1) * std::max(like.capacity(), kFewBlocks)) {}

uint64_t DiskFiller::Begin(uint64_t key) {
  part_ = part_.Empty();
  whole_ = (key & 1) != 0;
  next_ = 0;
  return key >> 1;
}

std::string_view DiskFiller::Fill(std::string_view content) {
  uint64_t count = 0;
  if (!replaylog::ConsumeVarint(content, count)) return "the blocks are cut short";
  if (count > kRunsPerFrame) return "there are too many blocks in a frame";
  if (count > budget_) return "the snapshots together hold more blocks than a writer leaves";
  budget_ -= count;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t key = 0;
    if (!replaylog::ConsumeVarint(content, key)) return "the blocks are cut short";
    const uint64_t first = key >> 1;
    const uint64_t left = part_.capacity() - std::min(first, part_.capacity());
    if (left == 0) return "a block lies behind the end of its disk";
    if (first < next_) return "the blocks are not in order";
    next_ = first + 1;
    if ((key & 1) != 0) {
      uint64_t zeros = 0;
      if (!replaylog::ConsumeVarint(content, zeros)) return "the blocks are cut short";
      if (zeros == 0 || zeros > left) return "zeros lie behind the end of their disk";
      next_ = first + zeros;
      part_.Zero(first, zeros);
    } else {
      if (content.size() < BlockTree::kBlockSize) return "a block is cut short";
      const auto* const bytes = reinterpret_cast<const uint8_t*>(content.data());
      part_.Write(first, BlockTree::Bytes(bytes, BlockTree::kBlockSize));
      content.remove_prefix(BlockTree::kBlockSize);
    }
  }
  return content.empty() ? "" : "bytes are left over";
}

void DiskFiller::End() {
  if (full_) return;
  blocks_.PutUnder(part_);
  part_ = part_.Empty();
  full_ = whole_;
}

}  // namespace isochron::timeline
