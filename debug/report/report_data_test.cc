#include "debug/report/report_data.h"

#include <string>

#include "debug/report/report_page.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isochron::debug {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr Spans kSpans{100, 10};

TEST(ReportPage, HoldsWhatItIsGivenAndNoMarkupOfOthers) {
  const std::string page = ReportPage("<b>@DATA@\n\x1b", "{\"at\":\"@SCRIPT@\"}");
  EXPECT_THAT(page, HasSubstr("<title>&lt;b&gt;@DATA@\\n\\x1b</title>"));
  EXPECT_THAT(page, HasSubstr("id=\"data\">{\"at\":\"@SCRIPT@\"}</script>"));
  EXPECT_THAT(page, Not(HasSubstr("@STYLE@")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
}

TEST(Lane, ShowsThePartsWithMost) {
  Lane lane("id", "Name", "", kSpans);
  for (int part = 0; part < 14; ++part) {
    lane.Part("part" + std::to_string(part)).Add(0, static_cast<uint64_t>(part + 1));
  }
  const std::string json = lane.Json();
  EXPECT_THAT(json, HasSubstr(R"("parts":[{"name":"part13","total":14,"spans":[[0,14]]},)"));
  EXPECT_THAT(
      json, HasSubstr(R"({"name":"part4","total":5,"spans":[[0,5]]},{"name":"other","total":10,)"));
  EXPECT_THAT(lane.Json({"part1"}), HasSubstr(R"("parts":[{"name":"part1","total":2,)"));
}

TEST(Lane, ListsMarksByTheirCyclesWhileThereAreFew) {
  Lane lane("id", "Name", "", kSpans);
  lane.AddMark({20, 5, "second <"});
  lane.AddMark({10, 0, "first"});
  EXPECT_THAT(lane.Json(),
              HasSubstr(R"("count":2,"parts":[],"marks":[[10,0,"first"],[20,5,"second \u003c"]])"));
  for (size_t i = 0; i < Lane::kMostMarks; ++i) lane.AddMark({i, 0, "more"});
  EXPECT_THAT(lane.Json(), HasSubstr(R"("count":2502,"parts":[],"marks":[])"));
}

TEST(Lane, CutsLongTextsBetweenCharacters) {
  Lane lane("id", "Name", "", kSpans);
  lane.AddMark({1, 0, std::string(199, 'x') + "\xe2\x82\xac" + std::string(100000, 'y')});
  EXPECT_THAT(lane.Json(), HasSubstr("[[1,0,\"" + std::string(199, 'x') + "...\"]]"));
}

class ReportDataTest : public ::testing::Test {
 protected:
  void Write(uint64_t cycle, const std::string& text) {
    replaylog::OutputRun run;
    run.bytes = text;
    run.deltas.assign(text.size() - 1, 0);
    data_.OnEvent({0, cycle, 0, run});
  }

  ReportData data_{kSpans, 1000, 1};
};

TEST_F(ReportDataTest, SharesTheTimeOfACpuOut) {
  data_.OnMode(0, 150, true);
  data_.OnMode(0, 320, false);
  data_.OnWait(0, 400, 60);
  data_.OnMode(0, 950, true);
  const std::string fields = data_.Fields();
  EXPECT_THAT(fields, HasSubstr(R"({"name":"user","total":220,"spans":[[1,50,100,20],[9,50]]})"));
  EXPECT_THAT(fields, HasSubstr(R"({"name":"idle","total":60,"spans":[[4,60]]})"));
  EXPECT_THAT(fields, HasSubstr(R"({"name":"kernel","total":720,"spans":[[0,100,50,0,80,40,100,)"));
}

TEST_F(ReportDataTest, ShowsWhatAProfileKnowsOfACpu) {
  data_.OnMode(0, 150, true);
  data_.OnProfile(0, 0, {10, 60, 30, 0});
  data_.OnProfile(0, 100, {0, 20, 5, 75});
  const std::string fields = data_.Fields();
  EXPECT_THAT(fields, HasSubstr(R"({"name":"user","total":10,"spans":[[0,10]]})"));
  EXPECT_THAT(fields, HasSubstr(R"({"name":"PALmode","total":35,"spans":[[0,30,5]]})"));
  EXPECT_THAT(fields, HasSubstr(R"({"name":"idle","total":75,"spans":[[1,75]]})"));
}

TEST_F(ReportDataTest, CountsInputsByWhereTheyComeFrom) {
  using machine::Input;
  for (const Input& input : {Input::Console("abc"), Input::WriteMemory(0, 0x1000, "12345"),
                             Input::WriteRegister(0, 1, 2), Input::Break(machine::Port::Uart(1)),
                             Input::Stop(machine::StopCause::kQuit)}) {
    data_.OnEvent({0, 100, 0, replaylog::InputEvent{input}});
  }
  const std::string fields = data_.Fields();
  EXPECT_THAT(fields, HasSubstr(R"({"name":"gdb","total":13,)"));
  EXPECT_THAT(fields, HasSubstr(R"({"name":"uart0","total":3,)"));
  EXPECT_THAT(fields, HasSubstr(R"({"name":"uart1","total":1,)"));
  EXPECT_THAT(fields, HasSubstr(R"({"name":"stop","total":1,)"));
}

TEST_F(ReportDataTest, FindsTheStepsOfABoot) {
  Write(100, "[    0.000000] one\n");
  Write(300, "[    0.000002] two </script>\n");
  Write(350, "no message\n");
  data_.OnMode(0, 700, true);
  Write(800, "[    0.000003] behind\n");
  EXPECT_THAT(
      data_.Fields(),
      HasSubstr(R"("phases":[[0,100,"before the first message"],[100,200,"one"],)"
                R"([300,400,"two \u003c/script\u003e"],[700,300,"from the first user mode on"]])"));
}

TEST_F(ReportDataTest, StaysBounded) {
  for (uint64_t i = 0; i < 100000; ++i) Write(i % 1000, "some line of text that is repeated\n");
  EXPECT_LT(data_.Fields().size(), 200000u);
}

}  // namespace
}  // namespace isochron::debug
