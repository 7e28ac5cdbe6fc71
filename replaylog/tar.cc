#include "replaylog/tar.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace isochron::replaylog {
namespace {

struct Field {
  size_t offset;
  size_t size;
};
constexpr Field kName = {0, 100};
constexpr Field kMode = {100, 8};
constexpr Field kUid = {108, 8};
constexpr Field kGid = {116, 8};
constexpr Field kSize = {124, 12};
constexpr Field kTime = {136, 12};
constexpr Field kChecksum = {148, 8};
constexpr Field kType = {156, 1};
constexpr Field kMagicAndVersion = {257, 8};

constexpr std::string_view kUstar("ustar\00000", 8);
constexpr char kRegularFile = '0';

std::string_view Get(std::string_view block, Field field) {
  return block.substr(field.offset, field.size);
}

void Set(Field field, std::string_view value, std::string& block) {
  std::copy(value.begin(), value.end(), block.begin() + static_cast<std::ptrdiff_t>(field.offset));
}

// As many octal digits as fit before the terminating NUL.
void SetNumber(Field field, uint64_t value, std::string& block) {
  Set(field, absl::StrFormat("%0*o", static_cast<int>(field.size - 1), value), block);
}

bool GetNumber(std::string_view digits, uint64_t& value) {
  value = 0;
  if (digits.empty() || digits.front() == '\0') return false;
  for (char digit : digits) {
    if (digit == '\0' || digit == ' ') break;
    if (digit < '0' || digit > '7') return false;
    value = value * 8 + static_cast<uint64_t>(digit - '0');
  }
  return true;
}

// The sum of the block's bytes with the checksum itself as spaces.
uint64_t Checksum(std::string_view block) {
  uint64_t sum = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.size;
    sum += own ? ' ' : static_cast<uint8_t>(block[i]);
  }
  return sum;
}

}  // namespace

std::string MakeTarHeader(std::string_view name, uint64_t size) {
  std::string block(kTarBlock, '\0');
  Set(kName, name.substr(0, kName.size), block);
  SetNumber(kMode, 0644, block);
  SetNumber(kUid, 0, block);
  SetNumber(kGid, 0, block);
  SetNumber(kSize, size, block);
  SetNumber(kTime, 0, block);
  block[kType.offset] = kRegularFile;
  Set(kMagicAndVersion, kUstar, block);
  Set(kChecksum, absl::StrFormat("%06o", Checksum(block)), block);
  block[kChecksum.offset + kChecksum.size - 1] = ' ';
  return block;
}

absl::StatusOr<TarMember> ParseTarHeader(std::string_view block) {
  uint64_t checksum = 0;
  TarMember member;
  if (block.size() != kTarBlock || Get(block, kMagicAndVersion) != kUstar ||
      block[kType.offset] != kRegularFile || !GetNumber(Get(block, kChecksum), checksum) ||
      checksum != Checksum(block) || !GetNumber(Get(block, kSize), member.size)) {
    return absl::DataLossError("this is no header of a file in a tar archive");
  }
  const std::string_view name = Get(block, kName);
  member.name = name.substr(0, name.find('\0'));
  return member;
}

}  // namespace isochron::replaylog
