#include "alpha/state_visitor.h"

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <type_traits>
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

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Field("x", self.x);
    visitor.Field("y", self.y);
  }
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

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Section("everything");
    visitor.Field("wide", self.wide);
    visitor.Field("negative", self.negative);
    visitor.Field("flag", self.flag);
    visitor.Field("colour", self.colour);
    visitor.Field("pair", self.pair);
    visitor.Field("point", self.point);
    visitor.Field("text", self.text, 8);
    visitor.Field("queue", self.queue, 4);
    visitor.Field("points", self.points, 4);
    visitor.Bytes("raw", 0, self.raw, sizeof self.raw);
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
  EXPECT_EQ(StateBytes(Sample()), expected);
}

// However much it is, and whatever was asked for on the way.
TEST(StateVisitorTest, AWriterHoldsAllThatWasWritten) {
  StateWriter writer;
  EXPECT_EQ(writer.bytes(), "");
  std::string expected;
  for (uint32_t i = 0; i < 20'000; ++i) {
    const uint8_t narrow = static_cast<uint8_t>(i);
    writer.Field("i", i);
    writer.Field("narrow", narrow);
    expected.append(reinterpret_cast<const char*>(&i), sizeof i);
    expected.push_back(static_cast<char>(narrow));
    if (i % 1000 != 0) continue;
    const std::string text(i, 'x');
    writer.Bytes("text", i, text.data(), text.size());
    expected += text;
    ASSERT_EQ(writer.bytes(), expected);
  }
  EXPECT_EQ(writer.Release(), expected);
  EXPECT_EQ(writer.bytes(), "");
  writer.Field("last", expected[0]);
  EXPECT_EQ(writer.Release(), std::string(1, '\0'));
}

TEST(StateVisitorTest, ReaderRestoresWhatTheWriterWrote) {
  const std::string bytes = StateBytes(Sample());
  Everything e;
  e.text = "longer than what is restored";
  e.queue = {1, 2, 3, 4};
  EXPECT_TRUE(RestoreFromBytes(bytes, e).ok());
  EXPECT_EQ(e.wide, 0x0102030405060708u);
  EXPECT_EQ(e.negative, -2);
  EXPECT_TRUE(e.flag);
  EXPECT_EQ(e.colour, Colour::kGreen);
  EXPECT_EQ(e.text, "ab");
  EXPECT_THAT(e.queue, ElementsAre(9, 8));
  ASSERT_EQ(e.points.size(), 2u);
  EXPECT_EQ(e.points[1].x, 3);
  EXPECT_EQ(StateBytes(e), bytes);
}

TEST(StateVisitorTest, EveryTruncationIsFound) {
  const std::string bytes = StateBytes(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    Everything e;
    EXPECT_EQ(RestoreFromBytes(std::string_view(bytes).substr(0, size), e).code(),
              absl::StatusCode::kInvalidArgument)
        << size;
  }
}

TEST(StateVisitorTest, LeftOverBytesAreFound) {
  StateReader reader("\x01\x02");
  uint8_t byte = 0;
  reader.Field("byte", byte);
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
  reader.Field("wide", wide);
  reader.Field("flag", flag);
  reader.Field("values", values, 4);
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
      reader.Field("bytes", bytes, 100);
    } else {
      reader.Field("values", values, 100);
    }
    EXPECT_TRUE(values.empty());
    EXPECT_TRUE(bytes.empty());
    EXPECT_THAT(std::string(reader.Finish().message()), HasSubstr("longer than"));
  }
}

TEST(StateVisitorTest, TheFirstFaultIsReported) {
  StateReader reader("\x01\x02\x03");
  uint8_t byte = 0;
  reader.Field("byte", byte);
  reader.Fail("the first");
  reader.Field("byte", byte);
  reader.Fail("the second");
  EXPECT_THAT(std::string(reader.Finish().message()), HasSubstr("byte 1: the first"));
}

// A component of two classes: the device gives the mark, the board the name.
struct Device {
  uint8_t level = 3;
  int restored = 0;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Section("device");
    visitor.Field("level", self.level);
  }
  void VisitState(StateVisitor& visitor) const { Walk(visitor, *this); }
  void RestoreState(StateReader& reader) {
    Walk(reader, *this);
    ++restored;
    if (level > 7) reader.Fail("there is no such level");
  }
};

struct Board {
  std::array<Device, 2> devices;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Section("board");
    visitor.Component("left", self.devices[0]);
    visitor.Component("right", self.devices[1]);
  }
};

TEST(StateVisitorTest, ComponentsOfOneMarkAreToldApartByTheirNames) {
  const std::string device("\x06\0\0\0device\x03", 11);
  EXPECT_EQ(StateBytes(Board()), std::string("\x05\0\0\0board", 9) + device + device);
  Board board;
  EXPECT_TRUE(RestoreFromBytes(StateBytes(Board()), board).ok());
  EXPECT_EQ(board.devices[1].restored, 1);
}

// What a reader says of a fault.
TEST(StateVisitorTest, AFaultIsNamed) {
  const auto fault = [](std::string bytes, size_t at, char value) {
    bytes[at] = value;
    Board board;
    return std::string(RestoreFromBytes(bytes, board).message());
  };
  const std::string sound = StateBytes(Board());
  EXPECT_THAT(fault(sound, sound.size() - 1, 8),
              HasSubstr("byte 31, right: there is no such level"));
  EXPECT_THAT(fault(sound, 15, 'D'), HasSubstr("byte 19, left: another component's"));
  Everything e;
  std::string shorter = StateBytes(Sample());
  shorter.resize(shorter.size() - 4);
  EXPECT_THAT(std::string(RestoreFromBytes(shorter, e).message()),
              HasSubstr("everything.points[1].y: it ends too early"));
}

// The walk that reads is const: this compiles, and gives the bytes that a walk of one that can be
// changed gives.
TEST(StateVisitorTest, AWalkThatReadsIsConst) {
  const Everything constant = Sample();
  Everything variable = Sample();
  EXPECT_EQ(StateBytes(constant), StateBytes(variable));
  static_assert(!std::is_base_of_v<StateVisitor, StateReader>);
}

}  // namespace
}  // namespace isochron::alpha
