#include "alpha/state_list.h"

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Entry {
  uint16_t tag = 0;
  int8_t delta = 0;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Field("tag", self.tag);
    visitor.Field("delta", self.delta);
  }
};

struct Buffer {
  std::vector<Entry> entries{{1, -1}, {2, 2}};
  uint32_t next = 1;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Elements(std::span(self.entries));
    visitor.Field("next", self.next);
  }
};

struct Chip {
  bool busy = true;
  std::array<uint8_t, 2> masks{8, 9};
  std::array<uint8_t, 3> registers{5, 6, 7};
  std::deque<Entry> queue{{3, 4}};
  Buffer buffer;
  std::string text = "ab";

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Section("chip");
    visitor.Field("busy", self.busy);
    visitor.Field("masks", self.masks);
    visitor.Field("registers", std::span(self.registers).first(2));
    visitor.Field("queue", self.queue, 4);
    visitor.Field("buffer", self.buffer);
    visitor.Field("text", self.text, 4);
  }
};

struct TwoChips {
  Chip chips[2];
  const char* second = "second";

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Section("board");
    visitor.Component("first", self.chips[0]);
    visitor.Component(self.second, self.chips[1]);
    visitor.Field("last", self.chips[0].busy);
  }
};

template <typename T>
std::vector<std::string> Listed(const T& object, std::string_view under = "") {
  StateLister lister(under);
  lister.Whole(object);
  std::vector<std::string> lines;
  for (const StateField& field : lister.fields()) {
    lines.push_back(absl::StrCat(field.path, "=", field.value, "/", field.size));
  }
  return lines;
}

TEST(StateListTest, EveryNumberHasAPath) {
  EXPECT_THAT(
      Listed(Chip()),
      ElementsAre("chip.busy=1/1", "chip.masks[0]=8/1", "chip.masks[1]=9/1",
                  "chip.registers[0]=5/1", "chip.registers[1]=6/1", "chip.queue.size=1/4",
                  "chip.queue[0].tag=3/2", "chip.queue[0].delta=4/1", "chip.buffer[0].tag=1/2",
                  "chip.buffer[0].delta=255/1", "chip.buffer[1].tag=2/2",
                  "chip.buffer[1].delta=2/1", "chip.buffer.next=1/4", "chip.text.size=2/4",
                  "chip.text[0]=97/1", "chip.text[1]=98/1"));
}

TEST(StateListTest, AListCanBeOfAPart) {
  EXPECT_THAT(Listed(Chip(), "chip.busy"), ElementsAre("chip.busy=1/1"));
  EXPECT_THAT(Listed(Chip(), "chip.buffer[1]"),
              ElementsAre("chip.buffer[1].tag=2/2", "chip.buffer[1].delta=2/1"));
  EXPECT_THAT(Listed(Chip(), "chip.masks"), ElementsAre("chip.masks[0]=8/1", "chip.masks[1]=9/1"));
  EXPECT_THAT(Listed(Chip(), "chip.mask"), IsEmpty());
  EXPECT_THAT(Listed(Chip(), "chip.busy.more"), IsEmpty());
  EXPECT_EQ(Listed(Chip(), "chip"), Listed(Chip()));
}

TEST(StateListTest, AComponentIsASectionUnderItsOwnersName) {
  EXPECT_THAT(Listed(TwoChips(), "first.masks"),
              ElementsAre("first.masks[0]=8/1", "first.masks[1]=9/1"));
  EXPECT_THAT(Listed(TwoChips(), "second.busy"), ElementsAre("second.busy=1/1"));
  EXPECT_THAT(Listed(TwoChips(), "board"), ElementsAre("board.last=1/1"));
}

TEST(StateListTest, TwoFieldsOfOneNameAreAnError) {
  TwoChips chips;
  StateLister good;
  good.Whole(chips);
  EXPECT_TRUE(good.Check().ok()) << good.Check();
  chips.second = "first";
  StateLister bad;
  bad.Whole(chips);
  EXPECT_EQ(bad.Check().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(bad.Check().message()), HasSubstr("first.busy"));
}

}  // namespace
}  // namespace isochron::alpha
