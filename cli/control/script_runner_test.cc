#include "cli/control/script_runner.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

using machine::Input;
using machine::InputKind;
using machine::StopCause;

constexpr uint64_t kHz = 600'000'000;

// A runner and the guest's side of the conversation.
class ScriptRunnerTest : public testing::Test {
 protected:
  void Load(std::string_view script) {
    absl::StatusOr<std::vector<ScriptCommand>> commands = ParseScript(script, "s", kHz);
    ASSERT_TRUE(commands.ok()) << commands.status();
    runner_.emplace(*commands, kHz);
  }

  void Print(std::string_view text, uint64_t cycle, int uart = 0) {
    for (char c : text) runner_->OnConsoleByte(uart, cycle, static_cast<uint8_t>(c));
  }

  // What the runner does at an input point, as text.
  std::string Poll(uint64_t cycle) {
    std::vector<Input> inputs;
    runner_->Poll(machine::InputPoint{cycle}, inputs);
    return TextOf(inputs);
  }

  // At a stop point.
  std::string TakeStop(uint64_t cycle) {
    const std::optional<Input> stop =
        runner_->TakeStop({cycle}, machine::InputSource::Occasion::kStopPoint);
    return stop.has_value() ? TextOf({*stop}) : "";
  }

  static std::string TextOf(const std::vector<Input>& inputs) {
    std::string text;
    for (const Input& input : inputs) {
      if (input.kind == InputKind::kBytes) {
        text += "[" + input.bytes + "]";
        if (input.port == machine::Port::Uart(1)) text += "1";
      } else if (input.kind == InputKind::kBreak) {
        text += input.port == machine::Port::Uart(1) ? "break1" : "break";
      } else if (input.cause == StopCause::kQuit) {
        text += "quit";
      } else if (input.cause == StopCause::kExpectFailed) {
        text += "failed " + std::to_string(input.detail);
      }
    }
    return text;
  }

  std::optional<ScriptRunner> runner_;
};

TEST_F(ScriptRunnerTest, SendsAtTheFirstInputPointAfterTheMatch) {
  Load("expect \"# \"\nsend \"ls\\n\"\nexpect \"# \"\nstop\n");
  Print("login#", 10);
  EXPECT_EQ(Poll(100), "");
  Print(" ", 150);
  EXPECT_EQ(Poll(200), "[ls\n]");
  EXPECT_EQ(Poll(300), "");
  Print("a b\n# ", 350);
  EXPECT_EQ(Poll(400), "quit");
  EXPECT_TRUE(runner_->done());
  EXPECT_EQ(Poll(500), "");
}

TEST_F(ScriptRunnerTest, DoesWhatSendsNothingAtStopPoints) {
  constexpr uint64_t kPoint = machine::kStopInterval;
  constexpr uint64_t kFar = uint64_t{1} << 40;
  Load("run 10\nexpect \"x\" within 50\nsend \"y\"\nat 5M stop\n");
  EXPECT_EQ(runner_->NextStop(0, kFar), kPoint);
  EXPECT_EQ(TakeStop(kPoint), "");
  EXPECT_EQ(runner_->NextStop(kPoint, kFar), 2 * kPoint) << "where the expect fails";
  Print("x", kPoint + 1);
  EXPECT_EQ(runner_->NextStop(kPoint + 1, kFar), kFar) << "to send takes an input point";
  EXPECT_EQ(TakeStop(2 * kPoint), "");
  EXPECT_EQ(Poll(3 * kPoint), "[y]");
  EXPECT_EQ(runner_->NextStop(3 * kPoint, kFar), 5 * kPoint);
  EXPECT_EQ(TakeStop(4 * kPoint), "");
  EXPECT_EQ(TakeStop(5 * kPoint), "quit");
}

TEST_F(ScriptRunnerTest, DecidesNothingWhereTheHostFindsTheMachine) {
  Load("stop\n");
  EXPECT_EQ(runner_->TakeStop({100}, machine::InputSource::Occasion::kRequest), std::nullopt);
  EXPECT_EQ(runner_->NextStop(100, 200), 200u) << "there is an input point first";
  EXPECT_EQ(TakeStop(machine::kStopInterval), "quit");
}

