#include "cli/control/regex_matcher.h"

#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

RegexMatcher Matcher(std::string_view pattern, bool ignore_case = false) {
  absl::StatusOr<RegexMatcher> matcher = RegexMatcher::Create(pattern, ignore_case);
  EXPECT_TRUE(matcher.ok()) << matcher.status();
  return *std::move(matcher);
}

// Up to where `pattern` finds its first match in `text`, in one piece and byte by byte; -1:
// nowhere.
int End(std::string_view pattern, std::string_view text, char before = '\n') {
  RegexMatcher whole = Matcher(pattern);
  whole.Start(before);
  const std::optional<size_t> end = whole.Feed(text);
  RegexMatcher single = Matcher(pattern);
  single.Start(before);
  std::optional<size_t> single_end;
  for (size_t i = 0; i < text.size() && !single_end.has_value(); ++i) {
    if (single.Feed(text.substr(i, 1)).has_value()) single_end = i + 1;
  }
  EXPECT_EQ(end, single_end) << pattern;
  return end.has_value() ? static_cast<int>(*end) : -1;
}

TEST(RegexMatcherTest, EndsWhereTheFirstMatchEnds) {
  EXPECT_EQ(End("a+", "xaaa"), 2);
  EXPECT_EQ(End("abcd|bc", "abcd"), 3);
  EXPECT_EQ(End("login: |# ", "ab# login: "), 4);
  EXPECT_EQ(End("[0-9]{3}", "1 22 333"), 8);
  EXPECT_EQ(End("x", "abc"), -1);
}

TEST(RegexMatcherTest, LooksAtLines) {
  EXPECT_EQ(End("^b", "ab\nb"), 4);
  EXPECT_EQ(End("^b", "b", 'a'), -1);
  EXPECT_EQ(End("^b", "b", '\n'), 1);
  EXPECT_EQ(End("a$", "ab\na\n"), 5);
  EXPECT_EQ(End("a$", "a"), -1) << "what follows is not known";
  EXPECT_EQ(End("a.b", "a\nb"), -1);
  EXPECT_EQ(End("(?s)a.b", "a\nb"), 3);
  EXPECT_EQ(End("a\\nb", "a\r\nb"), 4) << "carriage returns are left out";
  EXPECT_EQ(End("a$", "a\r\n"), 3);
}

TEST(RegexMatcherTest, WaitsForTheEndOfAWord) {
  EXPECT_EQ(End("\\bon\\b", "once on!"), 8);
  EXPECT_EQ(End("\\bon\\b", "on"), -1);
  EXPECT_EQ(End("on\\B", "on"), -1);
  EXPECT_EQ(End("on\\B", "once"), 3);
  EXPECT_EQ(End("on\\z", "on"), -1) << "a stream has no end";
}

TEST(RegexMatcherTest, CaseMattersUnlessAskedOtherwise) {
  EXPECT_EQ(End("panic", "Panic"), -1);
  EXPECT_EQ(Matcher("panic", true).Feed("Panic"), 5u);
  EXPECT_EQ(End("(?i)panic", "Panic"), 5);
}

TEST(RegexMatcherTest, TellsGroups) {
  RegexMatcher matcher = Matcher("(\\w+)=(\\d+)(x)?;");
  EXPECT_EQ(matcher.Feed("a, size=12; b"), 11u);
  const auto groups = matcher.Groups();
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[0], "size=12;");
  EXPECT_EQ(groups[1], "size");
  EXPECT_EQ(groups[2], "12");
  EXPECT_EQ(groups[3], std::nullopt);
}

TEST(RegexMatcherTest, FindsTheSameHoweverTheStreamIsCut) {
  std::string stream;
  for (int line = 0; line < 3000; ++line) stream += "line " + std::to_string(line) + "\r\n";
  const std::string pattern = "^line \\d*99$\\n^line 2[0-9]+00$";
  const int end = End(pattern, stream);
  ASSERT_GT(end, 0);
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    RegexMatcher matcher = Matcher(pattern);
    size_t fed = 0;
    for (;;) {
      ASSERT_LT(fed, stream.size());
      const size_t size = std::min<size_t>(1 + random() % 9000, stream.size() - fed);
      const std::optional<size_t> found = matcher.Feed(std::string_view(stream).substr(fed, size));
      if (found.has_value()) {
        EXPECT_EQ(fed + *found, static_cast<size_t>(end));
        break;
      }
      fed += size;
    }
  }
}

TEST(RegexMatcherTest, FindsMatchesOfTheDocumentedLengthEverywhere) {
  const std::string text = "<" + std::string(RegexMatcher::kLongest - 2, '-') + ">";
  for (const size_t before : {0u, 100u, 4095u, 4097u, 8192u, 20'000u}) {
    EXPECT_EQ(End("<-+>", std::string(before, '.') + text), static_cast<int>(before + text.size()));
  }
}

TEST(RegexMatcherTest, RefusesWhatIsNoneAndWhatIsEverywhere) {
  EXPECT_EQ(RegexMatcher::Create("a(", false).status().message(),
            "bad regular expression: missing ): a(");
  EXPECT_FALSE(RegexMatcher::Create("a)", false).ok());
  for (const char* pattern : {"", "a*", "x|", "^", "$", "a?\\z"}) {
    EXPECT_EQ(RegexMatcher::Create(pattern, false).status().message(),
              "the regular expression matches the empty text")
        << pattern;
  }
}

}  // namespace
}  // namespace isochron::cli
