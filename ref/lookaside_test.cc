#include "ref/lookaside.h"

#include <cstdint>
#include <memory>

#include "gtest/gtest.h"

namespace isochron::ref {
namespace {

using alpha::kPageSize;
using alpha::Mode;

class LookasideTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kVa = 0xffff'fc00'1234'4000;

  // The host address, or nullptr.
  template <int kSize>
  const uint8_t* Read(uint64_t va, uint64_t context) const {
    const uint8_t* host = nullptr;
    return lookaside_.FindRead<kSize>(va, context, host) ? host : nullptr;
  }
  template <int kSize>
  const uint8_t* Write(uint64_t va, uint64_t context) const {
    uint8_t* host = nullptr;
    return lookaside_.FindWrite<kSize>(va, context, host) ? host : nullptr;
  }

  const uint64_t context_ = DataContext(5, Mode::kUser);
  alignas(kPageSize) uint8_t page_[kPageSize] = {};
  std::unique_ptr<DataLookaside> owner_ = std::make_unique<DataLookaside>();
  DataLookaside& lookaside_ = *owner_;
};

TEST_F(LookasideTest, StartsEmpty) {
  for (const uint64_t va : {uint64_t{0}, uint64_t{0x2000}, ~uint64_t{0} - 7, kVa}) {
    EXPECT_EQ(Read<8>(va, 0), nullptr);
    EXPECT_EQ(Write<1>(va, 0), nullptr);
  }
}

TEST_F(LookasideTest, GivesTheHostAddress) {
  lookaside_.Add(kVa + 0x123, context_, page_ + 0x123, false);
  EXPECT_EQ(Read<1>(kVa, context_), page_);
  EXPECT_EQ(Read<8>(kVa + 0x1ff8, context_), page_ + 0x1ff8);
  EXPECT_EQ(Read<1>(kVa + kPageSize, context_), nullptr);
  EXPECT_EQ(Read<1>(kVa - 1, context_), nullptr);
  EXPECT_EQ(Write<1>(kVa, context_), nullptr) << "read only";
}

TEST_F(LookasideTest, MisalignedAddressesAreNotItsBusiness) {
  lookaside_.Add(kVa, context_, page_, true);
  for (uint64_t offset = 0; offset < 16; ++offset) {
    EXPECT_EQ(Read<1>(kVa + offset, context_), page_ + offset);
    EXPECT_EQ(Read<2>(kVa + offset, context_) != nullptr, offset % 2 == 0);
    EXPECT_EQ(Read<4>(kVa + offset, context_) != nullptr, offset % 4 == 0);
    EXPECT_EQ(Write<8>(kVa + offset, context_) != nullptr, offset % 8 == 0);
  }
}

// No two combinations of address space, mode and misalignment share a tag.
TEST_F(LookasideTest, AddressSpacesAndModesAreApart) {
  lookaside_.Add(kVa, context_, page_, true);
  for (int asn = 0; asn < 256; ++asn) {
    for (int mode = 0; mode < 4; ++mode) {
      const uint64_t other = DataContext(static_cast<uint8_t>(asn), static_cast<Mode>(mode));
      const bool same = asn == 5 && mode == 3;
      EXPECT_EQ(Read<8>(kVa, other) != nullptr, same) << asn << " " << mode;
      EXPECT_EQ(other & 7, 0u);
      EXPECT_LT(other, kPageSize);
    }
  }
}

TEST_F(LookasideTest, PagesThatShareAPlaceReplaceEachOther) {
  const uint64_t other = kVa + 1024 * kPageSize;
  lookaside_.Add(kVa, context_, page_, true);
  lookaside_.Add(other, context_, page_, false);
  EXPECT_EQ(Read<1>(kVa, context_), nullptr);
  EXPECT_EQ(Write<1>(kVa, context_), nullptr);
  EXPECT_NE(Read<1>(other, context_), nullptr);
  EXPECT_EQ(Write<1>(other, context_), nullptr);
}

TEST_F(LookasideTest, ARemapForgetsThatThePageWasWritable) {
  static uint8_t elsewhere[8];
  lookaside_.Add(kVa, context_, page_, true);
  lookaside_.Add(kVa, context_, page_, false);
  EXPECT_NE(Write<1>(kVa, context_), nullptr) << "nothing has changed";
  lookaside_.Add(kVa, context_, elsewhere, false);
  EXPECT_EQ(Write<1>(kVa, context_), nullptr);
  EXPECT_EQ(Read<1>(kVa, context_), elsewhere);
}

TEST_F(LookasideTest, Flushes) {
  lookaside_.Add(kVa, context_, page_, true);
  lookaside_.FlushWrites();
  EXPECT_EQ(Write<1>(kVa, context_), nullptr);
  EXPECT_NE(Read<1>(kVa, context_), nullptr);
  lookaside_.FlushPage(kVa + kPageSize);
  EXPECT_NE(Read<1>(kVa, context_), nullptr);
  lookaside_.FlushPage(kVa + 5);
  EXPECT_EQ(Read<1>(kVa, context_), nullptr);
  lookaside_.Add(kVa, context_, page_, true);
  lookaside_.Flush();
  EXPECT_EQ(Read<1>(kVa, context_), nullptr);
  EXPECT_EQ(Write<1>(kVa, context_), nullptr);
}

TEST_F(LookasideTest, ForgetsWritesToOnePageWhereverItIsMapped) {
  static uint8_t pages[2 * kPageSize];
  lookaside_.Add(kVa, context_, pages, true);
  lookaside_.Add(kVa + 7 * kPageSize, context_, pages, true);
  lookaside_.Add(kVa + 8 * kPageSize, context_, pages + kPageSize, true);
  lookaside_.FlushWritesTo(pages);
  EXPECT_EQ(Write<1>(kVa, context_), nullptr);
  EXPECT_EQ(Write<1>(kVa + 7 * kPageSize, context_), nullptr);
  EXPECT_NE(Read<1>(kVa, context_), nullptr);
  EXPECT_NE(Write<1>(kVa + 8 * kPageSize, context_), nullptr);
}

}  // namespace
}  // namespace isochron::ref
