// The parts of an overlay's file, as docs/disk-overlay.md has them.

#ifndef ISOCHRON_REPLAYLOG_OVERLAY_FORMAT_H_
#define ISOCHRON_REPLAYLOG_OVERLAY_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "machine/events/digest.h"
#include "replaylog/file_source.h"

namespace isochron::replaylog {

inline constexpr uint64_t kOverlayBlock = 4096;  // of a disk, and of an overlay's file
inline constexpr std::string_view kOverlayMagic = "ISOCOVRL";

// The image that an overlay is for.
struct OverlayBase {
  uint64_t size = 0;  // bytes
  machine::Digest digest;
  std::string name;  // absolute, at most kMaxName bytes

  static constexpr size_t kMaxName = 4000;
};

// The first block of an overlay, and what it says; InvalidArgument says what is wrong with it.
std::string FormatOverlayHeader(const OverlayBase& base);
absl::StatusOr<OverlayBase> ParseOverlayHeader(std::string_view block);

// The first block of a generation.
struct GenerationHeader {
  uint64_t number = 0;  // from 1 on
  uint64_t runs = 0;
  uint64_t blocks = 0;
  machine::Digest disk;  // of all bytes of the disk as the generation left it
  uint64_t index_hash = 0;

  // Bytes of the index, up to where the blocks begin; and of all behind the header.
  uint64_t index_bytes() const;
  uint64_t bytes() const { return index_bytes() + blocks * kOverlayBlock; }
};
std::string FormatGenerationHeader(const GenerationHeader& header);
// InvalidArgument for a block that is none.
absl::StatusOr<GenerationHeader> ParseGenerationHeader(std::string_view block);

// XXH3-64, as all hashes in an overlay.
uint64_t OverlayHash(std::string_view bytes);

// What a generation has written, ascending.
struct OverlayIndex {
  struct Entry {
    uint64_t first = 0;
    uint64_t zeros = 0;  // how many blocks of zeros; 0: one block with bytes
    uint64_t hash = 0;   // of the bytes
  };
  static constexpr size_t kEntryBytes = 24;

  std::vector<Entry> entries;
  uint64_t blocks = 0;  // with bytes

  void Add(const Entry& entry);
  std::string Format() const;
  // Of a disk with so many blocks. InvalidArgument when entries overlap or lie outside.
  static absl::StatusOr<OverlayIndex> Parse(std::string_view bytes, const GenerationHeader& header,
                                            uint64_t capacity);
};

// Where the bytes of each block are that some generation has written.
class OverlayMap final : public FileLayer {
 public:
  explicit OverlayMap(std::shared_ptr<const FileSource> file) : file_(std::move(file)) {}

  // Puts a generation, whose blocks lie in the file from `at` on, over what is there.
  void Put(const OverlayIndex& index, uint64_t at);

  // Replaces in bytes of the disk from `offset` on those of blocks that have been written. DataLoss
  // when they are not what they were.
  absl::Status Apply(uint64_t offset, std::span<uint8_t> bytes) const override;

 private:
  struct Piece {
    uint64_t count = 0;  // blocks
    uint64_t at = 0;     // where its bytes are; 0: they are zeros
    uint64_t hash = 0;
  };

  // Takes these blocks out.
  void Clear(uint64_t first, uint64_t count);
  absl::Status Fill(uint64_t block, const Piece& piece, uint64_t offset,
                    std::span<uint8_t> bytes) const;

  const std::shared_ptr<const FileSource> file_;
  std::map<uint64_t, Piece> pieces_;  // by first block, without overlap
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_OVERLAY_FORMAT_H_
