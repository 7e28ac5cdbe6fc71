#include "replaylog/varint.h"

#include <limits>

#include "gtest/gtest.h"

namespace isochron::replaylog {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

std::string Encode(uint64_t value) {
  std::string bytes;
  AppendVarint(value, bytes);
  return bytes;
}

TEST(VarintTest, EncodesInBase128) {
  EXPECT_EQ(Encode(0), std::string(1, '\0'));
  EXPECT_EQ(Encode(127), "\x7f");
  EXPECT_EQ(Encode(128), "\x80\x01");
  EXPECT_EQ(Encode(300), "\xac\x02");
  EXPECT_EQ(Encode(kMax), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(VarintTest, RoundTripsAroundEveryPowerOfTwo) {
  for (int shift = 0; shift < 64; ++shift) {
    for (int offset : {-1, 0, 1}) {
      const uint64_t value = (uint64_t{1} << shift) + static_cast<uint64_t>(offset);
      const std::string bytes = Encode(value) + "rest";
      std::string_view view = bytes;
      uint64_t decoded = 0;
      ASSERT_TRUE(ConsumeVarint(view, decoded)) << value;
      EXPECT_EQ(decoded, value);
      EXPECT_EQ(view, "rest");
    }
  }
}

TEST(VarintTest, RefusesWhatNoEncoderWrites) {
  const std::string_view bad[] = {
      "",
      "\x80",
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff",
      std::string_view("\x80\x00", 2),                 // overlong 0
      std::string_view("\xff\x00", 2),                 // overlong 127
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",      // bit 64
      "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",  // 11 bytes
  };
  for (std::string_view bytes : bad) {
    uint64_t value = 0;
    EXPECT_FALSE(ConsumeVarint(bytes, value)) << bytes.size();
  }
}

TEST(VarintTest, ZigZagKeepsSmallMagnitudesSmall) {
  EXPECT_EQ(ZigZag(0), 0u);
  EXPECT_EQ(ZigZag(-1), 1u);
  EXPECT_EQ(ZigZag(1), 2u);
  for (int64_t value : {std::numeric_limits<int64_t>::min(), int64_t{-5}, int64_t{1'262'304'000},
                        std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(UnZigZag(ZigZag(value)), value);
  }
}

}  // namespace
}  // namespace isochron::replaylog