TEST_F(ScriptRunnerTest, FindsTextThatOverlapsItsOwnBeginning) {
  Load("expect \"aabaaac\"\nsend \"y\"\n");
  Print("aabaabaaac", 1);
  EXPECT_EQ(Poll(2), "[y]");
}

TEST_F(ScriptRunnerTest, LooksOnlyBehindTheLastMatch) {
  Load("expect \"ab\"\nexpect \"ba\"\nsend \"y\"\n");
  Print("ab", 1);
  Print("a", 1);
  EXPECT_EQ(Poll(2), "");
  Print("xba", 3);
  EXPECT_EQ(Poll(4), "[y]");
}

TEST_F(ScriptRunnerTest, SeesOutputThatCameBeforeItsTurn) {
  Load("expect \"one\"\nsend \"1\"\nexpect \"two\"\nexpect \"three\"\nsend \"3\"\n");
  Print("one two three", 1);
  EXPECT_EQ(Poll(2), "[1][3]");
}

TEST_F(ScriptRunnerTest, MatchesAcrossItsTurn) {
  Load("expect \"one\"\nsend \"1\"\nexpect \"two\"\nsend \"2\"\n");
  Print("one t", 1);
  EXPECT_EQ(Poll(2), "[1]");
  Print("wo", 3);
  EXPECT_EQ(Poll(4), "[2]");
}

// In a time that grows with the output, not with its square, and in bounded stack.
TEST_F(ScriptRunnerTest, ManyExpectsAreMetAtOnce) {
  constexpr int kExpects = 90'000;
  std::string script = "at 100 send \"a\"\n";
  for (int i = 0; i < kExpects; ++i) script += "expect \"x\"\n";
  Load(script + "send \"b\"\n");
  for (int i = 0; i < kExpects - 1; ++i) Print("x", 1);
  Print(std::string(4 << 20, '.'), 2);
  EXPECT_EQ(Poll(100), "[a]");
  EXPECT_EQ(runner_->output().size(), size_t{4} << 20);
  Print("x", 150);
  EXPECT_EQ(Poll(200), "[b]");
}

TEST_F(ScriptRunnerTest, SendsInOrderAtOnePoint) {
  Load("send \"a\"\nsend \"b\"\nat 50 send \"c\"\nsend \"d\"\n");
  EXPECT_EQ(Poll(49), "[a][b]");
  EXPECT_EQ(Poll(60), "[c][d]");
}

TEST_F(ScriptRunnerTest, SendsToBothUartsAndBreaks) {
  Load("send \"a\"\nserial1 send \"b\"\nsend-break\nat 50 serial1 send-break\nsend \"c\"\n");
  EXPECT_EQ(Poll(49), "[a][b]1break");
  EXPECT_EQ(Poll(50), "break1[c]");
}

TEST_F(ScriptRunnerTest, SpreadsWhatIsNoOneInputOverManyPoints) {
  std::string script;
  for (int i = 0; i < 100; ++i) script += "send \"a\"\n";
  for (int i = 0; i < 100; ++i) script += "send-break\n";
  Load(script + "stop\n");
  std::string all;
  for (int i = 0; i < 4; ++i) {
    const std::string at_point = Poll(1000 * (i + 1));
    EXPECT_LE(at_point.size(), 100 * 3 + ScriptRunner::kMaxInputs * 5);
    all += at_point;
  }
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += "[a]";
  for (int i = 0; i < 100; ++i) expected += "break";
  EXPECT_EQ(all, expected + "quit");
}

TEST_F(ScriptRunnerTest, LetsCyclesPass) {
  Load("run 100\nsend \"a\"\nexpect \"x\"\nrun 100\nsend \"b\"\n");
  EXPECT_EQ(Poll(99), "");
  EXPECT_EQ(Poll(100), "[a]");
  Print("x", 150);
  EXPECT_EQ(Poll(249), "");
  EXPECT_EQ(Poll(250), "[b]");
}

TEST_F(ScriptRunnerTest, SendsAtOnceWhatIsLate) {
  Load("at 50 send \"c\"\n");
  EXPECT_EQ(Poll(1000), "[c]");
}

