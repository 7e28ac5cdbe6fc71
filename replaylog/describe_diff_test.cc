#include "replaylog/describe_diff.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "replaylog/log_testing.h"

namespace isochron::replaylog {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr uint64_t kHz = 600'000'000;

EventPair Outputs(const std::string& left, const std::string& right) {
  return {OutputAt(600, left, 5), OutputAt(600, right, 5)};
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST(DiffTextTest, MarksTheFirstByteThatDiffers) {
  const DiffText text("A", "B", kHz, 80);
  const EventPair pair = Outputs("hello\r\nworld", "hello\r\nwOrld");
  EXPECT_EQ(text.Summary(pair), "event 0, cycle 600 (0.000001 s): byte 8 of the output");
  EXPECT_THAT(text.Different(pair), HasSubstr("- from byte 0 \"hello\\r\\nworld\"\n"
                                              "+ from byte 0 \"hello\\r\\nwOrld\"\n"
                                              "                         ^\n"));
}

// However long what is around it, and whatever its bytes, the difference is in the line and below
// it the mark.
TEST(DiffTextTest, KeepsTheDifferenceInSight) {
  for (const size_t columns : {80u, 100u, 160u, 200u}) {
    const DiffText text("A", "B", kHz, columns);
    for (const char filler : {'a', '\n', '\x01'}) {
      for (const size_t before : {0u, 1u, 20u, 37u, 3000u}) {
        for (const size_t after : {0u, 1u, 500u}) {
          const std::string start(before, filler), rest(after, filler);
          const std::string all = text.Different(Outputs(start + "L" + rest, start + "R" + rest));
          const std::vector<std::string> lines = LinesOf(all);
          for (const std::string& line : lines) EXPECT_LE(line.size(), columns) << line;
          const size_t at = lines.back().rfind('^');
          ASSERT_NE(at, std::string::npos);
          EXPECT_EQ(lines[lines.size() - 2][at], 'R') << all;
        }
      }
    }
  }
}

TEST(DiffTextTest, ShowsStatesWhole) {
  const DiffText text("A", "B", kHz, 80);
  const EventPair pair = {Event{3, 9, 0, CheckpointEvent{1, {1, 1}}},
                          Event{3, 9, 0, CheckpointEvent{1, {1, 2}}}};
  EXPECT_THAT(text.Different(pair), HasSubstr("- state 00000000000000010000000000000001\n"
                                              "+ state 00000000000000020000000000000001\n"));
}

TEST(DiffTextTest, SaysWhichLogLacksAnEvent) {
  const DiffText text("A", "B", kHz, 80);
  EventPair pair;
  pair.left = Event{7, 600, 0, InterruptEvent{uint64_t{1} << 35}};
  EXPECT_EQ(text.Summary(pair), "event 7, cycle 600 (0.000001 s): B has none like it");
  EXPECT_EQ(LinesOf(text.Different(pair)).size(), 1u);
  pair.one_ended = true;
  EXPECT_EQ(text.Summary(pair), "B ends before event 7");
  EXPECT_THAT(text.Different(pair), HasSubstr("\n+ the log ends here\n"));
}

TEST(DiffTextTest, PutsWideLogsSideBySide) {
  const DiffText text("A", "B", kHz, 160);
  const std::string line = text.Different({Event{7, 600, 0, InterruptEvent{uint64_t{1} << 35}},
                                           Event{7, 601, 0, InterruptEvent{uint64_t{1} << 35}}});
  EXPECT_THAT(line, HasSubstr(" | "));
  EXPECT_THAT(line, HasSubstr("            601    0.000001 interrupt  ISUM 0x800000000 timer\n"));
  EXPECT_EQ(LinesOf(line).size(), 1u);
  EXPECT_EQ(LinesOf(text.Heading()).size(), 2u);
}

TEST(DiffTextTest, ShowsNoNameRaw) {
  const DiffText text("A\x1b[2J\n", "B\r", kHz, 80);
  EXPECT_THAT(text.Heading(), HasSubstr("- A\\x1b[2J\\n\n+ B\\r\n"));
}

TEST(DifferenceToJsonTest, HasBothEvents) {
  EXPECT_EQ(
      DifferenceToJson(Outputs("ab", "ac"), kHz),
      R"({"type":"difference","what":"byte 1 of the output","byte":1,)"
      R"("left":{"event":0,"cycle":600,"cpu":0,"type":"output","uart":0,"bytes":"ab","deltas":[5]},)"
      R"("right":{"event":0,"cycle":600,"cpu":0,"type":"output","uart":0,"bytes":"ac","deltas":[5]}})");
  EventPair pair;
  pair.right = Event{7, 600, 0, InterruptEvent{1}};
  EXPECT_EQ(DifferenceToJson(pair, kHz),
            R"({"type":"difference","left":null,)"
            R"("right":{"event":7,"cycle":600,"cpu":0,"type":"interrupt","pending":"0x1"}})");
  EXPECT_EQ(DifferenceToJson(HeaderDifference{"seed", "0", "3"}),
            R"({"type":"header","field":"seed","left":"0","right":"3"})");
}

}  // namespace
}  // namespace isochron::replaylog
