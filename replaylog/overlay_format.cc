#include "replaylog/overlay_format.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace isochron::replaylog {
namespace {

constexpr std::string_view kGenerationMagic = "ISOCGENR";
constexpr uint32_t kVersion = 1;
constexpr size_t kHashAt = kOverlayBlock - 8;
// All of it in one sector, which is on a disk or is not.
constexpr size_t kGenerationHashAt = 56;
constexpr size_t kNameAt = 48;

template <typename T>
void Put(std::string& block, size_t at, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) block[at + i] = static_cast<char>(value >> (8 * i));
}

template <typename T>
T Get(std::string_view block, size_t at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value |= static_cast<T>(static_cast<uint8_t>(block[at + i])) << (8 * i);
  return value;
}

std::string BlockOf(std::string_view magic) {
  std::string block(kOverlayBlock, '\0');
  std::copy(magic.begin(), magic.end(), block.begin());
  return block;
}

// Puts the hash of what is before it into a block.
std::string Closed(std::string block, size_t hash_at) {
  Put(block, hash_at, OverlayHash(std::string_view(block).substr(0, hash_at)));
  return block;
}

bool IsClosed(std::string_view block, std::string_view magic, size_t hash_at) {
  return block.size() == kOverlayBlock && block.starts_with(magic) &&
         Get<uint64_t>(block, hash_at) == OverlayHash(block.substr(0, hash_at));
}

}  // namespace

uint64_t OverlayHash(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::string FormatOverlayHeader(const OverlayBase& base) {
  std::string block = BlockOf(kOverlayMagic);
  Put(block, 8, kVersion);
  Put(block, 12, static_cast<uint32_t>(base.name.size()));
  Put(block, 16, base.size);
  Put(block, 24, base.digest.low);
  Put(block, 32, base.digest.high);
  block.replace(kNameAt, base.name.size(), base.name);
  return Closed(std::move(block), kHashAt);
}

absl::StatusOr<OverlayBase> ParseOverlayHeader(std::string_view block) {
  if (!block.starts_with(kOverlayMagic)) {
    return absl::InvalidArgumentError("is no overlay of a disk");
  }
  if (!IsClosed(block, kOverlayMagic, kHashAt)) {
    return absl::InvalidArgumentError("is a damaged overlay: its first block is not what it was");
  }
  if (const auto version = Get<uint32_t>(block, 8); version != kVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("is an overlay of format ", version, "; this program knows ", kVersion));
  }
  const size_t length = Get<uint32_t>(block, 12);
  OverlayBase base = {Get<uint64_t>(block, 16),
                      {Get<uint64_t>(block, 24), Get<uint64_t>(block, 32)},
                      std::string(block.substr(kNameAt, length))};
  if (length > OverlayBase::kMaxName || base.name.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("is a damaged overlay: its image has no name");
  }
  return base;
}

uint64_t GenerationHeader::index_bytes() const {
  const uint64_t bytes = runs * OverlayIndex::kEntryBytes;
  return (bytes + kOverlayBlock - 1) / kOverlayBlock * kOverlayBlock;
}

std::string FormatGenerationHeader(const GenerationHeader& header) {
  std::string block = BlockOf(kGenerationMagic);
  Put(block, 8, header.number);
  Put(block, 16, header.runs);
  Put(block, 24, header.blocks);
  Put(block, 32, header.disk.low);
  Put(block, 40, header.disk.high);
  Put(block, 48, header.index_hash);
  return Closed(std::move(block), kGenerationHashAt);
}

absl::StatusOr<GenerationHeader> ParseGenerationHeader(std::string_view block) {
  if (!IsClosed(block, kGenerationMagic, kGenerationHashAt)) {
    return absl::InvalidArgumentError("its first block is not what it was");
  }
  return GenerationHeader{Get<uint64_t>(block, 8),
                          Get<uint64_t>(block, 16),
                          Get<uint64_t>(block, 24),
                          {Get<uint64_t>(block, 32), Get<uint64_t>(block, 40)},
                          Get<uint64_t>(block, 48)};
}

void OverlayIndex::Add(const Entry& entry) {
  entries.push_back(entry);
  blocks += entry.zeros == 0 ? 1 : 0;
}