TEST_F(ScriptRunnerTest, FailsWhenTheCyclesArePast) {
  Load("send \"a\"\nexpect \"never\" within 100\nsend \"b\"\n");
  EXPECT_EQ(Poll(10), "[a]");
  Print("first\r\nlast words\r\n", 50);
  EXPECT_EQ(Poll(110), "");
  EXPECT_EQ(Poll(111), "failed 2");
  EXPECT_EQ(runner_->failure(),
            "line 2: expect \"never\" was not met within 100 cycles (0.000000 s); last output: "
            "\"last words\"");
  EXPECT_EQ(Poll(200), "");
}

TEST_F(ScriptRunnerTest, CountsBytesUpToTheLastCycle) {
  Load("expect \"x\" within 100\nsend \"y\"\n");
  Print("x", 100);
  EXPECT_EQ(Poll(150), "[y]");
  Load("expect \"x\" within 100\nsend \"y\"\n");
  Print("x", 101);
  EXPECT_EQ(Poll(150), "failed 1");
}

TEST_F(ScriptRunnerTest, CountsFromTheMatchBefore) {
  Load("expect \"a\" within 100\nexpect \"b\" within 100\nsend \"y\"\n");
  Print("a", 90);
  Print("b", 190);
  EXPECT_EQ(Poll(200), "[y]");
}

TEST_F(ScriptRunnerTest, SaysWhenTheGuestWroteNothing) {
  Load("expect \"a\" within 1");
  EXPECT_EQ(Poll(2), "failed 1");
  EXPECT_EQ(
      runner_->failure(),
      "line 1: expect \"a\" was not met within 1 cycles (0.000000 s); the guest wrote nothing");
}

TEST_F(ScriptRunnerTest, KeepsTheUartsApart) {
  Load("expect \"ab\"\nsend \"y\"\nserial1 expect \"cd\" within 10\nsend \"z\"\n");
  Print("ab", 1, 1);
  Print("cd", 1, 0);
  EXPECT_EQ(Poll(2), "");
  Print("a", 3, 0);
  Print("c", 3, 1);
  Print("b", 4, 0);
  EXPECT_EQ(Poll(5), "[y]");
  Print("cd", 6, 0);
  EXPECT_EQ(Poll(7), "");
  Print("d", 8, 1);
  EXPECT_EQ(Poll(9), "[z]");
  EXPECT_EQ(runner_->output(0), "cd");
  EXPECT_EQ(runner_->output(1), "");
}

TEST_F(ScriptRunnerTest, LooksBehindTheLastMatchOfEachUart) {
  Load("run 10\nserial1 expect \"a\"\nexpect /a./\nserial1 expect \"a\"\nexpect /^b$/\nstop\n");
  Print("aa-", 1, 1);
  Print("ab\n", 2);
  Print("b\n", 3);
  EXPECT_EQ(Poll(10), "quit");
  EXPECT_EQ(runner_->output(0), "");
  EXPECT_EQ(runner_->output(1), "-");
}

TEST_F(ScriptRunnerTest, SaysAtWhichUartItWaitedInVain) {
  Load("serial1 expect \"a\" within 1");
  Print("b", 1);
  EXPECT_EQ(Poll(2), "failed 1");
  EXPECT_EQ(runner_->failure(),
            "line 1: serial1 expect \"a\" was not met within 1 cycles (0.000000 s); the "
            "guest wrote nothing to UART 1");
  Load("serial1 expect /a/\n");
  Print("b", 1, 1);
  EXPECT_FALSE(runner_->NoteGuestEnd());
  EXPECT_EQ(runner_->failure(),
            "line 1: serial1 expect /a/ was not met before the guest ended; last output: "
            "\"b\" (UART 1)");
}

TEST_F(ScriptRunnerTest, AGuestThatEndsLeavesNoExpectBehind) {
  Load("send \"a\"\nat 10 send \"x\"\n");
  EXPECT_TRUE(runner_->NoteGuestEnd());
  Load("at 10 send \"x\"\nexpect \"bye\"\n");
  EXPECT_FALSE(runner_->NoteGuestEnd());
  EXPECT_EQ(runner_->failure(),
            "line 2: expect \"bye\" was not met before the guest ended; the guest wrote nothing");
  Load("expect \"bye\"\n");
  Print("bye", 1);
  EXPECT_TRUE(runner_->NoteGuestEnd());
}

