#include "cli/script.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

using Kind = ScriptCommand::Kind;

std::string ErrorOf(std::string_view text) {
  absl::StatusOr<std::vector<ScriptCommand>> script = ParseScript(text, "s");
  return script.ok() ? "no error" : std::string(script.status().message());
}

std::string TextOf(std::string_view line) {
  absl::StatusOr<std::vector<ScriptCommand>> script = ParseScript(line, "s");
  return script.ok() && script->size() == 1 ? script->front().text : ErrorOf(line);
}

TEST(ParseScript, ReadsEveryCommand) {
  const absl::StatusOr<std::vector<ScriptCommand>> script = ParseScript(
      "# boots\n"
      "\n"
      "expect \"# \" within 2G  # the prompt\r\n"
      "  send \"uname -a\\n\"\n"
      "\tat 3M send \"x\"\n"
      "expect\"done\"\n"
      "run 1M\n"
      "at 4M stop\n"
      "stop",
      "s");
  ASSERT_TRUE(script.ok()) << script.status();
  const std::vector<ScriptCommand> expected = {
      {Kind::kExpect, "# ", 2'000'000'000, 3},
      {Kind::kSend, "uname -a\n", 0, 4},
      {Kind::kSendAt, "x", 3'000'000, 5},
      {Kind::kExpect, "done", ScriptCommand::kDefaultWithin, 6},
      {Kind::kRun, "", 1'000'000, 7},
      {Kind::kStop, "", 4'000'000, 8},
      {Kind::kStop, "", 0, 9},
  };
  EXPECT_EQ(*script, expected);
}

TEST(ParseScript, AcceptsNothing) {
  EXPECT_TRUE(ParseScript("", "s")->empty());
  EXPECT_TRUE(ParseScript("\n\n  # only\n", "s")->empty());
}

TEST(ParseScript, ResolvesEscapes) {
  EXPECT_EQ(TextOf(R"(send "\n\r\t\e\\\"")"), "\n\r\t\x1b\\\"");
  EXPECT_EQ(TextOf(R"(send "\x00\x7F\xa5z")"), std::string("\0\x7f\xa5z", 4));
  EXPECT_EQ(TextOf(R"(send "\^C\^c\^@\^[\^_\^?")"), std::string("\x03\x03\0\x1b\x1f\x7f", 6));
  EXPECT_EQ(TextOf("send \"a#b\""), "a#b");
}

TEST(ParseScript, NamesLineAndColumn) {
  EXPECT_EQ(ErrorOf("stop\n  jump\n"),
            "s:2:3: unknown command; there are expect, send, at, run and stop");
  EXPECT_EQ(ErrorOf("send"), "s:1:5: expected a text in double quotes");
  EXPECT_EQ(ErrorOf("send x"), "s:1:6: expected a text in double quotes");
  EXPECT_EQ(ErrorOf("send \"x"), "s:1:6: the closing double quote is missing");
  EXPECT_EQ(ErrorOf("send \"x\\\""), "s:1:6: the closing double quote is missing");
  EXPECT_EQ(ErrorOf("send \"\""), "s:1:6: the text is empty");
  EXPECT_EQ(ErrorOf("send \"ab\\q\""),
            "s:1:9: unknown escape; there are \\n \\r \\t \\e \\\\ \\\" \\xHH \\^C");
  EXPECT_EQ(ErrorOf("send \"\\x1\""), "s:1:7: \\x needs two hexadecimal digits");
  EXPECT_EQ(ErrorOf("send \"\\^1\""),
            "s:1:7: \\^ needs a letter or one of @ [ \\ ] ^ _ ?");
  EXPECT_EQ(ErrorOf("expect \"x\" 5"), "s:1:12: expected 'within'");
  EXPECT_EQ(ErrorOf("expect \"x\" within soon"),
            "s:1:19: 'soon' is not a number of cycles (digits, perhaps followed by K, M or G)");
  EXPECT_EQ(ErrorOf("at 5 expect \"x\""), "s:1:6: expected 'send' or 'stop'");
  EXPECT_EQ(ErrorOf("run"), "s:1:4: '' is not a number of cycles (digits, perhaps followed by K, M or G)");
  EXPECT_EQ(ErrorOf("stop now"), "s:1:6: nothing more is expected on this line");
}

TEST(QuoteScriptText, IsReadBackTheSame) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(TextOf("send " + QuoteScriptText(all)), all);
}

}  // namespace
}  // namespace isochron::cli
