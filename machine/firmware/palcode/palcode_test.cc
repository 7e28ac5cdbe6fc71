// What can be seen of the PALcode without running it: the image's layout.

#include <cstdint>
#include <cstring>
#include <set>

#include "alpha/ipr.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/firmware/embedded_images.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {
namespace {

using alpha::PalEntry;

uint32_t WordAt(uint32_t offset) {
  uint32_t word = 0;
  std::memcpy(&word, PalcodeImage().data() + offset, sizeof(word));
  return word;
}

uint32_t SlotOf(uint32_t function) {
  return (function < 0x80 ? 0x2000 : 0x3000) + (function & 0x3f) * 64;
}

// Where an unconditional branch at `offset` goes.
uint32_t BranchTarget(uint32_t offset) {
  const uint32_t word = WordAt(offset);
  EXPECT_EQ(word >> 21, 0x30u << 5 | 31) << "no BR at " << offset;
  const int32_t displacement = static_cast<int32_t>(word << 11) >> 11;
  return offset + 4 + 4 * displacement;
}

TEST(PalcodeTest, FitsItsArea) {
  EXPECT_GE(PalcodeImage().size(), 0x4000u);
  EXPECT_LE(PalcodeImage().size(), FW_PAL_SIZE);
  EXPECT_EQ(FW_PAL_BASE % 0x8000, 0);
}

TEST(PalcodeTest, EveryHardwareEntryHasCode) {
  for (PalEntry entry :
       {PalEntry::kDtbmDouble3, PalEntry::kDtbmDouble4, PalEntry::kFen, PalEntry::kUnalign,
        PalEntry::kDtbmSingle, PalEntry::kDfault, PalEntry::kOpcdec, PalEntry::kIacv,
        PalEntry::kMchk, PalEntry::kItbMiss, PalEntry::kArith, PalEntry::kInterrupt,
        PalEntry::kMtFpcrTrap, PalEntry::kReset}) {
    EXPECT_NE(WordAt(static_cast<uint32_t>(entry)), 0u) << static_cast<int>(entry);
  }
}

TEST(PalcodeTest, EveryFunctionIsImplementedOrIllegal) {
  const std::set<uint32_t> implemented = {0x00, 0x01, 0x02, 0x09, 0x0a, 0x0d, 0x10, 0x11, 0x2b,
                                          0x2d, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37,
                                          0x38, 0x39, 0x3a, 0x3c, 0x3d, 0x3e, 0x3f, 0x80, 0x81,
                                          0x83, 0x86, 0x92, 0x9e, 0x9f, 0xaa, 0xae};
  const uint32_t illegal = BranchTarget(SlotOf(0x03));
  for (uint32_t function = 0; function < 0xc0; ++function) {
    if (function >= 0x40 && function < 0x80) continue;  // the chip refuses these
    SCOPED_TRACE(function);
    const uint32_t slot = SlotOf(function);
    if (implemented.count(function) == 0) {
      EXPECT_EQ(BranchTarget(slot), illegal);
    } else {
      EXPECT_NE(WordAt(slot), 0u);
      const bool branches = WordAt(slot) >> 21 == (0x30u << 5 | 31);
      if (branches) {
        EXPECT_NE(BranchTarget(slot), illegal);
      }
    }
  }
}

}  // namespace
}  // namespace isochron::machine
