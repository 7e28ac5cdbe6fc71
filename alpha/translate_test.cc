#include "alpha/translate.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

using enum TranslationStatus;

constexpr uint64_t kKseg43 = 0xffff'fc00'0000'0000;

class TranslateTest : public ::testing::Test {
 protected:
  TranslateTest() : cpu_(0, 8, 8) {}

  void Map(Tlb& tlb, uint64_t va, uint64_t pa, uint16_t permissions, uint8_t asn = 0) {
    TlbEntry entry;
    entry.tag = va;
    entry.base = pa;
    entry.permissions = permissions;
    entry.asn = asn;
    tlb.Insert(entry);
  }
  Translation Read(uint64_t va, Mode mode = Mode::kKernel) {
    return TranslateData(cpu_, va, DataAccess::kRead, mode);
  }

  Cpu cpu_;
};

TEST_F(TranslateTest, PagesKeepTheOffset) {
  Map(cpu_.dtb, 0x2000, 0x12'3456'6000, 0x0100);
  const Translation t = Read(0x3abc);
  EXPECT_EQ(t.status, kOk);
  EXPECT_EQ(t.pa, 0x12'3456'7abcu);
  EXPECT_EQ(Read(0x4000).status, kMiss);
  cpu_.dtb_asn = 1;
  EXPECT_EQ(Read(0x2000).status, kMiss);
}

