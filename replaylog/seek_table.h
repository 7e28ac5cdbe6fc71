// The seek table at the end of a log: zstd's seekable format, version 0.1.0.

#ifndef ISOCHRON_REPLAYLOG_SEEK_TABLE_H_
#define ISOCHRON_REPLAYLOG_SEEK_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace isochron::replaylog {

struct SeekEntry {
  uint32_t compressed = 0;  // bytes
  uint32_t raw = 0;         // bytes
  uint32_t checksum = 0;    // ContentChecksum()

  friend bool operator==(const SeekEntry&, const SeekEntry&) = default;
};

// The skippable frame that holds the table: a header, entries, a footer.
inline constexpr size_t kSeekHeaderBytes = 8;
inline constexpr size_t kSeekEntryBytes = 12;
inline constexpr size_t kSeekFooterBytes = 9;

// The whole skippable frame.
std::string EncodeSeekTable(const std::vector<SeekEntry>& entries);

// Whether a file ends in a seek table, judged by its last kSeekFooterBytes bytes.
bool HasSeekTable(std::string_view footer);
// The size of the whole skippable frame. DataLoss when the footer is not one of ours.
absl::StatusOr<uint64_t> SeekTableBytes(std::string_view footer);
// DataLoss when the frame's first kSeekHeaderBytes bytes are not those of a table of `table_bytes`.
absl::Status CheckSeekHeader(std::string_view header, uint64_t table_bytes);
// Entries of a table of `table_bytes`.
size_t SeekEntryCount(uint64_t table_bytes);
// Decodes entries, of which `bytes` holds a whole number.
std::vector<SeekEntry> DecodeSeekEntries(std::string_view bytes);

// Whether `bytes` begin like a seek table: all there is where its writing was broken off.
bool BeginsLikeSeekTable(std::string_view bytes);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_SEEK_TABLE_H_
