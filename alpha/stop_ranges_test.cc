#include "alpha/stop_ranges.h"

#include "alpha/memory.h"
#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

constexpr uint64_t kEnd = ~uint64_t{0};

MemoryReference Virtual(uint64_t va, uint64_t size, bool write) {
  MemoryReference reference;
  reference.va = va;
  reference.pa = 0x4000 | (va & kPageMask);
  reference.size = size;
  reference.write = write;
  return reference;
}

MemoryReference Physical(uint64_t pa, uint64_t size, bool write) {
  MemoryReference reference;
  reference.pa = pa;
  reference.size = size;
  reference.write = write;
  return reference;
}

TEST(StopRange, CoversReferencesToAnyOfItsBytes) {
  const StopRange range{StopRange::Space::kVirtual, 0x1004, 3, true, false};
  EXPECT_FALSE(range.Covers(Virtual(0x1000, 4, false)));
  EXPECT_TRUE(range.Covers(Virtual(0x1000, 8, false)));
  EXPECT_TRUE(range.Covers(Virtual(0x1004, 1, false)));
  EXPECT_TRUE(range.Covers(Virtual(0x1006, 2, false)));
  EXPECT_FALSE(range.Covers(Virtual(0x1007, 1, false)));
  EXPECT_FALSE(range.Covers(Virtual(0x1004, 1, true))) << "reads alone";
  EXPECT_FALSE(range.Covers(Physical(0x1004, 1, false))) << "it has no virtual address";
}

TEST(StopRange, APhysicalOneCoversReferencesOfBothKinds) {
  const StopRange range{StopRange::Space::kPhysical, 0x4008, 8, false, true};
  EXPECT_TRUE(range.Covers(Physical(0x4008, 8, true)));
  EXPECT_TRUE(range.Covers(Virtual(0x8008, 8, true)));
  EXPECT_FALSE(range.Covers(Virtual(0x4008 + kPageSize, 8, false)));
}

TEST(StopRange, EndsWithTheAddressSpace) {
  const StopRange last{StopRange::Space::kVirtual, kEnd - 7, 8, true, true};
  EXPECT_TRUE(last.Covers(Virtual(kEnd - 7, 8, true)));
  EXPECT_FALSE(last.Covers(Virtual(0, 8, true)));
  const StopRange all{StopRange::Space::kVirtual, 0, kEnd, true, true};
  EXPECT_TRUE(all.Covers(Virtual(kEnd - 7, 8, true)));
  EXPECT_TRUE(all.IsInPage(kEnd, 0));
}

TEST(StopRange, WithoutBytesCoversNothing) {
  const StopRange none{StopRange::Space::kPhysical, 0x4000, 0, true, true};
  EXPECT_FALSE(none.Covers(Physical(0x4000, 8, true)));
  EXPECT_FALSE(none.IsInPage(0x4000, 0x4000));
}

TEST(StopRanges, KnowThePagesThatTheyTouch) {
  const StopRanges ranges({{StopRange::Space::kVirtual, 2 * kPageSize - 1, 2, true, false},
                           {StopRange::Space::kPhysical, 9 * kPageSize, 1, false, true}});
  EXPECT_TRUE(ranges.AnyInPage(kPageSize + 8, 0));
  EXPECT_TRUE(ranges.AnyInPage(2 * kPageSize, 0));
  EXPECT_FALSE(ranges.AnyInPage(3 * kPageSize, kPageSize));
  EXPECT_TRUE(ranges.AnyInPage(3 * kPageSize, 9 * kPageSize + 8));
  EXPECT_FALSE(ranges.AnyInPage(std::nullopt, kPageSize));
  EXPECT_TRUE(ranges.any_physical());
  EXPECT_FALSE(StopRanges({ranges.ranges().front()}).any_physical());
}

TEST(StopRanges, KeepTheFirstReferenceThatCounts) {
  StopRanges ranges({{StopRange::Space::kPhysical, 0x100, 8, true, true}});
  ranges.Note(Physical(0x108, 8, true));
  EXPECT_FALSE(ranges.hit().has_value());
  ranges.Note(Physical(0x104, 4, false));
  ranges.Note(Physical(0x100, 8, true));
  ASSERT_TRUE(ranges.hit().has_value());
  EXPECT_EQ(ranges.hit()->pa, 0x104u);
  EXPECT_FALSE(ranges.hit()->write);
}

}  // namespace
}  // namespace isochron::alpha
