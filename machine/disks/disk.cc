#include "machine/disks/disk.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

namespace isochron::machine {
namespace {

constexpr uint64_t kBlockSize = BlockTree::kBlockSize;

// In the walk of all blocks.
constexpr size_t kMaxRuns = size_t{1} << 24;

uint64_t BlocksOf(uint64_t bytes) { return (bytes + kBlockSize - 1) / kBlockSize; }

}  // namespace

Disk::Disk(std::shared_ptr<const DiskContents> contents, bool read_only)
    : contents_(std::move(contents)),
      read_only_(read_only),
      written_(BlocksOf(contents_->size())) {}

void Disk::ReadContents(uint64_t offset, std::span<uint8_t> bytes) {
  const uint64_t inside = std::min<uint64_t>(bytes.size(), contents_->size() - offset);
  const absl::Status status = contents_->Read(offset, bytes.first(inside));
  const uint64_t known = status.ok() ? inside : 0;
  std::ranges::fill(bytes.subspan(known), uint8_t{0});
  if (!status.ok() && error_.ok()) error_ = status;
}

void Disk::Read(uint64_t sector, std::span<uint8_t> bytes) {
  assert(sector <= sectors() && bytes.size() <= (sectors() - sector) * kSectorSize);
  uint64_t offset = sector * kSectorSize;
  while (!bytes.empty()) {
    // What has been written comes block by block; what has not, in one piece as far as it goes.
    const uint64_t end = offset + bytes.size();
    uint64_t until = std::min(end, (offset / kBlockSize + 1) * kBlockSize);
    const uint8_t* const block = written_.Find(offset / kBlockSize);
    while (block == nullptr && until < end && written_.Find(until / kBlockSize) == nullptr) {
      until = std::min(end, until + kBlockSize);
    }
    const std::span<uint8_t> part = bytes.first(until - offset);
    if (block != nullptr) {
      std::memcpy(part.data(), block + offset % kBlockSize, part.size());
    } else {
      ReadContents(offset, part);
    }
    bytes = bytes.subspan(part.size());
    offset = until;
  }
}

void Disk::WritePart(uint64_t block, size_t offset, size_t size, const uint8_t* bytes) {
  std::array<uint8_t, kBlockSize> buffer;
  if (const uint8_t* const written = written_.Find(block)) {
    std::memcpy(buffer.data(), written, kBlockSize);
  } else {
    ReadContents(block * kBlockSize, buffer);
  }
  if (bytes != nullptr) {
    std::memcpy(buffer.data() + offset, bytes, size);
  } else {
    std::memset(buffer.data() + offset, 0, size);
  }
  written_.Write(block, buffer);
}

void Disk::Write(uint64_t sector, std::span<const uint8_t> bytes) {
  assert(!read_only_ && sector <= sectors() && bytes.size() <= (sectors() - sector) * kSectorSize);
  uint64_t offset = sector * kSectorSize;
  while (!bytes.empty()) {
    const uint64_t within = offset % kBlockSize;
    const size_t size = std::min<size_t>(bytes.size(), kBlockSize - within);
    if (size == kBlockSize) {
      written_.Write(offset / kBlockSize, bytes.first<kBlockSize>());
    } else {
      WritePart(offset / kBlockSize, within, size, bytes.data());
    }
    bytes = bytes.subspan(size);
    offset += size;
  }
}

void Disk::Zero(uint64_t sector, uint64_t count) {
  assert(!read_only_ && sector <= sectors() && count <= sectors() - sector);
  if (count == 0) return;
  const uint64_t first = sector * kSectorSize;
  const uint64_t end = first + count * kSectorSize;
  // Where the disk ends, its last block does.
  const uint64_t whole_end = end == contents_->size() ? BlocksOf(end) : end / kBlockSize;
  const uint64_t whole_first = BlocksOf(first);
  if (whole_first > whole_end) {  // within one block
    WritePart(first / kBlockSize, first % kBlockSize, end - first, nullptr);
    return;
  }
  if (first % kBlockSize != 0) {
    WritePart(first / kBlockSize, first % kBlockSize, whole_first * kBlockSize - first, nullptr);
  }
  written_.Zero(whole_first, whole_end - whole_first);
  if (end > whole_end * kBlockSize) {
    WritePart(whole_end, 0, end - whole_end * kBlockSize, nullptr);
  }
}

void Disk::SetWritten(BlockTree tree) {
  assert(tree.capacity() == written_.capacity());
  written_ = std::move(tree);
  error_ = absl::OkStatus();
}

template <typename Visitor, typename Self>
void Disk::Summary::Walk(Visitor& visitor, Self& self) {
  visitor.Section("disk");
  visitor.Field("blocks", self.blocks);
  visitor.Field("digest", self.digest);
}

void Disk::VisitState(alpha::StateVisitor& visitor) const {
  const Summary summary = Summarize();
  Summary::Walk(visitor, summary);
}

void Disk::RestoreState(alpha::StateReader& reader) { Summary::Walk(reader, restored_); }

void Disk::CheckRestored(alpha::StateReader& reader) const {
  if (restored_ != Summarize()) reader.Fail("a disk has not the blocks that its digest names");
}

template <typename Visitor, typename Self>
void Disk::Run::Walk(Visitor& visitor, Self& self) {
  visitor.Field("first", self.first);
  visitor.Field("count", self.count);
  visitor.Field("zeros", self.zeros);
}

void Disk::VisitBlocks(alpha::StateVisitor& visitor) const {
  std::vector<Run> runs;
  written_.Visit([&](const BlockTree::Run& run) {
    runs.push_back({run.first, run.count, run.bytes == nullptr});
  });
  visitor.Field("runs", runs, kMaxRuns);
  for (const Run& run : runs) {
    if (!run.zeros) visitor.Bytes("block", run.first, written_.Find(run.first), kBlockSize);
  }
}

void Disk::RestoreBlocks(alpha::StateReader& reader) {
  SetWritten(written_.Empty());
  std::vector<Run> runs;
  reader.Field("runs", runs, kMaxRuns);
  for (const Run& run : runs) {
    const uint64_t capacity = written_.capacity();
    if (run.first >= capacity || run.count > capacity - run.first) {
      reader.Fail("a block lies behind the end of the disk");
      return;
    }
    if (run.count == 0 || (!run.zeros && run.count != 1)) {
      reader.Fail("a run of blocks has no length that it can have");
      return;
    }
    if (run.zeros) {
      written_.Zero(run.first, run.count);
    } else {
      std::array<uint8_t, kBlockSize> bytes;
      reader.Bytes("block", run.first, bytes.data(), bytes.size());
      written_.Write(run.first, bytes);
    }
  }
}

}  // namespace isochron::machine
