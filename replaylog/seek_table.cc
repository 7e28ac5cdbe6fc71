#include "replaylog/seek_table.h"

#include "absl/status/status.h"

namespace isochron::replaylog {
namespace {

constexpr std::string_view kSkippableMagic = "\x5e\x2a\x4d\x18";
constexpr std::string_view kSeekableMagic = "\xb1\xea\x92\x8f";
constexpr uint8_t kDescriptor = 1 << 7;  // entries have checksums; reserved bits are zero

void AppendWord(uint32_t value, std::string& out) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

uint32_t WordAt(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= uint32_t{static_cast<uint8_t>(bytes[at + i])} << (8 * i);
  return value;
}

}  // namespace

std::string EncodeSeekTable(const std::vector<SeekEntry>& entries) {
  std::string frame(kSkippableMagic);
  AppendWord(static_cast<uint32_t>(entries.size() * kSeekEntryBytes + kSeekFooterBytes), frame);
  for (const SeekEntry& entry : entries) {
    AppendWord(entry.compressed, frame);
    AppendWord(entry.raw, frame);
    AppendWord(entry.checksum, frame);
  }
  AppendWord(static_cast<uint32_t>(entries.size()), frame);
  frame.push_back(static_cast<char>(kDescriptor));
  frame += kSeekableMagic;
  return frame;
}

bool HasSeekTable(std::string_view footer) {
  return footer.size() == kSeekFooterBytes && footer.ends_with(kSeekableMagic);
}

absl::StatusOr<uint64_t> SeekTableBytes(std::string_view footer) {
  if (!HasSeekTable(footer)) return absl::DataLossError("there is no seek table");
  if (static_cast<uint8_t>(footer[4]) != kDescriptor) {
    return absl::DataLossError("the seek table's descriptor is not that of a log");
  }
  return kSeekHeaderBytes + uint64_t{WordAt(footer, 0)} * kSeekEntryBytes + kSeekFooterBytes;
}

absl::Status CheckSeekHeader(std::string_view header, uint64_t table_bytes) {
  if (header.size() != kSeekHeaderBytes) return absl::DataLossError("the seek table breaks off");
  if (!header.starts_with(kSkippableMagic) || WordAt(header, 4) != table_bytes - kSeekHeaderBytes) {
    return absl::DataLossError("the seek table's sizes contradict each other");
  }
  return absl::OkStatus();
}

size_t SeekEntryCount(uint64_t table_bytes) {
  return static_cast<size_t>((table_bytes - kSeekHeaderBytes - kSeekFooterBytes) / kSeekEntryBytes);
}

std::vector<SeekEntry> DecodeSeekEntries(std::string_view bytes) {
  std::vector<SeekEntry> entries(bytes.size() / kSeekEntryBytes);
  size_t at = 0;
  for (SeekEntry& entry : entries) {
    entry = {WordAt(bytes, at), WordAt(bytes, at + 4), WordAt(bytes, at + 8)};
    at += kSeekEntryBytes;
  }
  return entries;
}

bool BeginsLikeSeekTable(std::string_view bytes) {
  return bytes.substr(0, kSkippableMagic.size()) == kSkippableMagic.substr(0, bytes.size());
}

}  // namespace isochron::replaylog
