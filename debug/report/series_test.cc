#include "debug/report/series.h"

#include "gtest/gtest.h"

namespace isochron::debug {
namespace {

TEST(Spans, AreAtMostSoManyAndMoreThanHalf) {
  for (const uint64_t cycles : {uint64_t{0}, uint64_t{1}, uint64_t{7}, uint64_t{8}, uint64_t{9},
                                uint64_t{1000}, uint64_t{1} << 40, ~uint64_t{0}}) {
    const Spans spans = Spans::Over(cycles, 8);
    EXPECT_LE(spans.count, 8u) << cycles;
    EXPECT_GE(spans.count, cycles < 8 ? (cycles == 0 ? 1 : cycles) : 5) << cycles;
    EXPECT_EQ(spans.width & (spans.width - 1), 0u);
    EXPECT_GE((spans.count - 1) * spans.width + (spans.width - 1), cycles == 0 ? 0 : cycles - 1);
    EXPECT_EQ(spans.Of(cycles), spans.count - 1) << "the last takes what is behind it";
  }
}

TEST(Series, AddsToSpans) {
  Series series(Spans{16, 4});
  series.Add(0);
  series.Add(15, 2);
  series.Add(16);
  series.Add(1000, 5);
  EXPECT_EQ(series.at(0), 3u);
  EXPECT_EQ(series.at(1), 1u);
  EXPECT_EQ(series.at(2), 0u);
  EXPECT_EQ(series.at(3), 5u);
  EXPECT_EQ(series.total(), 9u);
}

TEST(Series, CutsATimeAtTheEndsOfSpans) {
  Series series(Spans{16, 4});
  series.AddCycles(10, 40);
  EXPECT_EQ(series.at(0), 6u);
  EXPECT_EQ(series.at(1), 16u);
  EXPECT_EQ(series.at(2), 8u);
  series.AddCycles(60, 100);
  EXPECT_EQ(series.at(3), 40u);
  series.AddCycles(5, 5);
  series.AddCycles(9, 3);
  EXPECT_EQ(series.total(), 70u);
}

TEST(Series, IsWrittenWithoutItsLongGaps) {
  Series series(Spans{1, 100});
  EXPECT_EQ(series.Json(), "[]");
  series.Add(0, 7);
  EXPECT_EQ(series.Json(), "[[0,7]]");
  series.Add(2, 1);
  series.Add(5, 2);
  series.Add(9, 3);
  EXPECT_EQ(series.Json(), "[[0,7,0,1,0,0,2],[9,3]]");
  Series other(Spans{1, 100});
  other.Add(50);
  series.Merge(other);
  EXPECT_EQ(series.Json(), "[[0,7,0,1,0,0,2],[9,3],[50,1]]");
  EXPECT_EQ(series.total(), 14u);
  EXPECT_EQ(other.Json(), "[[50,1]]");
}

}  // namespace
}  // namespace isochron::debug
