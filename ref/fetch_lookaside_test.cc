#include "ref/fetch_lookaside.h"

#include <cstdint>

#include "gtest/gtest.h"
#include "ref/code_page.h"

namespace isochron::ref {
namespace {

constexpr uint64_t kPage = 0x1'2000'2000;
constexpr uint64_t kTag = kPage | 5 << 5;  // in some address space
// Another page that is remembered in the same place.
constexpr uint64_t kRival = kPage + FetchLookaside::kEntries * alpha::kPageSize;

TEST(FetchLookaside, GivesThePageOfATagAndOfNoOther) {
  CodePage page(0x4000, DecodeMode::kNative);
  FetchLookaside lookaside;
  EXPECT_EQ(lookaside.Find(kTag), nullptr);
  lookaside.Add(kTag, &page);
  EXPECT_EQ(lookaside.Find(kTag), &page);
  EXPECT_EQ(lookaside.Find(kPage | 6 << 5), nullptr);
  EXPECT_EQ(lookaside.Find(kRival | 5 << 5), nullptr);
}

TEST(FetchLookaside, KeysOutlastPlacesButNotOtherPages) {
  CodePage page(0x4000, DecodeMode::kNative);
  FetchLookaside lookaside;
  lookaside.Add(kTag, &page);
  lookaside.at(kPage).key = 77;
  lookaside.FlushPlaces();
  EXPECT_EQ(lookaside.Find(kTag), nullptr);
  EXPECT_EQ(lookaside.at(kPage).key, 77u);
  lookaside.Add(kRival, &page);
  EXPECT_EQ(lookaside.at(kPage).key, 0u);
  lookaside.at(kPage).key = 78;
  lookaside.ForgetKeys();
  EXPECT_EQ(lookaside.at(kPage).key, 0u);
  EXPECT_EQ(lookaside.Find(kRival), &page);
}

TEST(FetchLookaside, FlushPageForgetsPlaceAndKeyOfOnePage) {
  CodePage page(0x4000, DecodeMode::kNative);
  FetchLookaside lookaside;
  for (const uint64_t tag : {kTag, kTag + alpha::kPageSize}) {
    lookaside.Add(tag, &page);
    lookaside.at(tag).key = 79;
  }
  lookaside.FlushPage(kPage + 0x124);
  EXPECT_EQ(lookaside.Find(kTag), nullptr);
  EXPECT_EQ(lookaside.at(kPage).key, 0u);
  EXPECT_EQ(lookaside.Find(kTag + alpha::kPageSize), &page);
  EXPECT_EQ(lookaside.at(kPage + alpha::kPageSize).key, 79u);
}

}  // namespace
}  // namespace isochron::ref
