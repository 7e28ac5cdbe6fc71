#include "debug/report/console_lines.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isochron::debug {
namespace {

using ::testing::ElementsAre;

replaylog::OutputRun OutputOf(uint8_t uart, std::string bytes, uint64_t delta = 10) {
  replaylog::OutputRun run;
  run.uart = uart;
  run.deltas.assign(bytes.empty() ? 0 : bytes.size() - 1, delta);
  run.bytes = std::move(bytes);
  return run;
}

std::vector<std::string> Lines(const std::vector<std::pair<uint64_t, replaylog::OutputRun>>& runs) {
  std::vector<std::string> lines;
  LineCutter cutter([&](const ConsoleLine& line) {
    lines.push_back(std::to_string(line.cycle) + " " + std::to_string(line.uart) + " " + line.text);
  });
  for (const auto& [cycle, run] : runs) cutter.Add(cycle, run);
  cutter.Finish();
  return lines;
}

TEST(LineCutter, TellsWhenALineBegan) {
  EXPECT_THAT(Lines({{100, OutputOf(0, "ab\r\nc")}, {500, OutputOf(0, "d\n\ne")}}),
              ElementsAre("100 0 ab", "140 0 cd", "520 0 ", "530 0 e"));
}

TEST(LineCutter, KeepsUartsApart) {
  EXPECT_THAT(Lines({{1, OutputOf(0, "a")}, {2, OutputOf(1, "x\n")}, {3, OutputOf(0, "b\n")}}),
              ElementsAre("2 1 x", "1 0 ab"));
}

TEST(LineCutter, ShowsNothingThatATerminalOrAPageWouldTakeForMore) {
  EXPECT_THAT(Lines({{0, OutputOf(0, "\x1b[1;31mred\x1b[0m\x07\n")}}), ElementsAre("0 0 red"));
  EXPECT_THAT(Lines({{0, OutputOf(0, "a\tb\t\tc\n")}}),
              ElementsAre("0 0 a       b               c"));
  EXPECT_THAT(Lines({{0, OutputOf(0, "\x1b]0;title\x07\n")}}), ElementsAre("0 0 \\x1b]0;title"));
  EXPECT_THAT(Lines({{0, OutputOf(0, "\xff\xe2\x80\xae</script>\n")}}),
              ElementsAre("0 0 \\xff\\u202e</script>"));
}

TEST(LineCutter, CutsALineThatHasNoEnd) {
  const std::vector<std::string> lines = Lines({{0, OutputOf(0, std::string(100000, 'x'))}});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0], "0 0 " + std::string(400, 'x') + " ...");
}

TEST(LineList, KeepsTheFirstAndTheLast) {
  LineList list(2, 2);
  for (uint64_t cycle = 0; cycle < 7; ++cycle) list.Add({cycle, 0, ""});
  ASSERT_EQ(list.first().size(), 2u);
  ASSERT_EQ(list.last().size(), 2u);
  EXPECT_EQ(list.first()[1].cycle, 1u);
  EXPECT_EQ(list.last()[0].cycle, 5u);
  EXPECT_EQ(list.left_out(), 3u);
}

TEST(FindPrintkTime, KnowsATimeStamp) {
  EXPECT_EQ(FindPrintkTime("[    0.062500] Serial: 8250")->microseconds, 62500u);
  EXPECT_EQ(FindPrintkTime("[    0.062500] Serial: 8250")->text, 15u);
  EXPECT_EQ(FindPrintkTime("[12345.000001]x")->microseconds, 12345000001u);
  for (const char* line :
       {"", "[", "[]", "[    ", "[0.5] a", "[0.0625001] a", "[0.062500", "0.062500] a",
        "[    .062500] a", "[99999999999.000000] a", "[a.062500] "}) {
    EXPECT_FALSE(FindPrintkTime(line).has_value()) << line;
  }
}

}  // namespace
}  // namespace isochron::debug
