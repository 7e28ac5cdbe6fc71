// Reads arbitrary bytes as a bundle, as `replay` does: an error, or a log and images whose sources
// hold what they say. The checksums of members are put right first, in every second run: no
// mutation would find them.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/fuzz/memory_file.h"
#include "replaylog/bundle.h"
#include "replaylog/file_source.h"
#include "replaylog/image_set.h"
#include "replaylog/log_reader.h"

namespace isochron::replaylog {
namespace {

// No image of a fuzzer's needs more.
constexpr uint64_t kMaxRead = uint64_t{1} << 24;

// Reads a member to its end: no more bytes than it says that it has.
void ReadMember(const FileSource& source) {
  if (source.size() > kMaxRead) return;
  uint64_t got = 0;
  const absl::Status status = source.ReadAll([&got](std::string_view piece) {
    got += piece.size();
    return absl::OkStatus();
  });
  if (got > source.size() || (status.ok() && got != source.size())) std::abort();
}

void ReadBundleAt(const std::string& path) {
  absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::Open(path);
  if (!source.ok()) std::abort();
  if (!IsBundle(**source)) return;
  absl::StatusOr<Bundle> bundle = ReadBundle(**source);
  absl::StatusOr<std::unique_ptr<LogReader>> log = LogReader::Open(path);
  if (!bundle.ok()) {
    if (log.ok()) std::abort();
    return;
  }
  ReadMember(*bundle->log);
  for (const ImageFile& image : bundle->images) {
    if (image.source == nullptr) std::abort();
    ReadMember(*image.source);
  }
  if (!log.ok()) return;
  absl::StatusOr<std::vector<ImageFile>> images = MatchImages((*log)->header(), bundle->images);
  if (!images.ok()) return;
  if (images->size() != (*log)->header().images.size()) std::abort();
  for (const ImageFile& image : *images) {
    if (image.record.size <= kMaxRead && !ReadImage(image).ok()) std::abort();
  }
}

constexpr size_t kBlock = 512;
constexpr size_t kChecksum = 148;  // 8 bytes: octal digits, a zero, a space
constexpr std::string_view kUstar = "ustar";
constexpr size_t kUstarAt = 257;

// POSIX ustar: the sum of all bytes of the header, the checksum's own taken as spaces.
void PutChecksumsRight(std::string& bytes) {
  for (size_t at = 0; at + kBlock <= bytes.size(); at += kBlock) {
    if (bytes.compare(at + kUstarAt, kUstar.size(), kUstar) != 0) continue;
    bytes.replace(at + kChecksum, 8, 8, ' ');
    unsigned sum = 0;
    for (size_t i = 0; i < kBlock; ++i) sum += static_cast<uint8_t>(bytes[at + i]);
    char digits[8];
    std::snprintf(digits, sizeof(digits), "%06o", sum);
    bytes.replace(at + kChecksum, 7, digits, 7);
  }
}

}  // namespace
}  // namespace isochron::replaylog

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using isochron::replaylog::MemoryFile;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (!bytes.empty() && (bytes.back() & 1) == 0) isochron::replaylog::PutChecksumsRight(bytes);
  const MemoryFile file(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  isochron::replaylog::ReadBundleAt(file.path());
  return 0;
}
