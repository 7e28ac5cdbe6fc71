#include "cli/host/terminal_filter.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

std::string Filtered(std::string_view text, bool drop_queries = true) {
  TerminalFilter filter(drop_queries);
  std::string out;
  for (const char c : text) filter.Feed(c, out);
  return out;
}

std::string RestoreAfter(std::string_view text, bool drop_queries = true) {
  TerminalFilter filter(drop_queries);
  std::string out;
  for (const char c : text) filter.Feed(c, out);
  return filter.Restore();
}

TEST(TerminalFilterTest, DropsWhatATerminalAnswers) {
  // clang-format off
  for (const std::string_view query :
       {"\x1b[6n", "\x1b[5n", "\x1b[?6n", "\x1b[?15n", "\x1b[c", "\x1b[0c", "\x1b[>c", "\x1b[>0c",
        "\x1b[=c", "\x1bZ", "\x05", "\x1b[x", "\x1b[1x", "\x1b[?25$p", "\x1b[4$p", "\x1b[>q",
        "\x1b[>0q", "\x1b[?u", "\x1b[18t", "\x1b[14;2t", "\x1b[21t", "\x1b[1;1;1;1;2;2*y", "\x1b[1$w",
        "\x1b[?1;1S", "\x1b[?4m", "\x1b]11;?\x07", "\x1b]11;?\x1b\\", "\x1b]4;1;?\x07", "\x1b]52;c;?\x07",
        "\x1b]21;foreground=?\x1b\\", "\x1bP$qm\x1b\\", "\x1bP+q544e\x1b\\", "\x1b_Gi=31,a=q;AAAA\x1b\\",
        "\x9b" "6n", "\xc2\x9b" "6n", "\x9a", "\x1b[\x05" "6n"}) {
    // clang-format on
    EXPECT_EQ(Filtered("a" + std::string(query) + "b"), "ab") << testing::PrintToString(query);
    EXPECT_EQ(Filtered("a" + std::string(query) + "b", false), "a" + std::string(query) + "b");
  }
}

TEST(TerminalFilterTest, PassesEverythingElse) {
  // clang-format off
  for (const std::string_view text :
       {"plain\r\n\t\b\x07", "\x1b[1;31mred\x1b[m", "\x1b[2J\x1b[H", "\x1b[?25l", "\x1b[?2004h", "\x1b[3;4r",
        "\x1b(0lqk\x1b(B", "\x1b]0;title\x07", "\x1b]0;\xc3\x9c" "ber ?\x1b\\", "\x1b]8;;http://x/?a=b\x1b\\", "\x1b" "7\x1b" "8",
        "\x1b[8;24;80t", "\x1b[22;0t", "\x1b[?6c", "\x1b[>4;2m", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
        "\xc2\xa0", "\x1b[>1u\x1b[<u", "\x1bPq#0~\x1b\\"}) {
    // clang-format on
    EXPECT_EQ(Filtered(text, false), text);
    EXPECT_EQ(Filtered(text), text) << testing::PrintToString(text);
  }
  EXPECT_EQ(Filtered("\x1b[1\n2H"), "\n\x1b[12H") << "obeyed in the middle";
}

TEST(TerminalFilterTest, AQueryThatIsWrittenPieceByPieceIsOne) {
  TerminalFilter filter(true);
  std::string out;
  for (const char c : std::string_view("\x1b[")) filter.Feed(c, out);
  EXPECT_EQ(out, "");
  for (const char c : std::string_view("6n")) filter.Feed(c, out);
  EXPECT_EQ(out, "");
  for (const char c : std::string_view("\x1b[6\x1b[1m\x1b]11;\x18x")) filter.Feed(c, out);
  EXPECT_EQ(out, "\x1b[1m\x18x") << "what was broken off is gone";
}

TEST(TerminalFilterTest, HoldsNoMoreThanASequence) {
  std::string text = "\x1b]0;" + std::string(10 * TerminalFilter::kMaxSequence, 'x') +
                     "\x07"
                     "done";
  EXPECT_EQ(Filtered(text), "done");
  EXPECT_EQ(Filtered(text, false), text);
}

TEST(TerminalFilterTest, UndoesWhatWasLeftChanged) {
  EXPECT_EQ(RestoreAfter("a\r\nb"), "");
  EXPECT_EQ(RestoreAfter("\x1b[?25l"), "\x1b[?25h");
  EXPECT_EQ(RestoreAfter("\x1b[?25l\x1b[?25h"), "");
  EXPECT_EQ(RestoreAfter("\x1b[?1049h\x1b[?1000;1006h\x1b[?2004h\x1b[4h\x1b[?1000l"),
            "\x1b[4l\x1b[?1006l\x1b[?1049l\x1b[?2004l");
  EXPECT_EQ(RestoreAfter("\x1b[31m"), "\x1b[m");
  EXPECT_EQ(RestoreAfter("\x1b[2;20r"),
            "\x1b"
            "7\x1b[r\x1b"
            "8");
  EXPECT_EQ(RestoreAfter("\x1b(0"), "\x0f\x1b(B");
  EXPECT_EQ(RestoreAfter("\x0e"), "\x0f\x1b(B");
  EXPECT_EQ(RestoreAfter("\x1b=\x1b[4 q\x1b[>1u"), "\x1b>\x1b[0 q\x1b[<1u");
  EXPECT_EQ(RestoreAfter("\x1b[?1049h\x1b[31m\x1b"
                         "c"),
            "");
  EXPECT_EQ(RestoreAfter("\x1b]0;half", false), "\x18");
  EXPECT_EQ(RestoreAfter("\x1b]0;half", true), "") << "the terminal has not seen it";
}

}  // namespace
}  // namespace isochron::cli
