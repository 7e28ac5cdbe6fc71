#include "alpha/ipr_access.h"

#include <cstdint>
#include <random>
#include <string>

#include "alpha/state_visitor.h"
#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

class IprTest : public ::testing::Test {
 protected:
  IprTest() : cpu_(0, 8, 8) {}

  uint64_t Read(Ipr ipr) { return ReadIpr(cpu_, static_cast<uint8_t>(ipr)); }
  IprEffect Write(Ipr ipr, uint64_t value) {
    return WriteIpr(cpu_, static_cast<uint8_t>(ipr), value);
  }
  std::string State() const { return StateBytes(cpu_); }

  Cpu cpu_;
};

TEST_F(IprTest, EnablesAndMode) {
  EXPECT_EQ(Write(Ipr::kIer, ~uint64_t{0}), IprEffect::kNone);
  EXPECT_EQ(Read(Ipr::kIer), 0x7f'ffff'e000u & ~uint64_t{0});
  EXPECT_EQ(Write(Ipr::kCm, ~uint64_t{0}), IprEffect::kContext);
  EXPECT_EQ(Read(Ipr::kCm), 3u << 3);
  EXPECT_EQ(cpu_.mode, Mode::kUser);
  EXPECT_EQ(Read(Ipr::kIerCm), 0x7f'ffff'e000u | 3u << 3);
  Write(Ipr::kIerCm, uint64_t{1} << 33 | 1 << 3);
  EXPECT_EQ(cpu_.mode, Mode::kExecutive);
  EXPECT_EQ(cpu_.ier, uint64_t{1} << 33);
  Write(Ipr::kIer, 3 << 3);
  EXPECT_EQ(cpu_.mode, Mode::kExecutive) << "IER alone does not write CM";
}

