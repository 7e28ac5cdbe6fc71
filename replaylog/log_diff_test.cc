#include "replaylog/log_diff.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "replaylog/log_testing.h"

namespace isochron::replaylog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::optional<EventDifference> Diff(const std::vector<Event>& left,
                                    const std::vector<Event>& right) {
  WriteLog(TestPath("left"), left);
  WriteLog(TestPath("right"), right);
  auto left_reader = LogReader::Open(TestPath("left"));
  auto right_reader = LogReader::Open(TestPath("right"));
  EXPECT_TRUE(left_reader.ok() && right_reader.ok());
  absl::StatusOr<std::optional<EventDifference>> difference =
      FindFirstDifference(**left_reader, **right_reader);
  EXPECT_TRUE(difference.ok()) << difference.status();
  return difference.value_or(std::nullopt);
}

TEST(LogDiffTest, EqualLogsHaveNone) {
  EXPECT_FALSE(Diff(ManyEvents(3000), ManyEvents(3000)).has_value());
}

TEST(LogDiffTest, FindsTheFirstWithWhatCameBefore) {
  const std::vector<Event> left = ManyEvents(3000);
  std::vector<Event> right = left;
  std::get<OutputEvent>(right[2000].body).bytes[0] = 'y';
  const std::optional<EventDifference> difference = Diff(left, right);
  ASSERT_TRUE(difference.has_value());
  EXPECT_EQ(*difference->left, left[2000]);
  EXPECT_EQ(*difference->right, right[2000]);
  EXPECT_EQ(difference->before, std::vector<Event>(left.begin() + 1984, left.begin() + 2000));
  const std::string text = difference->Describe("A", "B");
  EXPECT_THAT(text, HasSubstr("first difference at event 2000: byte 0 of the output\n- A\n+ B\n"));
  EXPECT_THAT(text, HasSubstr("\n+ " + std::string(5, ' ') + "2000 "));
}

TEST(LogDiffTest, FindsWhereOneEnds) {
  const std::vector<Event> left = SmallEvents();
  std::vector<Event> right = left;
  right.insert(right.begin() + 2, left[1]);
  std::get<InterruptEvent>(right[2].body).pending = 1;
  const std::optional<EventDifference> difference = Diff(left, right);
  ASSERT_TRUE(difference.has_value());
  EXPECT_THAT(difference->Describe("A", "B"), HasSubstr("type: input and interrupt"));

  EventDifference end;
  end.left = left[3];
  EXPECT_THAT(end.Describe("A", "B"), HasSubstr("B ends before event 3\n"));
}

TEST(LogDiffTest, NamesWhatDiffers) {
  const Event output = OutputAt(10, "abc", 5);
  EXPECT_EQ(NameDifference(output, output), "");
  EXPECT_EQ(NameDifference(output, OutputAt(11, "abc", 5)), "cycle: 10 and 11");
  EXPECT_EQ(NameDifference(output, OutputAt(10, "abcd", 5)), "length of the output");
  EXPECT_THAT(NameDifference(output, OutputAt(10, "abc", 6)), HasSubstr("time of byte 1"));
  EXPECT_EQ(NameDifference({0, 0, 0, CheckpointEvent{1, {1, 1}}},
                           {0, 0, 0, CheckpointEvent{1, {1, 2}}}),
            "machine state");
}

TEST(LogDiffTest, ComparesHeaders) {
  LogHeader other = SmallHeader();
  EXPECT_THAT(CompareHeaders(SmallHeader(), other), ElementsAre());
  other.config.seed = 3;
  other.images.clear();
  EXPECT_THAT(CompareHeaders(SmallHeader(), other),
              ElementsAre("seed: 0 and 3", HasSubstr("images: kernel 4096")));
}

}  // namespace
}  // namespace isochron::replaylog
