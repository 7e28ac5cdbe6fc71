#include "alpha/float_format.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace isochron::alpha {
namespace {

constexpr FpQualifiers kPlain{};
constexpr FpQualifiers kV{Rounding::kChopped, true, false, false};
constexpr FpQualifiers kSv{Rounding::kChopped, true, true, false};

// The Handbook's tables 2-1 and 2-2 as they are printed: the top bit, then three copies of its
// complement, then the rest; with exceptions at the ends.
TEST(FloatFormatTest, ExponentMaps) {
  for (uint32_t exponent = 0; exponent < 256; ++exponent) {
    const uint64_t top = exponent >> 7;
    const uint64_t mapped = top << 10 | (top ? 0 : uint64_t{7} << 7) | (exponent & 0x7F);
    EXPECT_EQ(MapF(exponent), exponent == 0 ? 0 : mapped) << exponent;
    const uint64_t mapped_s = exponent == 0xFF ? 0x7FF : exponent == 0 ? 0 : mapped;
    EXPECT_EQ(MapS(exponent), mapped_s) << exponent;
  }
}

TEST(FloatFormatTest, SingleIeeeMemory) {
  EXPECT_EQ(LoadS(0x3F80'0000), 0x3FF0'0000'0000'0000u);  // 1.0
  EXPECT_EQ(LoadS(0xC049'0FDB), 0xC009'21FB'6000'0000u);  // -pi
  EXPECT_EQ(LoadS(0x7F80'0000), 0x7FF0'0000'0000'0000u);  // infinity
  EXPECT_EQ(LoadS(0x7FC0'0001), 0x7FF8'0000'2000'0000u);  // a quiet NaN
  EXPECT_EQ(LoadS(0x8000'0001), 0x8000'0000'2000'0000u);  // a denormal is not normalized
}

TEST(FloatFormatTest, VaxMemory) {
  // 1.0 in F is exponent 129: the first word in memory is 4080, the second 0000.
  EXPECT_EQ(LoadF(0x0000'4080), 0x4010'0000'0000'0000u);
  EXPECT_EQ(LoadF(0x0FDB'4149), 0x4029'21FB'6000'0000u);
  EXPECT_EQ(LoadF(0x1234'8000), 0x8000'0246'8000'0000u);  // a reserved operand stays one
  EXPECT_EQ(LoadG(0x4444'3333'2222'C011), 0xC011'2222'3333'4444u);
  EXPECT_EQ(StoreG(0xC011'2222'3333'4444), 0x4444'3333'2222'C011u);
}

TEST(FloatFormatTest, StoresUndoLoads) {
  uint32_t image = 1;
  for (int i = 0; i < 100'000; ++i) {
    image = image * 1664525 + 1013904223;
    ASSERT_EQ(StoreS(LoadS(image)), image);
    ASSERT_EQ(StoreF(LoadF(image)), image);
  }
}

TEST(FloatFormatTest, StoresIgnoreWhatASingleCannotHold) {
  EXPECT_EQ(StoreS(0xFFFF'FFFF'FFFF'FFFF), 0xFFFF'FFFFu);
  EXPECT_EQ(StoreS(0x3800'0000'1FFF'FFFF), 0x0000'0000u);
}

TEST(FloatFormatTest, RegisterMoves) {
  EXPECT_EQ(Itofs(0xFFFF'FFFF'3F80'0000), 0x3FF0'0000'0000'0000u);
  EXPECT_EQ(Itoff(0xFFFF'FFFF'4080'0000), 0x4010'0000'0000'0000u);
  EXPECT_EQ(Itoft(0x0123'4567'89AB'CDEF), 0x0123'4567'89AB'CDEFu);
  EXPECT_EQ(Ftois(0xBFF0'0000'0000'0000), 0xFFFF'FFFF'BF80'0000u);
  EXPECT_EQ(Ftois(0x3FF0'0000'0000'0000), 0x0000'0000'3F80'0000u);
  EXPECT_EQ(Ftoit(0x0123'4567'89AB'CDEF), 0x0123'4567'89AB'CDEFu);
}

TEST(FloatFormatTest, BranchConditions) {
  struct {
    uint64_t value;
    bool eq, lt, le;
  } const cases[] = {
      {0, true, false, true},
      {kSignBit, true, false, true},
      {1, false, false, false},
      {kSignBit | 1, false, true, true},
      {0x4000'0000'0000'0000, false, false, false},
      {0xC000'0000'0000'0000, false, true, true},
      {0xFFF8'0000'0000'0000, false, true, true},  // bits only, NaN or not
      {0x7FF8'0000'0000'0000, false, false, false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Fbeq(c.value), c.eq) << c.value;
    EXPECT_EQ(Fbne(c.value), !c.eq) << c.value;
    EXPECT_EQ(Fblt(c.value), c.lt) << c.value;
    EXPECT_EQ(Fbge(c.value), !c.lt) << c.value;
    EXPECT_EQ(Fble(c.value), c.le) << c.value;
    EXPECT_EQ(Fbgt(c.value), !c.le) << c.value;
  }
}

TEST(FloatFormatTest, CopySign) {
  constexpr uint64_t kA = 0x8123'4567'89AB'CDEF;
  constexpr uint64_t kB = 0x7FED'CBA9'8765'4321;
  EXPECT_EQ(Cpys(kA, kB, kPlain, 0).value, 0xFFED'CBA9'8765'4321u);
  EXPECT_EQ(Cpysn(kA, kB, kPlain, 0).value, 0x7FED'CBA9'8765'4321u);
  EXPECT_EQ(Cpyse(kA, kB, kPlain, 0).value, 0x812D'CBA9'8765'4321u);
  EXPECT_TRUE(Cpys(kA, kB, kPlain, 0).write);
  EXPECT_EQ(Cpys(kA, kB, kPlain, 0).trap, 0u);
}

TEST(FloatFormatTest, LongwordConversions) {
  for (const int64_t value : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{0x7FFF'FFFF},
                              -int64_t{0x8000'0000}, int64_t{0x1234'5678}}) {
    const FpResult longword = Cvtql(0, static_cast<uint64_t>(value), kSv, 0);
    EXPECT_TRUE(longword.write);
    EXPECT_EQ(longword.trap, 0u);
    EXPECT_EQ(longword.fpcr_set, 0u);
    EXPECT_EQ(StoreS(longword.value), static_cast<uint32_t>(value));
    EXPECT_EQ(Cvtlq(0, longword.value, kPlain, 0).value, static_cast<uint64_t>(value));
  }
}

TEST(FloatFormatTest, CvtqlOverflow) {
  constexpr uint64_t kTooLarge = 0x8000'0000;
  constexpr uint64_t kStatus = fpcr::kIntegerOverflow | fpcr::kInexact | fpcr::kSummary;
  const FpResult plain = Cvtql(0, kTooLarge, kPlain, 0);
  EXPECT_TRUE(plain.write);
  EXPECT_EQ(plain.value, 0x8000'0000'0000'0000u);
  EXPECT_EQ(plain.trap, 0u);
  EXPECT_EQ(plain.fpcr_set, kStatus);
  const FpResult trapping = Cvtql(0, kTooLarge, kV, 0);
  EXPECT_TRUE(trapping.write);
  EXPECT_EQ(trapping.trap, fp_exception::kIntegerOverflow);
  const FpResult completed = Cvtql(0, kTooLarge, kSv, fpcr::kInvalidDisable);
  EXPECT_FALSE(completed.write);
  EXPECT_EQ(completed.trap, fp_exception::kIntegerOverflow | fp_exception::kSoftwareCompletion);
  EXPECT_EQ(completed.fpcr_set, kStatus);
}

TEST(FpcrTest, WritingKeepsImplementedBitsAndDerivesSummary) {
  EXPECT_EQ(fpcr::Written(0), 0u);
  EXPECT_EQ(fpcr::Written(fpcr::kSummary), 0u);
  EXPECT_EQ(fpcr::Written(fpcr::kInexact), fpcr::kInexact | fpcr::kSummary);
  EXPECT_EQ(fpcr::Written(uint64_t{1} << 47), 0u);  // DNOD
  EXPECT_EQ(fpcr::Written(~uint64_t{0}), 0xFFFF'0000'0000'0000u);
}

TEST(FpcrTest, Qualifiers) {
  const FpQualifiers suid = DecodeFpQualifiers(0x7E0);  // ADDT/SUID
  EXPECT_EQ(suid.rounding, Rounding::kDynamic);
  EXPECT_TRUE(suid.underflow && suid.software && suid.inexact);
  const FpQualifiers svc = DecodeFpQualifiers(0x52F);  // CVTTQ/SVC
  EXPECT_EQ(svc.rounding, Rounding::kChopped);
  EXPECT_TRUE(svc.underflow && svc.software && !svc.inexact);
  const FpQualifiers plain = DecodeFpQualifiers(0x0A0);  // ADDT
  EXPECT_EQ(plain.rounding, Rounding::kNearest);
  EXPECT_FALSE(plain.underflow || plain.software || plain.inexact);
}

}  // namespace
}  // namespace isochron::alpha
