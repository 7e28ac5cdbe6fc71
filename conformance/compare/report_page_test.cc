#include "conformance/compare/report_page.h"

#include <string>

#include "conformance/compare/divergence_report.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isochron::conformance {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kHostile[] = "a<script>'\"&\x1b[2J\nb";
constexpr char kShown[] = "a&lt;script&gt;&#39;&quot;&amp;\\x1b[2J\nb";

TEST(ReportPage, EscapesWhatItIsGiven) {
  EXPECT_EQ(Escape(kHostile), kShown);
  for (const std::string& page :
       {HtmlPage(kHostile, ""), HtmlRows({{kHostile, kHostile}}), HtmlListing("=> a<script>"),
        JunitXml({kHostile, kHostile, {}, kHostile, kHostile, {{kHostile, kHostile}}})}) {
    EXPECT_THAT(page, Not(HasSubstr("<script>")));
    EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  }
  EXPECT_EQ(TextRows({{"log", "a\nb"}, {"kernel", "k"}}), "  log    a\\nb\n  kernel k\n");
}

TEST(ReportPage, MarksALineOfAListing) {
  EXPECT_EQ(HtmlListing("   a\n=> b\n   c"),
            "<pre>   a\n<span class=\"here\">=&gt; b</span>   c\n</pre>\n");
}

TEST(ReportPage, TellsJunitWhatFailed) {
  JunitCase test = {"suite", "case", std::chrono::milliseconds(1500), "", "fine", {{"log", "x"}}};
  EXPECT_THAT(JunitXml(test), HasSubstr("<testsuites tests=\"1\" failures=\"0\" time=\"1.500\">"));
  EXPECT_THAT(JunitXml(test), HasSubstr("<system-out>fine</system-out>"));
  EXPECT_THAT(JunitXml(test), HasSubstr("<property name=\"log\" value=\"x\"/>"));
  test.failure = "they differ";
  EXPECT_THAT(JunitXml(test), HasSubstr("failures=\"1\""));
  EXPECT_THAT(JunitXml(test), HasSubstr("<failure message=\"they differ\">fine</failure>"));
}

DivergenceReport OutputReport() {
  DivergenceReport report;
  report.engines = {"ref", "jit"};
  report.clock_hz = 600'000'000;
  report.expected =
      replaylog::Event{2, 600, 0, replaylog::OutputRun{0, "[61][62]", std::vector<uint64_t>(7, 5)}};
  report.actual =
      replaylog::Event{2, 600, 0, replaylog::OutputRun{0, "[61][6X]", std::vector<uint64_t>(7, 5)}};
  report.equal_events = {replaylog::Event{1, 300, 0, replaylog::InterruptEvent{uint64_t{1} << 35}}};
  report.origin = {{"command", "isochron conform x.log"}, {"log", "x.log, identity 12"}};
  return report;
}

TEST(DivergenceReport, ShowsTheFirstByteThatDiffersAndHowToComeBack) {
  const std::string text = ReportText(OutputReport());
  EXPECT_THAT(text,
              HasSubstr("event 2, cycle 600 (0.000001 s): byte 6 of the output\n- ref\n+ jit\n"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "- from byte 0 \"[61][62]\"\n+ from byte 0 \"[61][6X]\"\n                     ^\n"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "to come back to it:\n  command isochron conform x.log\n  log     x.log, identity 12\n"));
  const std::string page = ReportHtml(OutputReport());
  EXPECT_THAT(page, HasSubstr("byte 6 of the output"));
  EXPECT_THAT(page, HasSubstr("<tr><td>command</td><td>isochron conform x.log</td></tr>"));
}

// What one engine has and the other has not.
TEST(DivergenceReport, SaysWhenNothingMoreWasExpected) {
  DivergenceReport report = OutputReport();
  report.expected.reset();
  EXPECT_THAT(ReportText(report), HasSubstr("ref ends before event 2\n"));
  EXPECT_THAT(ReportHtml(report), HasSubstr("ref ends before event 2"));
}

}  // namespace
}  // namespace isochron::conformance
