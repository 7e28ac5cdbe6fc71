#include "cli/control/script.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

using Kind = ScriptCommand::Kind;

constexpr uint64_t kHz = 600'000'000;

std::string ErrorOf(std::string_view text) {
  absl::StatusOr<std::vector<ScriptCommand>> script = ParseScript(text, "s", kHz);
  return script.ok() ? "no error" : std::string(script.status().message());
}

std::string TextOf(std::string_view line) {
  absl::StatusOr<std::vector<ScriptCommand>> script = ParseScript(line, "s", kHz);
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
      "s", kHz);
  ASSERT_TRUE(script.ok()) << script.status();
  const std::vector<ScriptCommand> expected = {
      {Kind::kExpect, "# ", 2'000'000'000, 0, 3},
      {Kind::kSend, "uname -a\n", 0, 0, 4},
      {Kind::kSendAt, "x", 3'000'000, 0, 5},
      {Kind::kExpect, "done", ScriptCommand::kDefaultWithin, 0, 6},
      {Kind::kRun, "", 1'000'000, 0, 7},
      {Kind::kStop, "", 4'000'000, 0, 8},
      {Kind::kStop, "", 0, 0, 9},
  };
  EXPECT_EQ(*script, expected);
}

TEST(ParseScript, AddressesUartsAndSendsBreaks) {
  const absl::StatusOr<std::vector<ScriptCommand>> script = ParseScript(
      "send-break\nserial1 send \"x\"\nat 5 serial1 send \"y\"\nat 7 serial1 send-break\n"
      "serial1 expect \"z\" within 9\nserial1 expect /z/i\n",
      "s", kHz);
  ASSERT_TRUE(script.ok()) << script.status();
  ASSERT_EQ(script->size(), 6u);
  const ScriptCommand& own_break = (*script)[0];
  EXPECT_EQ(own_break.kind, Kind::kSendBreak);
  EXPECT_EQ(own_break.uart, 0);
  EXPECT_EQ(own_break.cycles, 0u);
  EXPECT_EQ((*script)[1].kind, Kind::kSend);
  EXPECT_EQ((*script)[1].uart, 1);
  EXPECT_EQ((*script)[2].kind, Kind::kSendAt);
  EXPECT_EQ((*script)[2].uart, 1);
  EXPECT_EQ((*script)[2].text, "y");
  EXPECT_EQ((*script)[3].kind, Kind::kSendBreak);
  EXPECT_EQ((*script)[3].uart, 1);
  EXPECT_EQ((*script)[3].cycles, 7u);
  EXPECT_EQ((*script)[4], (ScriptCommand{Kind::kExpect, "z", 9, 1, 5}));
  EXPECT_EQ((*script)[5].uart, 1);
  EXPECT_TRUE((*script)[5].is_regex);
}

TEST(DescribeCommand, SaysWhichUartIsMeant) {
  const absl::StatusOr<std::vector<ScriptCommand>> script = ParseScript(
      "expect \"a\"\nsend-break\nserial1 expect /a/i\nserial1 send \"b\"\nat 5 serial1 send \"c\"\n"
      "serial1 send-break\n",
      "s", kHz);
  ASSERT_TRUE(script.ok()) << script.status();
  std::vector<std::string> described;
  for (const ScriptCommand& command : *script) described.push_back(DescribeCommand(command));
  EXPECT_EQ(described, (std::vector<std::string>{"expect \"a\"", "send-break",
                                                 "serial1 expect /a/i", "serial1 send \"b\"",
                                                 "serial1 send \"c\"", "serial1 send-break"}));
}

TEST(ParseScript, AcceptsNothing) {
  EXPECT_TRUE(ParseScript("", "s", kHz)->empty());
  EXPECT_TRUE(ParseScript("\n\n  # only\n", "s", kHz)->empty());
}