TEST_F(TranslateTest, AddressesMustBeSignExtended) {
  // 43 bits.
  EXPECT_EQ(Read(0x0000'03ff'ffff'e000).status, kMiss);
  EXPECT_EQ(Read(0xffff'fc00'0000'0000).status, kMiss);
  for (const uint64_t va : {0x0000'0400'0000'0000u, 0xffff'f800'0000'0000u}) {
    EXPECT_EQ(Read(va).status, kFault);
    EXPECT_EQ(Read(va).mm_stat, mm_stat::kAcv);
    EXPECT_EQ(TranslateFetch(cpu_, va).status, kFault);
  }
  // 48 bits.
  cpu_.va_ctl = va_ctl::kVa48;
  EXPECT_EQ(Read(0x0000'7fff'ffff'e000).status, kMiss);
  EXPECT_EQ(Read(0xffff'8000'0000'0000).status, kMiss);
  EXPECT_EQ(Read(0x0000'8000'0000'0000).status, kFault);
  EXPECT_EQ(TranslateFetch(cpu_, 0x0000'7fff'ffff'e000).status, kFault)
      << "fetches have a format bit of their own";
  cpu_.i_ctl = i_ctl::kVa48;
  EXPECT_EQ(TranslateFetch(cpu_, 0x0000'7fff'ffff'e000).status, kMiss);
}

TEST_F(TranslateTest, Superpage43MapsKseg) {
  EXPECT_EQ(Read(kKseg43 + 0x1234).status, kMiss);
  cpu_.m_ctl = 2 << 1;
  EXPECT_EQ(Read(kKseg43 + 0x1234).status, kOk);
  EXPECT_EQ(Read(kKseg43 + 0x1234).pa, 0x1234u);
  // Address bit 40 is copied to PA<43:41>: the board's I/O space.
  EXPECT_EQ(Read(0xffff'fd01'fc00'0000).pa, 0xf01'fc00'0000u);
  EXPECT_EQ(Read(0xffff'fe00'0000'0000).status, kMiss) << "VA<47:41> is not 0x7e";
  EXPECT_EQ(TranslateFetch(cpu_, kKseg43).status, kMiss) << "I_CTL has its own enables";
}

TEST_F(TranslateTest, Superpage48MapsThePhysicalAddressSpace) {
  cpu_.va_ctl = va_ctl::kVa48;
  cpu_.m_ctl = 4 << 1;
  EXPECT_EQ(Read(0xffff'8801'2345'6789).pa, 0x801'2345'6789u);
  EXPECT_EQ(Read(0xffff'bfff'ffff'ffff).pa, 0xfff'ffff'ffffu);
  EXPECT_EQ(Read(0xffff'c000'0000'0000).status, kMiss);
}

TEST_F(TranslateTest, Superpage32MapsTheLowestGigabyte) {
  cpu_.m_ctl = 1 << 1;
  EXPECT_EQ(Read(0xffff'ffff'8000'0000).pa, 0u);
  EXPECT_EQ(Read(0xffff'ffff'bfff'ffff).pa, 0x3fff'ffffu);
  EXPECT_EQ(Read(0xffff'ffff'c000'0000).status, kMiss);
  EXPECT_EQ(Read(0xffff'ffff'7fff'ffff).status, kMiss);
}

TEST_F(TranslateTest, SuperpagesAreForKernelMode) {
  cpu_.m_ctl = 2 << 1;
  cpu_.i_ctl = uint64_t{2} << i_ctl::kSpeShift;
  EXPECT_EQ(TranslateFetch(cpu_, kKseg43 + 8).pa, 8u);
  for (const Mode mode : {Mode::kExecutive, Mode::kSupervisor, Mode::kUser}) {
    EXPECT_EQ(Read(kKseg43, mode).status, kFault);
    EXPECT_EQ(Read(kKseg43, mode).mm_stat, mm_stat::kAcv);
    cpu_.mode = mode;
    EXPECT_EQ(TranslateFetch(cpu_, kKseg43).status, kFault);
  }
}

TEST_F(TranslateTest, SuperpagesCanBeLookedAtFromAnyMode) {
  EXPECT_EQ(SuperpageAddress(cpu_, kKseg43), std::nullopt);
  cpu_.m_ctl = 2 << 1;
  cpu_.mode = Mode::kUser;
  EXPECT_EQ(SuperpageAddress(cpu_, kKseg43 + 0x1234), 0x1234u);
  Map(cpu_.dtb, 0x2000, 0x4000, 0x0100);
  EXPECT_EQ(SuperpageAddress(cpu_, 0x2000), std::nullopt);
  EXPECT_EQ(SuperpageAddress(cpu_, 0x0000'0400'0000'0000), std::nullopt) << "no address at all";
}

// Every combination of enables, fault-on bits, access and mode.
TEST_F(TranslateTest, PermissionsAndFaults) {
  for (uint32_t bits = 0; bits < 1024; ++bits) {
    const uint32_t enables = bits & 0xff;
    const uint32_t fault_on = bits >> 8 & 3;  // FOR, FOW
    cpu_.dtb.InvalidateAll();
    Map(cpu_.dtb, 0, 0, static_cast<uint16_t>(enables << 8 | fault_on << 1));
    for (int mode = 0; mode < 4; ++mode) {
      const bool may_read = (enables & 1u << mode) != 0;
      const bool may_write = (enables & 0x10u << mode) != 0;
      const uint64_t read_fault =
          (may_read ? 0 : mm_stat::kAcv) | ((fault_on & 1) != 0 ? mm_stat::kFor : 0);
      const uint64_t write_fault =
          (may_write ? 0 : mm_stat::kAcv) | ((fault_on & 2) != 0 ? mm_stat::kFow : 0);
      const struct {
        DataAccess access;
        uint64_t fault;
      } cases[] = {{DataAccess::kRead, read_fault},
                   {DataAccess::kWrite, write_fault},
                   {DataAccess::kReadWriteCheck, read_fault | write_fault}};
      for (const auto& c : cases) {
        const Translation t = TranslateData(cpu_, 8, c.access, static_cast<Mode>(mode));
        ASSERT_EQ(t.status, c.fault == 0 ? kOk : kFault) << bits << " " << mode;
        ASSERT_EQ(t.mm_stat, c.fault) << bits << " " << mode;
      }
    }
  }
}

TEST_F(TranslateTest, FetchesNeedReadEnable) {
  Map(cpu_.itb, 0x2000, 0x8000, 0x0800, 3);  // user mode only
  cpu_.mode = Mode::kUser;
  EXPECT_EQ(TranslateFetch(cpu_, 0x2004).status, kMiss);
  cpu_.asn = 3;
  EXPECT_EQ(TranslateFetch(cpu_, 0x2004).status, kOk);
  EXPECT_EQ(TranslateFetch(cpu_, 0x2004).pa, 0x8004u);
  cpu_.mode = Mode::kKernel;
  EXPECT_EQ(TranslateFetch(cpu_, 0x2004).status, kFault);
}

// Field by field as HRM figures 5-5 to 5-7 draw them.
TEST(FormatVpteTest, PutsThePageNumberIntoTheTable) {
  const uint64_t vptb = 0xffff'fffe'0000'0000;
  for (const uint64_t va : {uint64_t{0}, uint64_t{0x2000}, uint64_t{0x3ff'ffff'ffff},
                            uint64_t{0xffff'fc00'0000'0000}, uint64_t{0x123'4567'89ab}}) {
    uint64_t table_offset = 0;
    for (int bit = 13; bit <= 42; ++bit) table_offset |= (va >> bit & 1) << (bit - 10);
    EXPECT_EQ(FormatVpte(va, vptb, false, false), vptb | table_offset);
  }
  EXPECT_EQ(FormatVpte(0x2000, 0xffff'ffff'c000'0000, false, false), 0xffff'fffe'0000'0008u)
      << "VPTB<32:30> is not used";
}

TEST(FormatVpteTest, FortyEightBitAddressesAreSignExtended) {
  EXPECT_EQ(FormatVpte(0xffff'8000'0000'2000, 0x0008'0000'0000'0000, true, false),
            0x0008'07e0'0000'0008u);
  EXPECT_EQ(FormatVpte(0x0000'7fff'ffff'e000, 0x0008'0000'0000'0000, true, false),
            0x0008'001f'ffff'fff8u);
}

TEST(FormatVpteTest, ThirtyTwoBitForm) {
  EXPECT_EQ(FormatVpte(0xffff'ffff'8000'4000, 0xffff'ffff'c000'0000, false, true),
            0xffff'ffff'c000'0000u | uint64_t{0x80004000u >> 13} << 3);
}

}  // namespace
}  // namespace isochron::alpha
