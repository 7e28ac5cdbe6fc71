#include "hostio/printable.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace isochron::hostio {
namespace {

using std::string_literals::operator""s;

TEST(Printable, LeavesWhatCanBeSeen) {
  const std::string text =
      "/home/j\xc3\xbcrgen/\xe5\x86\x85\xe6\xa0\xb8 \xf0\x9f\x90\xa7 \\ \"a\" <b> & ~";
  EXPECT_EQ(Printable(text), text);
}

TEST(Printable, EscapesControlCharacters) {
  EXPECT_EQ(Printable("a\x1b[31mb\nc\rd\te\x7f\0f"s), "a\\x1b[31mb\\nc\\rd\\te\\x7f\\x00f");
  // C1 as UTF-8: CSI and NEL.
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m\xc2\x85"),
            "\\u009b31m\\u0085");
}

TEST(Printable, EscapesWhatIsNoUtf8) {
  EXPECT_EQ(Printable("\x9b"
                      "31m"),
            "\\x9b31m");
  EXPECT_EQ(Printable("\xc3"), "\\xc3");                             // cut short
  EXPECT_EQ(Printable("\xc3("), "\\xc3(");                           // no continuation
  EXPECT_EQ(Printable("\xc0\x9b"), "\\xc0\\x9b");                    // an overlong ESC
  EXPECT_EQ(Printable("\xe0\x80\x9b"), "\\xe0\\x80\\x9b");           // another
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // past U+10FFFF
  EXPECT_EQ(Printable("\xff\xfe"), "\\xff\\xfe");
}

TEST(Printable, EscapesWhatReordersOrHidesText) {
  EXPECT_EQ(Printable("a\xe2\x80\xae"
                      "fle.exe"),
            "a\\u202efle.exe");
  EXPECT_EQ(Printable("a\xe2\x80\xa8"
                      "b\xef\xbb\xbf"
                      "c\xe2\x81\xa6"),
            "a\\u2028b\\ufeffc\\u2066");
  EXPECT_EQ(Printable("\xf3\xa0\x81\x81"), "\\U000e0041");
}

// What it writes is one line that a terminal only shows, for any bytes at all, and stays as it is.
TEST(Printable, HoldsForAllPairsOfBytes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string bytes = {static_cast<char>(first), static_cast<char>(second), 'x'};
      const std::string text = Printable(bytes);
      for (size_t i = 0; i < text.size(); ++i) {
        const uint8_t byte = static_cast<uint8_t>(text[i]);
        ASSERT_TRUE(byte >= 0x20 && byte != 0x7f) << first << " " << second;
        // A byte 0x80 to 0x9f stands nowhere but behind a lead byte, and not for C1.
        if (byte >= 0x80 && byte <= 0x9f) {
          ASSERT_TRUE(i > 0 && static_cast<uint8_t>(text[i - 1]) > 0xc2) << first << " " << second;
        }
      }
      ASSERT_EQ(Printable(text), text) << first << " " << second;
      ASSERT_TRUE(text.ends_with('x'));
    }
  }
}

TEST(DecodeUtf8, TakesWhatIsNoneInMaximalSubparts) {
  // As the example of the Unicode standard, table 3-8 to 3-11, has them.
  const std::string text =
      "\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41\xc0\xaf\xed\xa0\xe2\x82\xac\xf0\x9f\x90\xa7";
  std::vector<size_t> sizes;
  std::vector<uint32_t> valid;
  for (size_t at = 0; at < text.size();) {
    const Utf8Character character = DecodeUtf8(std::string_view(text).substr(at));
    sizes.push_back(character.bytes);
    if (character.valid) valid.push_back(character.value);
    at += character.bytes;
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{2, 1, 3, 2, 1, 1, 1, 1, 1, 3, 4}));
  EXPECT_EQ(valid, (std::vector<uint32_t>{'A', 0x20ac, 0x1f427}));
}

TEST(PrintableLines, KeepsTheEndsOfLinesAlone) {
  EXPECT_EQ(PrintableLines("a\tb\n\x1b[2Jc\r\n"), "a\\tb\n\\x1b[2Jc\\r\n");
}

TEST(PrintableMarkup, IsTextInHtml) {
  EXPECT_EQ(PrintableMarkup("<a href=\"x\">&'\n\x1b"),
            "&lt;a href=&quot;x&quot;&gt;&amp;&#39;\n\\x1b");
}

}  // namespace
}  // namespace isochron::hostio