// Regular expressions are looked for at input points, and found where the guest wrote them.
TEST_F(ScriptRunnerTest, ARegularExpressionActsLikeAText) {
  Load("expect /lo(gin|gout): / within 100\nsend \"root\"\nexpect \"# \" within 50\nstop\n");
  Print("login", 10);
  EXPECT_EQ(Poll(20), "");
  Print(": ", 30);
  Print("# ", 35);
  EXPECT_EQ(Poll(40), "[root]quit");
}

TEST_F(ScriptRunnerTest, CountsFromWhereARegularExpressionWasFound) {
  Load("expect /a.c/\nexpect \"d\" within 10\n");
  Print("abc", 1000);
  Print("d", 1011);  // too late, although both are seen at one input point
  EXPECT_EQ(Poll(1020), "failed 2");
  Load("expect /a.c/\nexpect /d/ within 10\nexpect \"e\" within 10\nstop\n");
  Print("abc", 1000);
  Print("d", 1010);
  Print("e", 1020);
  EXPECT_EQ(Poll(2000), "quit");
}

TEST_F(ScriptRunnerTest, ARegularExpressionThatComesTooLateIsNotFound) {
  Load("expect /ab/ within 10\n");
  Print("a", 5);
  Print("b", 11);
  EXPECT_EQ(Poll(20), "failed 1");
  EXPECT_EQ(runner_->failure(),
            "line 1: expect /ab/ was not met within 10 cycles (0.000000 s); "
            "last output: \"ab\"");
}

TEST_F(ScriptRunnerTest, RegularExpressionsSeeWhatCameBeforeTheirTurn) {
  Load("run 100\nexpect /^b/\nexpect /^c$/\nexpect \"d\"\nstop\n");
  Print("ab\r\nb\r\nc\r\nd", 10);
  EXPECT_EQ(Poll(200), "quit");
}

TEST_F(ScriptRunnerTest, ALineDoesNotBeginWhereAMatchEnded) {
  Load("expect \"a\"\nexpect /^b/ within 100\nstop\n");
  Print("ab", 10);
  EXPECT_EQ(Poll(50), "");
  Print("\nb", 60);
  EXPECT_EQ(Poll(70), "quit");
}

// What follows on the other UART is timed by its own bytes, although both are seen at one input
// point.
TEST_F(ScriptRunnerTest, FindsARegularExpressionBeforeTheOtherUartGoesOn) {
  for (const char* second :
       {"serial1 expect \"c\" within 10\n", "serial1 expect /c/ within 10\n"}) {
    Load(std::string("expect /ab/\n") + second + "expect \"d\" within 10\nstop\n");
    Print("ab", 100);
    Print("c", 110, 1);
    Print("d", 120);
    EXPECT_EQ(Poll(200), "quit");
    Load(std::string("expect /ab/\n") + second);
    Print("ab", 100);
    Print("c", 111, 1);
    EXPECT_EQ(Poll(200), "failed 2");
  }
}

// Between two input points a guest can write more than is kept.
TEST_F(ScriptRunnerTest, FindsRegularExpressionsInAFlood) {
  Load("expect /x{3}/\nexpect /y{3}/ within 1000\nstop\n");
  Print(std::string(ScriptRunner::kMaxOutput + 5000, '-'), 10);
  Print("xxx", 20);
  Print(std::string(10'000, '-'), 30);
  Print("yyy", 1020);
  EXPECT_EQ(Poll(2000), "quit");
}

TEST_F(ScriptRunnerTest, TheEndOfTheGuestMeetsARegularExpression) {
  Load("expect /bye/\n");
  Print("bye", 10);
  EXPECT_TRUE(runner_->NoteGuestEnd(20));
  Load("expect /bye/\n");
  EXPECT_FALSE(runner_->NoteGuestEnd(20));
}

}  // namespace
}  // namespace isochron::cli
