#include "debug/answers.h"

#include <string>
#include <utility>
#include <vector>

#include "debug/parallel_query.h"
#include "debug/query_kinds.h"
#include "debug/system_calls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/firmware/firmware_layout.h"
#include "timeline/machine_testing.h"

namespace isochron::debug {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(AnswerFormat, MakesLinesAndObjects) {
  const std::vector<Column> columns = {{"cycle", 6}, {"name", -6}, {"error", 5}, {"place", -1}};
  const Row row = {Cell::Decimal(12), Cell::Text("a\"b"), Cell::Flag(true), Cell()};
  const AnswerFormat text(columns, /*json=*/false);
  EXPECT_EQ(text.Heading(), " cycle name   error place");
  EXPECT_EQ(text.Format(row), "    12 a\"b    error -");
  EXPECT_EQ(
      text.Format({Cell::Hex(0x1234567890), Cell::Text(""), Cell::Flag(false), Cell::Text("here")}),
      "0x1234567890 -          - here");
  const AnswerFormat json(columns, /*json=*/true);
  EXPECT_EQ(json.Format(row), R"({"cycle":12,"name":"a\"b","error":true,"place":null})");
  EXPECT_EQ(Cell::Signed(~uint64_t{0}).Json(), "-1");
  EXPECT_EQ(Cell::Signed(~uint64_t{0}).Shown("result"), "-1");
  EXPECT_EQ(Cell::Signed(0x120000000).Shown("result"), "0x120000000");
  EXPECT_EQ(Cell::Hex(~uint64_t{0}).Json(), "\"0xffffffffffffffff\"");
}

TEST(Answers, GivesRowsAwayInOrderAsSoonAsTheyAreComplete) {
  std::vector<uint64_t> given;
  Answers answers([&](const Row& row) {
    given.push_back(row[0].value);
    return given.size() < 4;
  });
  answers.Add({Cell::Decimal(0)});
  const uint64_t open = answers.Add({Cell::Decimal(1)}, /*complete=*/false);
  answers.Add({Cell::Decimal(2)});
  EXPECT_THAT(given, ElementsAre(0));
  answers.at(open)[0] = Cell::Decimal(11);
  answers.Complete(open);
  EXPECT_THAT(given, ElementsAre(0, 11, 2));
  EXPECT_TRUE(answers.wanted());
  answers.Add({Cell::Decimal(3)}, /*complete=*/false);
  answers.Add({Cell::Decimal(4)}, /*complete=*/false);
  answers.CompleteAll();
  EXPECT_THAT(given, ElementsAre(0, 11, 2, 3));
  EXPECT_FALSE(answers.wanted());
}

TEST(Answers, GivesRowsAwayOutOfOrderToWhoDoesNotMind) {
  std::vector<uint64_t> given;
  Answers answers(
      [&](const Row& row) {
        given.push_back(row[0].value);
        return given.size() < 4;
      },
      Answers::Order::kCompleted);
  const uint64_t first = answers.Add({Cell::Decimal(0)}, /*complete=*/false);
  const uint64_t second = answers.Add({Cell::Decimal(1)}, /*complete=*/false);
  answers.Add({Cell::Decimal(2)});
  answers.Complete(second);
  EXPECT_THAT(given, ElementsAre(2, 1));
  answers.at(first)[0] = Cell::Decimal(10);
  answers.Add({Cell::Decimal(3)}, /*complete=*/false);
  answers.CompleteAll();
  EXPECT_THAT(given, ElementsAre(2, 1, 10, 3));
  answers.Add({Cell::Decimal(4)});
  EXPECT_THAT(given, ElementsAre(2, 1, 10, 3));
}

TEST(CutRange, MakesPartsThatFollowOneAnother) {
  const auto parts = [](const QueryRange& range, const std::vector<uint64_t>& cuts) {
    std::vector<std::pair<uint64_t, uint64_t>> cut;
    for (const QueryRange& part : CutRange(range, cuts)) cut.push_back({part.from, part.to});
    return cut;
  };
  using Pair = std::pair<uint64_t, uint64_t>;
  EXPECT_THAT(parts({10, 20}, {}), ElementsAre(Pair(10, 20)));
  EXPECT_THAT(parts({10, 20}, {5, 10, 12, 19, 20, 30}),
              ElementsAre(Pair(10, 12), Pair(12, 19), Pair(19, 20)));
}

TEST(SystemCalls, HaveNames) {
  EXPECT_EQ(SystemCallName(0), "osf_syscall");
  EXPECT_EQ(SystemCallName(4), "write");
  EXPECT_EQ(SystemCallName(405), "exit_group");
  EXPECT_EQ(SystemCallName(560), "set_mempolicy_home_node");
  EXPECT_EQ(SystemCallName(561), "");
  EXPECT_EQ(SystemCallName(~uint64_t{0}), "");
}

class FindMemoryTest : public ::testing::Test {
 protected:
  absl::StatusOr<MemoryPlace> Find(const std::string& text) {
    return FindMemory(text, symbols_, *machine_);
  }

  std::unique_ptr<machine::Machine> machine_ = timeline::MakeMachine();
  Symbols symbols_{machine_->kernel()};
};

TEST_F(FindMemoryTest, TakesVirtualAndPhysicalRanges) {
  EXPECT_EQ(Find("0xfffffc0000310000")->pa, 0x310000u);
  EXPECT_EQ(Find("0xfffffc0000310000")->size, 8u);
  EXPECT_EQ(Find("0xfffffc0000310004:12")->size, 12u);
  EXPECT_FALSE(Find("0x120000000")->pa.has_value());
  EXPECT_FALSE(Find("0x120000000")->physical);
  EXPECT_EQ(Find("pa:0x310000:1")->pa, 0x310000u);
  // I/O space is behind the superpage, but not where its bits say.
  EXPECT_FALSE(Find("0xfffffd01fc0003f8")->pa.has_value());
  EXPECT_TRUE(Find("pa:0x801a0000000")->physical);
  EXPECT_FALSE(Find("pa:0x801a0000000")->pa.has_value());
  // Names of PALcode are physical.
  EXPECT_EQ(Find("pal.dtbm_single")->pa, FW_PAL_BASE + 0x300u);
  EXPECT_EQ(Find("0xffffffffffffffff:1")->size, 1u);
}

TEST_F(FindMemoryTest, RefusesWhatIsNoRange) {
  EXPECT_THAT(std::string(Find("0x10:0").status().message()), HasSubstr("has no bytes"));
  EXPECT_THAT(std::string(Find("0x10:").status().message()), HasSubstr("is not a number"));
  EXPECT_THAT(std::string(Find("0xffffffffffffffff:2").status().message()),
              HasSubstr("longer than the address space"));
  EXPECT_THAT(std::string(Find("nothing").status().message()), HasSubstr("there is no symbol"));
  EXPECT_THAT(std::string(Find("").status().message()), HasSubstr("there is no symbol"));
}

}  // namespace
}  // namespace isochron::debug