std::string OverlayIndex::Format() const {
  std::string bytes(entries.size() * kEntryBytes, '\0');
  for (size_t i = 0; i < entries.size(); ++i) {
    Put(bytes, i * kEntryBytes, entries[i].first);
    Put(bytes, i * kEntryBytes + 8, entries[i].zeros);
    Put(bytes, i * kEntryBytes + 16, entries[i].hash);
  }
  return bytes;
}

absl::StatusOr<OverlayIndex> OverlayIndex::Parse(std::string_view bytes,
                                                 const GenerationHeader& header,
                                                 uint64_t capacity) {
  if (OverlayHash(bytes) != header.index_hash) {
    return absl::InvalidArgumentError("its index is not what it was");
  }
  OverlayIndex index;
  uint64_t free = 0;
  for (size_t at = 0; at < bytes.size(); at += kEntryBytes) {
    const Entry entry = {Get<uint64_t>(bytes, at), Get<uint64_t>(bytes, at + 8),
                         Get<uint64_t>(bytes, at + 16)};
    const uint64_t count = std::max<uint64_t>(entry.zeros, 1);
    if (entry.first < free || entry.first >= capacity || count > capacity - entry.first) {
      return absl::InvalidArgumentError("its index has blocks where none can be");
    }
    free = entry.first + count;
    index.Add(entry);
  }
  if (index.blocks != header.blocks) {
    return absl::InvalidArgumentError("its index and its number of blocks disagree");
  }
  return index;
}

void OverlayMap::Clear(uint64_t first, uint64_t count) {
  auto piece = pieces_.upper_bound(first);
  if (piece != pieces_.begin()) --piece;
  const uint64_t end = first + count;
  while (piece != pieces_.end() && piece->first < end) {
    const uint64_t begin = piece->first;
    const Piece old = piece->second;
    if (begin + old.count <= first) {
      ++piece;
      continue;
    }
    piece = pieces_.erase(piece);
    // Only zeros are longer than a block.
    if (begin < first) pieces_[begin] = {first - begin, 0, 0};
    if (begin + old.count > end) pieces_[end] = {begin + old.count - end, 0, 0};
  }
}

void OverlayMap::Put(const OverlayIndex& index, uint64_t at) {
  for (const OverlayIndex::Entry& entry : index.entries) {
    const Piece piece = entry.zeros == 0 ? Piece{1, at, entry.hash} : Piece{entry.zeros, 0, 0};
    if (entry.zeros == 0) at += kOverlayBlock;
    Clear(entry.first, piece.count);
    pieces_[entry.first] = piece;
  }
}

absl::Status OverlayMap::Fill(uint64_t block, const Piece& piece, uint64_t offset,
                              std::span<uint8_t> bytes) const {
  const uint64_t begin = std::max(offset, block * kOverlayBlock);
  const uint64_t end = std::min(offset + bytes.size(), (block + piece.count) * kOverlayBlock);
  const std::span<uint8_t> part = bytes.subspan(begin - offset, end - begin);
  if (piece.at == 0) {
    std::ranges::fill(part, uint8_t{0});
    return absl::OkStatus();
  }
  std::array<uint8_t, kOverlayBlock> buffer;
  if (absl::Status status = file_->Fill(piece.at, buffer); !status.ok()) return status;
  if (OverlayHash({reinterpret_cast<const char*>(buffer.data()), buffer.size()}) != piece.hash) {
    return absl::DataLossError(absl::StrCat(file_->name(), ": block ", block,
                                            " of the disk is not what was written to it"));
  }
  std::memcpy(part.data(), buffer.data() + (begin - block * kOverlayBlock), part.size());
  return absl::OkStatus();
}

absl::Status OverlayMap::Apply(uint64_t offset, std::span<uint8_t> bytes) const {
  if (bytes.empty()) return absl::OkStatus();
  auto piece = pieces_.upper_bound(offset / kOverlayBlock);
  if (piece != pieces_.begin() &&
      (std::prev(piece)->first + std::prev(piece)->second.count) * kOverlayBlock > offset) {
    --piece;
  }
  const uint64_t end = offset + bytes.size();
  for (; piece != pieces_.end() && piece->first * kOverlayBlock < end; ++piece) {
    absl::Status status = Fill(piece->first, piece->second, offset, bytes);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace isochron::replaylog