TEST(ParseScript, ResolvesEscapes) {
  EXPECT_EQ(TextOf(R"(send "\n\r\t\e\\\"")"), "\n\r\t\x1b\\\"");
  EXPECT_EQ(TextOf(R"(send "\x00\x7F\xa5z")"), std::string("\0\x7f\xa5z", 4));
  EXPECT_EQ(TextOf(R"(send "\^C\^c\^@\^[\^_\^?")"), std::string("\x03\x03\0\x1b\x1f\x7f", 6));
  EXPECT_EQ(TextOf("send \"a#b\""), "a#b");
}

TEST(ParseScript, NamesLineAndColumn) {
  EXPECT_EQ(
      ErrorOf("stop\n  jump\n"),
      "s:2:3: unknown command; there are expect, send, send-break, serial1, at, run and stop");
  EXPECT_EQ(ErrorOf("send"), "s:1:5: expected a text in double quotes");
  EXPECT_EQ(ErrorOf("send x"), "s:1:6: expected a text in double quotes");
  EXPECT_EQ(ErrorOf("send \"x"), "s:1:6: the closing double quote is missing");
  EXPECT_EQ(ErrorOf("send \"x\\\""), "s:1:6: the closing double quote is missing");
  EXPECT_EQ(ErrorOf("send \"\""), "s:1:6: the text is empty");
  EXPECT_EQ(ErrorOf("send \"ab\\q\""),
            "s:1:9: unknown escape; there are \\n \\r \\t \\e \\\\ \\\" \\xHH \\^C");
  EXPECT_EQ(ErrorOf("send \"\\x1\""), "s:1:7: \\x needs two hexadecimal digits");
  EXPECT_EQ(ErrorOf("send \"\\^1\""), "s:1:7: \\^ needs a letter or one of @ [ \\ ] ^ _ ?");
  EXPECT_EQ(ErrorOf("expect \"x\" 5"), "s:1:12: expected 'within'");
  EXPECT_EQ(ErrorOf("expect \"x\" within soon"),
            "s:1:19: 'soon' is not a number of cycles or a time (digits, perhaps followed by K, M "
            "or G, or by ns, us, ms or s)");
  EXPECT_EQ(ErrorOf("at 5 expect \"x\""),
            "s:1:6: expected 'send', 'send-break', 'serial1' or 'stop'");
  EXPECT_EQ(ErrorOf("serial1 stop"), "s:1:9: expected 'expect', 'send' or 'send-break'");
  EXPECT_EQ(ErrorOf("at 5 serial1 expect \"x\""), "s:1:14: expected 'send' or 'send-break'");
  EXPECT_EQ(ErrorOf("send-break \"x\""), "s:1:12: nothing more is expected on this line");
  EXPECT_EQ(ErrorOf("run"),
            "s:1:4: '' is not a number of cycles or a time (digits, perhaps followed by K, M or G, "
            "or by ns, us, ms or s)");
  EXPECT_EQ(ErrorOf("stop now"), "s:1:6: nothing more is expected on this line");
}

TEST(QuoteScriptText, IsReadBackTheSame) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(TextOf("send " + QuoteScriptText(all)), all);
}

TEST(ParseScript, TakesTimesInSeconds) {
  const auto script = ParseScript(
      "expect \"x\" within 20s\nat 1.5s send \"y\"\nrun 10ms\nat 1.5G stop\n", "s", kHz);
  ASSERT_TRUE(script.ok()) << script.status();
  EXPECT_EQ((*script)[0].cycles, 20 * kHz);
  EXPECT_EQ((*script)[1].cycles, kHz + kHz / 2);
  EXPECT_EQ((*script)[2].cycles, kHz / 100);
  EXPECT_EQ((*script)[3].cycles, 1'500'000'000u);
}

TEST(ParseScript, TakesRegularExpressions) {
  const auto script = ParseScript(
      "expect /^eth\\d+: \"up\" # now$/ within 1M # comment\nexpect /a\\/b\\\\/i\n", "s", kHz);
  ASSERT_TRUE(script.ok()) << script.status();
  ASSERT_EQ(script->size(), 2u);
  EXPECT_EQ((*script)[0].text, "^eth\\d+: \"up\" # now$");
  EXPECT_TRUE((*script)[0].is_regex);
  EXPECT_FALSE((*script)[0].ignore_case);
  EXPECT_EQ((*script)[0].cycles, 1'000'000u);
  EXPECT_EQ((*script)[1].text, "a/b\\\\");
  EXPECT_TRUE((*script)[1].ignore_case);
  EXPECT_EQ(ExpectedText((*script)[1]), "/a\\/b\\\\/i");
}

TEST(ParseScript, NamesWhatIsWrongWithARegularExpression) {
  EXPECT_EQ(ErrorOf("expect /abc"), "s:1:8: the closing slash is missing");
  EXPECT_EQ(ErrorOf("expect /a\\/"), "s:1:8: the closing slash is missing");
  EXPECT_EQ(ErrorOf("expect /a(/"), "s:1:8: bad regular expression: missing ): a(");
  EXPECT_EQ(ErrorOf("expect //"), "s:1:8: the regular expression matches the empty text");
  EXPECT_EQ(ErrorOf("expect /a/x"),
            "s:1:11: after a regular expression there is i, for either case, or nothing");
  EXPECT_NE(ErrorOf("send /a/"), "no error");
}

}  // namespace
}  // namespace isochron::cli
