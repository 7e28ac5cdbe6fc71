#include "replaylog/log_diff.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "replaylog/log_testing.h"

namespace isochron::replaylog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// All pairs of two logs of these events.
std::vector<EventPair> Compare(const std::vector<Event>& left, const std::vector<Event>& right) {
  WriteLog(TestPath("left"), left);
  WriteLog(TestPath("right"), right);
  auto left_reader = LogReader::Open(TestPath("left"));
  auto right_reader = LogReader::Open(TestPath("right"));
  EXPECT_TRUE(left_reader.ok() && right_reader.ok());
  LogComparison comparison(**left_reader, **right_reader);
  std::vector<EventPair> pairs;
  for (;;) {
    EventPair pair;
    absl::StatusOr<bool> more = comparison.Next(pair);
    EXPECT_TRUE(more.ok()) << more.status();
    if (!more.ok() || !*more) return pairs;
    pairs.push_back(std::move(pair));
  }
}

// The positions of the pairs that are not equal.
std::vector<size_t> Different(const std::vector<EventPair>& pairs) {
  std::vector<size_t> places;
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (!pairs[i].equal) places.push_back(i);
  }
  return places;
}

TEST(LogDiffTest, EqualLogsHaveNone) {
  const std::vector<EventPair> pairs = Compare(ManyEvents(3000), ManyEvents(3000));
  EXPECT_EQ(pairs.size(), 3000u);
  EXPECT_THAT(Different(pairs), ElementsAre());
}

TEST(LogDiffTest, PairsWhatHasChanged) {
  const std::vector<Event> left = ManyEvents(3000);
  std::vector<Event> right = left;
  std::get<OutputRun>(right[1996].body).bytes[0] = 'z';
  std::get<OutputRun>(right[2000].body).bytes[0] = 'y';
  const std::vector<EventPair> pairs = Compare(left, right);
  EXPECT_THAT(Different(pairs), ElementsAre(1996, 2000));
  EXPECT_EQ(*pairs[2000].left, left[2000]);
  EXPECT_EQ(*pairs[2000].right, right[2000]);
}

TEST(LogDiffTest, FindsWhatOneLogLacks) {
  const std::vector<Event> left = SmallEvents();
  std::vector<Event> right = left;
  right.insert(right.begin() + 2, left[1]);
  std::get<InterruptEvent>(right[2].body).pending = 1;
  for (const bool swapped : {false, true}) {
    const std::vector<EventPair> pairs = swapped ? Compare(right, left) : Compare(left, right);
    EXPECT_EQ(pairs.size(), right.size());
    ASSERT_THAT(Different(pairs), ElementsAre(2));
    const EventPair& pair = pairs[2];
    EXPECT_FALSE((swapped ? pair.right : pair.left).has_value());
    EXPECT_EQ(swapped ? pair.left->body : pair.right->body, right[2].body);
    EXPECT_FALSE(pair.one_ended);
  }
}

TEST(LogDiffTest, ReadsOnWhereNothingIsAlike) {
  const std::vector<Event> left = ManyEvents(3000);
  std::vector<Event> right = left;
  for (size_t i = 1000; i < 1000 + 2 * LogComparison::kWindow; ++i) {
    if (auto* output = std::get_if<OutputRun>(&right[i].body)) output->bytes[0] ^= 1;
    right[i].cycle += 1;
  }
  const std::vector<EventPair> pairs = Compare(left, right);
  const std::vector<size_t> different = Different(pairs);
  EXPECT_EQ(pairs.size(), 3000u);
  EXPECT_EQ(different.front(), 1000u);
  EXPECT_EQ(different.size(), 2 * LogComparison::kWindow);
}

TEST(LogDiffTest, FindsWhereOneEnds) {
  std::vector<Event> left = SmallEvents();
  std::vector<Event> right = left;
  // What is at the end of the shorter log is in the other one, too, where more follows.
  right.insert(right.end() - 1, {0, right.back().cycle, 0, InterruptEvent{5}});
  const std::vector<EventPair> pairs = Compare(left, right);
  ASSERT_EQ(pairs.size(), right.size());
  EXPECT_FALSE(pairs[right.size() - 2].one_ended);
  EXPECT_TRUE(pairs.back().equal);
}