TEST_F(IprTest, SoftwareInterruptRequests) {
  Write(Ipr::kSirr, ~uint64_t{0});
  EXPECT_EQ(Read(Ipr::kSirr), 0x1fff'c000u);
  EXPECT_EQ(Read(Ipr::kIsum), 0u);
  Write(Ipr::kIer, 1 << 14 | 1 << 20);
  EXPECT_EQ(Read(Ipr::kIsum), 1u << 14 | 1u << 20);
  Write(Ipr::kIsum, 0);
  EXPECT_EQ(Read(Ipr::kIsum), 1u << 14 | 1u << 20) << "read only";
}

TEST_F(IprTest, HwIntClrClearsWhereOnesAreWritten) {
  cpu_.internal_requests = interrupt::kSerialLine | interrupt::kCorrectedRead;
  Write(Ipr::kHwIntClr, interrupt::kSerialLine);
  EXPECT_EQ(cpu_.internal_requests, interrupt::kCorrectedRead);
}

TEST_F(IprTest, PalBaseHoldsBits43To15) {
  Write(Ipr::kPalBase, ~uint64_t{0});
  EXPECT_EQ(Read(Ipr::kPalBase), 0xfff'ffff'8000u);
}

TEST_F(IprTest, ChipIdIsReadOnly) {
  cpu_.Reset(0);
  const uint64_t chip_id = 0x3full << 24;
  const uint64_t before = Read(Ipr::kICtl) & chip_id;
  EXPECT_NE(before, 0u);
  EXPECT_EQ(Write(Ipr::kICtl, ~uint64_t{0}), IprEffect::kContext);
  EXPECT_EQ(Read(Ipr::kICtl) & chip_id, before);
  Write(Ipr::kICtl, 0);
  EXPECT_EQ(Read(Ipr::kICtl), before);
}

// Each of the five low bits of the number writes its own field (HRM section 5.2.21).
TEST_F(IprTest, PctxWritesTheSelectedFields) {
  const uint64_t value = uint64_t{0xa5} << 39 | 0x9 << 9 | 0x6 << 5 | 1 << 2 | 1 << 1;
  for (uint8_t select = 0; select < 32; ++select) {
    cpu_.asn = cpu_.aster = cpu_.astrr = 0;
    cpu_.fp_enable = cpu_.ppc_enable = false;
    const IprEffect effect = (select & 8) != 0 ? IprEffect::kCounters : IprEffect::kContext;
    EXPECT_EQ(WriteIpr(cpu_, 0x40 | select, value), effect);
    EXPECT_EQ(cpu_.asn, (select & 1) != 0 ? 0xa5 : 0);
    EXPECT_EQ(cpu_.aster, (select & 2) != 0 ? 0x6 : 0);
    EXPECT_EQ(cpu_.astrr, (select & 4) != 0 ? 0x9 : 0);
    EXPECT_EQ(cpu_.ppc_enable, (select & 8) != 0);
    EXPECT_EQ(cpu_.fp_enable, (select & 16) != 0);
  }
  WriteIpr(cpu_, 0x5f, value);
  EXPECT_EQ(ReadIpr(cpu_, 0x40), value);
  EXPECT_EQ(ReadIpr(cpu_, 0x7f), value);
}

TEST_F(IprTest, DtbInsertTakesItsFieldsFromThePte) {
  cpu_.dtb_asn = 9;
  Write(Ipr::kDtbTag0, 0x0000'0123'4567'89ab);
  // PFN 0x1ffff'ffff at <62:32> is cut to 44 address bits; GH 0; all enables, FOW and FOR.
  EXPECT_EQ(Write(Ipr::kDtbPte0, uint64_t{0x1234567} << 32 | 0xff06), IprEffect::kDtbInsert);
  const TlbEntry* entry = cpu_.dtb.Find(0x123'4567'8000, 9);
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->base, uint64_t{0x1234567} << 13);
  EXPECT_EQ(entry->permissions, 0xff06);
  EXPECT_FALSE(entry->match_all);
  EXPECT_EQ(cpu_.dtb.Find(0x123'4567'8000, 8), nullptr);

  Write(Ipr::kDtbPte0, uint64_t{0xffff'ffff} << 32 | 0x0100 | 3 << 5 | 1 << 4);
  entry = cpu_.dtb.Find(0x123'4567'8000, 1);
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->granularity, 3);
  EXPECT_TRUE(entry->match_all);
  EXPECT_EQ(entry->base, 0xfff'ffc0'0000u);
}

TEST_F(IprTest, ItbInsertTakesItsFieldsFromThePte) {
  cpu_.asn = 4;
  Write(Ipr::kItbTag, 0xffff'fc00'0000'2abc);
  EXPECT_EQ(Write(Ipr::kItbPte, 0xfff'ffff'e000 | 0x0f00 | 1 << 4), IprEffect::kItbInsert);
  const TlbEntry* entry = cpu_.itb.Find(0xffff'fc00'0000'2000, 200);
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->base, 0xfff'ffff'e000u);
  EXPECT_EQ(entry->permissions, 0x0f00);
}

TEST_F(IprTest, TlbInvalidates) {
  const auto fill = [&] {
    cpu_.asn = cpu_.dtb_asn = 1;
    Write(Ipr::kItbTag, 0x2000);
    Write(Ipr::kItbPte, 0x0100);
    Write(Ipr::kDtbTag0, 0x2000);
    Write(Ipr::kDtbPte0, 0x0100);
    Write(Ipr::kItbTag, 0x4000);
    Write(Ipr::kItbPte, 0x0100 | 1 << 4);
    Write(Ipr::kDtbTag0, 0x4000);
    Write(Ipr::kDtbPte0, 0x0100 | 1 << 4);
  };
  const auto found = [&] {
    return std::string() + (cpu_.itb.Find(0x2000, 1) ? 'I' : '-') +
           (cpu_.itb.Find(0x4000, 1) ? 'I' : '-') + (cpu_.dtb.Find(0x2000, 1) ? 'D' : '-') +
           (cpu_.dtb.Find(0x4000, 1) ? 'D' : '-');
  };
  fill();
  EXPECT_EQ(found(), "IIDD");
  EXPECT_EQ(Write(Ipr::kItbIap, 0), IprEffect::kItb);
  EXPECT_EQ(found(), "-IDD");
  EXPECT_EQ(Write(Ipr::kItbIa, 0), IprEffect::kItb);
  EXPECT_EQ(found(), "--DD");
  EXPECT_EQ(Write(Ipr::kDtbIap, 0), IprEffect::kDtb);
  EXPECT_EQ(found(), "---D");
  EXPECT_EQ(Write(Ipr::kDtbIa, 0), IprEffect::kDtb);
  EXPECT_EQ(found(), "----");
  fill();
  EXPECT_EQ(Write(Ipr::kItbIs, 0x2008), IprEffect::kItbSingle);
  EXPECT_EQ(Write(Ipr::kDtbIs0, 0x4008), IprEffect::kDtbSingle);
  EXPECT_EQ(found(), "-ID-");
  cpu_.dtb_asn = 2;
  Write(Ipr::kDtbIs0, 0x2000);
  EXPECT_EQ(found(), "-ID-") << "of another address space";
}

// Tags hold VA<47:13>: what stands above takes no part, on the way in and out.
TEST_F(IprTest, SingleInvalidatesLookAtTheSameBitsAsTags) {
  const uint64_t va = 0xffff'fc00'0000'2000;
  const uint64_t junk = va & 0x0000'ffff'ffff'ffff;
  Write(Ipr::kDtbTag0, junk);
  Write(Ipr::kDtbPte0, 0x0100);
  Write(Ipr::kItbTag, junk);
  Write(Ipr::kItbPte, 0x0100);
  EXPECT_NE(cpu_.dtb.Find(va, 0), nullptr);
  EXPECT_NE(cpu_.itb.Find(va, 0), nullptr);
  Write(Ipr::kDtbIs0, junk);
  Write(Ipr::kItbIs, junk);
  EXPECT_EQ(cpu_.dtb.Find(va, 0), nullptr);
  EXPECT_EQ(cpu_.itb.Find(va, 0), nullptr);
}

TEST_F(IprTest, DataAddressSpaceAndAlternateMode) {
  EXPECT_EQ(Write(Ipr::kDtbAsn0, uint64_t{0xab} << 56), IprEffect::kContext);
  EXPECT_EQ(cpu_.dtb_asn, 0xab);
  Write(Ipr::kDtbAltMode, 2);
  EXPECT_EQ(cpu_.alt_mode, Mode::kSupervisor);
  EXPECT_EQ(Write(Ipr::kMCtl, ~uint64_t{0}), IprEffect::kContext);
  EXPECT_EQ(cpu_.m_ctl, 0x3eu);
}

TEST_F(IprTest, TheSecondDtbIsIgnored) {
  const std::string before = State();
  for (const Ipr ipr : {Ipr::kDtbTag1, Ipr::kDtbPte1, Ipr::kDtbIs1, Ipr::kDtbAsn1}) {
    EXPECT_EQ(Write(ipr, 0xffff'ffff'ffff'ffff), IprEffect::kNone);
  }
  EXPECT_EQ(State(), before);
}

TEST_F(IprTest, CycleCounter) {
  cpu_.cycle = 1000;
  Write(Ipr::kCcCtl, uint64_t{1} << 32 | 0x12f);
  EXPECT_EQ(Read(Ipr::kCc), 0x120u) << "<3:0> are cleared";
  Write(Ipr::kCc, uint64_t{7} << 32 | 0xffff);
  cpu_.cycle = 1011;
  EXPECT_EQ(Read(Ipr::kCc), uint64_t{7} << 32 | 0x12b);
  Write(Ipr::kCcCtl, 0x40);
  cpu_.cycle = 5000;
  EXPECT_EQ(Read(Ipr::kCc), uint64_t{7} << 32 | 0x40) << "stopped";
}

TEST_F(IprTest, FormattedAddresses) {
  Write(Ipr::kVaCtl, 0xffff'fffe'0000'0000);
  cpu_.va = 0x4000;
  EXPECT_EQ(Read(Ipr::kVa), 0x4000u);
  EXPECT_EQ(Read(Ipr::kVaForm), 0xffff'fffe'0000'0010u);
  // I_CTL keeps 48 bits: VPTB is sign-extended from bit 47.
  Write(Ipr::kICtl, 0xffff'fffe'0000'0000);
  cpu_.iva = 0x6000;
  EXPECT_EQ(Read(Ipr::kIvaForm), 0xffff'fffe'0000'0018u);
}

TEST_F(IprTest, ErrorStateClearsWhereOnesAreWritten) {
  cpu_.i_stat = cpu_.dc_stat = 0x1f;
  Write(Ipr::kIStat, 3);
  Write(Ipr::kDcStat, 0x10);
  EXPECT_EQ(Read(Ipr::kIStat), 0x1cu);
  EXPECT_EQ(Read(Ipr::kDcStat), 0xfu);
}

// Any number and value: no crash, and what must hold of a CPU holds.
TEST_F(IprTest, AnyAccessKeepsTheStateSound) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 50'000; ++i) {
    const auto number = static_cast<uint8_t>(random());
    const uint64_t value = random() & random();
    WriteIpr(cpu_, number, value);
    (void)ReadIpr(cpu_, static_cast<uint8_t>(random()));
  }
  EXPECT_TRUE(RestoreFromBytes(State(), cpu_).ok());
  EXPECT_EQ(cpu_.pal_base & 0x7fff, 0u);
}

}  // namespace
}  // namespace isochron::alpha
