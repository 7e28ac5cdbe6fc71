// The seek table at the end of a log: zstd's seekable format, version 0.1.0.

#ifndef ISOCHRON_REPLAYLOG_SEEK_TABLE_H_
#define ISOCHRON_REPLAYLOG_SEEK_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace isochron::replaylog {

struct SeekEntry {
  uint32_t compressed = 0;  // bytes
  uint32_t raw = 0;         // bytes
  uint32_t checksum = 0;    // ContentChecksum()

  friend bool operator==(const SeekEntry&, const SeekEntry&) = default;
};

inline constexpr size_t kSeekFooterBytes = 9;

// The skippable frame that holds the table.
std::string EncodeSeekTable(const std::vector<SeekEntry>& entries);

// Whether a file ends in a seek table, judged by its last kSeekFooterBytes bytes.
bool HasSeekTable(std::string_view footer);
// The size of the whole skippable frame. DataLoss when the footer is not one of ours.
absl::StatusOr<uint64_t> SeekTableBytes(std::string_view footer);
// Decodes the whole skippable frame. DataLoss says what is wrong.
absl::StatusOr<std::vector<SeekEntry>> DecodeSeekTable(std::string_view frame);

// Whether `bytes` begin like a seek table: all there is where its writing was broken off.
bool BeginsLikeSeekTable(std::string_view bytes);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_SEEK_TABLE_H_
