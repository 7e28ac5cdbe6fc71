#include "alpha/state_visitor.h"

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum class Colour : uint16_t { kRed = 1, kGreen = 0x203 };

struct Point {
  int32_t x = 0;
  int8_t y = 0;
  void VisitState(StateVisitor& visitor) { visitor.Field(x, y); }
};

// One field of every kind.
struct Everything {
  uint64_t wide = 0;
  int32_t negative = 0;
  bool flag = false;
  Colour colour = Colour::kRed;
  std::array<uint16_t, 2> pair{};
  Point point;
  std::string text;
  std::deque<uint8_t> queue;
  std::vector<Point> points;
  uint8_t raw[3] = {};

  void VisitState(StateVisitor& visitor) {
    visitor.Section("everything");
    visitor.Field(wide, negative, flag, colour);
    visitor.Field(pair);
    visitor.Field(point);
    visitor.Field(text, 8);
    visitor.Field(queue, 4);
    visitor.Field(points, 4);
    visitor.Bytes(raw, sizeof raw);
  }
};

Everything Sample() {
  Everything e;
  e.wide = 0x0102030405060708;
  e.negative = -2;
  e.flag = true;
  e.colour = Colour::kGreen;
  e.pair = {0xabcd, 7};
  e.point = {-1, 5};
  e.text = "ab";
  e.queue = {9, 8};
  e.points = {{1, 2}, {3, 4}};
  e.raw[0] = 1, e.raw[1] = 2, e.raw[2] = 3;
  return e;
}

std::string Bytes(Everything e) {
  StateWriter writer;
  e.VisitState(writer);
  return writer.Release();
}

TEST(StateVisitorTest, BytesAreLittleEndianAtDeclaredWidth) {
  const std::string_view expected(
      "\x0a\0\0\0everything"
      "\x08\x07\x06\x05\x04\x03\x02\x01"
      "\xfe\xff\xff\xff"
      "\x01"
      "\x03\x02"
      "\xcd\xab\x07\0"
      "\xff\xff\xff\xff\x05"
      "\x02\0\0\0ab"
      "\x02\0\0\0\x09\x08"
      "\x02\0\0\0\x01\0\0\0\x02\x03\0\0\0\x04"
      "\x01\x02\x03",
      14 + 8 + 4 + 1 + 2 + 4 + 5 + 6 + 6 + 14 + 3);
  EXPECT_EQ(Bytes(Sample()), expected);
}

TEST(StateVisitorTest, ReaderRestoresWhatTheWriterWrote) {
  const std::string bytes = Bytes(Sample());
  StateReader reader(bytes);
  EXPECT_TRUE(reader.restoring());
  Everything e;
  e.text = "longer than what is restored";
  e.queue = {1, 2, 3, 4};
  e.VisitState(reader);
  EXPECT_TRUE(reader.Finish().ok());
  EXPECT_EQ(e.wide, 0x0102030405060708u);
  EXPECT_EQ(e.negative, -2);
  EXPECT_TRUE(e.flag);
  EXPECT_EQ(e.colour, Colour::kGreen);
  EXPECT_EQ(e.text, "ab");
  EXPECT_THAT(e.queue, ElementsAre(9, 8));
  ASSERT_EQ(e.points.size(), 2u);
  EXPECT_EQ(e.points[1].x, 3);
  EXPECT_EQ(Bytes(e), bytes);
}

TEST(StateVisitorTest, EveryTruncationIsFound) {
  const std::string bytes = Bytes(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    StateReader reader(std::string_view(bytes).substr(0, size));
    Everything e;
    e.VisitState(reader);
    EXPECT_EQ(reader.Finish().code(), absl::StatusCode::kInvalidArgument) << size;
  }
}

TEST(StateVisitorTest, LeftOverBytesAreFound) {
  StateReader reader("\x01\x02");
  uint8_t byte = 0;
  reader.Field(byte);
  EXPECT_EQ(byte, 1);
  EXPECT_THAT(std::string(reader.Finish().message()), HasSubstr("byte 1: bytes are left over"));
}

TEST(StateVisitorTest, AnotherSectionIsFound) {
  StateWriter writer;
  writer.Section("left");
  StateReader reader(writer.bytes());
  reader.Section("right");
  EXPECT_THAT(std::string(reader.Finish().message()), HasSubstr("another component"));
}

TEST(StateVisitorTest, AfterAFaultFieldsAreZero) {
  StateReader reader("\x07");
  uint32_t wide = 5;
  bool flag = true;
  std::vector<uint8_t> values = {1, 2};
  reader.Field(wide, flag);
  reader.Field(values, 4);
  EXPECT_EQ(wide, 0u);
  EXPECT_FALSE(flag);
  EXPECT_TRUE(values.empty());
  EXPECT_FALSE(reader.Finish().ok());
}

TEST(StateVisitorTest, AHugeCountAllocatesNothing) {
  for (const bool text : {false, true}) {
    StateReader reader(std::string_view("\xff\xff\xff\xff", 4));
    std::vector<uint64_t> values;
    std::string bytes;
    if (text) {
      reader.Field(bytes, 100);
    } else {
      reader.Field(values, 100);
    }
    EXPECT_TRUE(values.empty());
    EXPECT_TRUE(bytes.empty());
    EXPECT_THAT(std::string(reader.Finish().message()), HasSubstr("longer than"));
  }
}

TEST(StateVisitorTest, TheFirstFaultIsReported) {
  StateReader reader("\x01\x02\x03");
  uint8_t byte = 0;
  reader.Field(byte);
  reader.Fail("the first");
  reader.Field(byte);
  reader.Fail("the second");
  EXPECT_THAT(std::string(reader.Finish().message()), HasSubstr("byte 1: the first"));
}

}  // namespace
}  // namespace isochron::alpha
