// How a file of snapshots begins. What follows is in timeline/snapshot.h, which can put it into a
// machine.

#ifndef ISOCHRON_REPLAYLOG_SNAPSHOT_HEADER_H_
#define ISOCHRON_REPLAYLOG_SNAPSHOT_HEADER_H_

#include <string>
#include <string_view>

#include "replaylog/file_source.h"
#include "replaylog/frame_scanner.h"
#include "replaylog/zstd_frame.h"

namespace isochron::replaylog {

// The first bytes of the content of the first frame.
inline constexpr std::string_view kSnapshotMagic = "ISOCSNAP";

// Reads the first frame into `content` and goes past it. False when it is not that of a file of
// snapshots.
bool ReadSnapshotHeader(FrameScanner& scanner, FrameDecompressor& decompressor,
                        std::string& content);

// Whether the file begins as a file of snapshots does.
bool IsSnapshotFile(const FileSource& source);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_SNAPSHOT_HEADER_H_
