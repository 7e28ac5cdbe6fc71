#include "machine/devices/ide/ata_identity.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "machine/disks/disk_contents.h"

namespace isochron::machine {
namespace {

using Words = std::array<uint16_t, kSectorSize / 2>;

// Text has the first of two characters in the upper byte of a word, and blanks behind it.
void SetText(Words& words, size_t first, size_t count, std::string_view text) {
  for (size_t i = 0; i < count; ++i) {
    const auto at = [&](size_t index) { return index < text.size() ? text[index] : ' '; };
    words[first + i] = static_cast<uint16_t>(static_cast<uint8_t>(at(2 * i)) << 8 |
                                             static_cast<uint8_t>(at(2 * i + 1)));
  }
}

void SetNumber(Words& words, size_t first, size_t count, uint64_t value) {
  for (size_t i = 0; i < count; ++i) words[first + i] = static_cast<uint16_t>(value >> (16 * i));
}

// Modes 0 to `count` - 1 are there, and in the upper byte which one is in use.
uint16_t Modes(uint8_t count, uint8_t first_mode, uint8_t mode) {
  const int supported = (1 << count) - 1;
  const bool in_use = mode >= first_mode && mode < first_mode + count;
  return static_cast<uint16_t>(supported | (in_use ? 1 << (8 + mode - first_mode) : 0));
}

// What the drive can transfer, and how.
void SetModes(uint8_t dma_mode, Words& words) {
  words[63] = Modes(AtaIdentity::kMultiwordDmaModes, 0x20, dma_mode);
  words[64] = 0x0003;                                            // PIO modes 3 and 4
  for (size_t word = 65; word <= 68; ++word) words[word] = 120;  // ns of a cycle
  words[88] = Modes(AtaIdentity::kUltraDmaModes, 0x40, dma_mode);
}

// A cable of 80 wires, and how the drive has found out which it is.
uint16_t Cable(int number) { return static_cast<uint16_t>(number % 2 == 0 ? 0x600b : 0x6b00); }

std::string WithChecksum(const Words& words) {
  std::string bytes;
  for (const uint16_t word : words) {
    bytes.push_back(static_cast<char>(word));
    bytes.push_back(static_cast<char>(word >> 8));
  }
  bytes[510] = static_cast<char>(0xa5);
  uint8_t sum = 0;
  for (size_t i = 0; i < kSectorSize - 1; ++i) sum = static_cast<uint8_t>(sum + bytes[i]);
  bytes[511] = static_cast<char>(-sum);
  return bytes;
}

}  // namespace

uint16_t AtaGeometry::Cylinders(uint64_t sectors, uint16_t heads, uint16_t sectors_per_track) {
  const uint64_t cylinders = sectors / (uint64_t{heads} * sectors_per_track);
  return static_cast<uint16_t>(std::min<uint64_t>(cylinders, kMaxCylinders));
}

std::string AtaIdentity::Bytes() const {
  constexpr uint64_t kMaxLba28 = 0xfff'ffff;
  constexpr uint16_t kValid = 0x4000;  // of words that say so
  constexpr uint16_t kWriteCache = 1 << 5;
  constexpr uint16_t kAddress48 = 1 << 10, kFlush = 1 << 12, kFlushExt = 1 << 13;
  Words words{};
  words[0] = 0x0040;  // a fixed disk
  words[1] = AtaGeometry::Cylinders(sectors, AtaGeometry::kHeads, AtaGeometry::kSectors);
  words[3] = AtaGeometry::kHeads;
  words[6] = AtaGeometry::kSectors;
  SetText(words, 10, 10, absl::StrCat("ISO-IDE-", number));
  SetText(words, 23, 4, "1.0");
  SetText(words, 27, 20, "ISOCHRON HARDDISK");
  words[47] = 0x8000 | kMaxMultiple;
  words[49] = 0x0f00;  // IORDY, which may be disabled; LBA; DMA
  words[50] = kValid;
  words[51] = 0x0200;  // PIO mode 2 without asking
  words[53] = 0x0007;  // words 54 to 58, 64 to 70 and 88 are valid
  const uint16_t cylinders = AtaGeometry::Cylinders(sectors, heads, sectors_per_track);
  words[54] = cylinders;
  words[55] = heads;
  words[56] = sectors_per_track;
  SetNumber(words, 57, 2, uint64_t{cylinders} * heads * sectors_per_track);
  words[59] = static_cast<uint16_t>(multiple != 0 ? 0x0100 | multiple : 0);
  SetNumber(words, 60, 2, std::min(sectors, kMaxLba28));
  SetModes(dma_mode, words);
  words[80] = 0x007e;  // ATA-1 to ATA/ATAPI-6
  words[82] = kWriteCache;
  words[83] = kValid | kAddress48 | kFlush | kFlushExt;
  words[84] = kValid;
  words[85] = write_cache ? kWriteCache : 0;
  words[86] = kAddress48 | kFlush | kFlushExt;
  words[87] = kValid;
  words[93] = Cable(number);
  SetNumber(words, 100, 4, sectors);

  return WithChecksum(words);
}

std::string AtapiIdentity::Bytes() const {
  constexpr uint16_t kValid = 0x4000;
  constexpr uint16_t kPackets = 1 << 4, kDeviceReset = 1 << 9;
  Words words{};
  words[0] = 0x85c0;  // a CD-ROM that can be removed, asked by packets of 12 bytes within 50 us
  SetText(words, 10, 10, absl::StrCat("ISO-IDE-", number));
  SetText(words, 23, 4, "1.0");
  SetText(words, 27, 20, "ISOCHRON CD-ROM");
  words[49] = 0x0f00;  // as a disk's
  words[51] = 0x0200;
  words[53] = 0x0006;  // words 64 to 70 and 88 are valid
  SetModes(dma_mode, words);
  words[80] = 0x007e;
  words[82] = words[85] = kPackets | kDeviceReset;
  words[83] = words[84] = words[87] = kValid;
  words[93] = Cable(number);
  return WithChecksum(words);
}

}  // namespace isochron::machine