TEST(LogDiffTest, NamesWhatDiffers) {
  const auto NameDifference = [](const Event& left, const Event& right) {
    return replaylog::NameDifference(left, right, 1'000'000);
  };
  const Event output = OutputAt(10, "abc", 5);
  EXPECT_EQ(NameDifference(output, output), "");
  EXPECT_EQ(NameDifference(output, OutputAt(11, "abc", 5)),
            "cycle: 10 (0.000010 s) and 11 (0.000011 s)");
  EXPECT_EQ(NameDifference(output, OutputAt(10, "abcd", 5)), "length of the output");
  EXPECT_EQ(NameDifference(output, OutputAt(10, "abX", 5)), "byte 2 of the output");
  const Event input = {0, 10, 0, InputEvent{machine::Input::Console("ls\n")}};
  EXPECT_EQ(NameDifference(input, {0, 10, 0, InputEvent{machine::Input::Console("lS\n")}}),
            "byte 1 of the input");
  EXPECT_EQ(NameDifference(input, {0, 10, 0, InputEvent{machine::Input::Console("ls")}}),
            "length of the input");
  EXPECT_EQ(
      NameDifference(input,
                     {0, 10, 0, InputEvent{machine::Input::Bytes(machine::Port::Uart(1), "ls\n")}}),
      "port of the input: uart0 and uart1");
  EXPECT_EQ(
      NameDifference(input, {0, 10, 0, InputEvent{machine::Input::Break(machine::Port::Uart(0))}}),
      "kind of the input");
  const Event write = {0, 10, 0, InputEvent{machine::Input::WriteMemory(0, 8, "ab")}};
  EXPECT_EQ(NameDifference(write, {0, 10, 0, InputEvent{machine::Input::WriteMemory(0, 8, "ac")}}),
            "bytes that are written");
  EXPECT_EQ(NameDifference(write, {0, 10, 0, InputEvent{machine::Input::WriteMemory(0, 9, "ab")}}),
            "address that is written to");
  EXPECT_EQ(NameDifference(write, {0, 10, 1, InputEvent{machine::Input::WriteMemory(1, 8, "ab")}}),
            "CPU: 0 and 1");
  EXPECT_EQ(NameDifference(write, {0, 10, 0, InputEvent{machine::Input::WriteRegister(0, 8, 1)}}),
            "space that is written to");
  EXPECT_EQ(NameDifference(write, input), "type: write and input");
  EXPECT_EQ(NameDifference(output, OutputAt(10, "abc", 6)),
            "time of byte 1 of the output: 5 cycles (0.000005 s) and 6 cycles (0.000006 s) "
            "after the byte before");
  EXPECT_EQ(
      NameDifference({0, 0, 0, CheckpointEvent{1, {1, 1}}}, {0, 0, 0, CheckpointEvent{1, {1, 2}}}),
      "machine state");
}

TEST(LogDiffTest, JoinsAnOutputThatDiffersInTheMiddle) {
  const Event expected = OutputAt(100, "abcdef", 5);
  const Event rest = OutputAt(116, "X", 5);
  const Event joined = JoinOutput(expected, 3, rest);
  EXPECT_EQ(joined.cycle, 100u);
  EXPECT_EQ(std::get<OutputRun>(joined.body).bytes, "abcX");
  EXPECT_EQ(std::get<OutputRun>(joined.body).deltas, (std::vector<uint64_t>{5, 5, 6}));
  EXPECT_EQ(NameDifference(expected, joined, 1'000'000), "byte 3 of the output");
  // Where nothing was equal, or something else came, there is nothing to join.
  EXPECT_EQ(JoinOutput(expected, 0, rest), rest);
  const Event other = {1, 116, 0, InterruptEvent{1}};
  EXPECT_EQ(JoinOutput(expected, 3, other), other);
}

TEST(LogDiffTest, ComparesHeaders) {
  LogHeader other = SmallHeader();
  EXPECT_TRUE(CompareHeaders(SmallHeader(), other).empty());
  other.config.seed = 3;
  other.images.clear();
  const std::vector<HeaderDifference> found = CompareHeaders(SmallHeader(), other);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].field, "seed");
  EXPECT_EQ(found[0].left, "0");
  EXPECT_EQ(found[0].right, "3");
  EXPECT_EQ(found[1].field, "images");
  EXPECT_THAT(found[1].left, HasSubstr("kernel 4096"));
  EXPECT_EQ(found[1].right, "none");
}

TEST(LogDiffTest, SaysWhatDiffersInFrames) {
  const std::vector<Event> left = NetworkEvents();
  std::vector<Event> right = left;
  std::get<InputEvent>(right[0].body).input.bytes[3] = 'x';
  std::get<machine::FrameEvent>(right[1].body).bytes += "more";
  std::get<machine::FrameEvent>(right[2].body).digest.low ^= 1;
  EXPECT_EQ(NameDifference(left[0], right[0], 1), "byte 3 of the frame");
  EXPECT_EQ(FirstDifferentByte(left[0], right[0]), 3u);
  EXPECT_EQ(NameDifference(left[1], right[1], 1), "size of the frame");
  EXPECT_EQ(NameDifference(left[2], right[2], 1), "frame");
  LogHeader header = SmallHeader();
  LogHeader with = header;
  with.config.network.emplace();
  const std::vector<HeaderDifference> lines = CompareHeaders(header, with);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].field, "network");
  EXPECT_EQ(lines[0].right, "virtio 52:54:00:12:34:56, whole frames up to 1514");
}

}  // namespace
}  // namespace isochron::replaylog
