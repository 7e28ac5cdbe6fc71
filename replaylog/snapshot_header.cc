#include "replaylog/snapshot_header.h"

#include <cstddef>

namespace isochron::replaylog {
namespace {

constexpr size_t kMaxHeader = 4096;

}  // namespace

bool ReadSnapshotHeader(FrameScanner& scanner, FrameDecompressor& decompressor,
                        std::string& content) {
  const bool is_ours = scanner.Measure(kMaxHeader).ok() &&
                       decompressor.Decompress(scanner.frame(), kMaxHeader, content).ok() &&
                       content.starts_with(kSnapshotMagic);
  scanner.Skip();
  return is_ours;
}

bool IsSnapshotFile(const FileSource& source) {
  FrameScanner scanner(source, 0, source.size());
  FrameDecompressor decompressor;
  std::string content;
  return ReadSnapshotHeader(scanner, decompressor, content);
}

}  // namespace isochron::replaylog
