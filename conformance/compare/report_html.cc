// The HTML form of a divergence report.

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/disassemble.h"
#include "conformance/compare/divergence_report.h"
#include "conformance/compare/report_page.h"
#include "machine/events/cycle_text.h"
#include "replaylog/describe.h"

namespace isochron::conformance {
namespace {

using replaylog::Event;

// Rows of events along the time from `start` to `end`: dots, each with its text as a tooltip.
class Timeline {
 public:
  Timeline(uint64_t start, uint64_t end, uint64_t clock_hz)
      : start_(start), end_(std::max(end, start + 1)), clock_hz_(clock_hz) {}

  void Row(const std::string& name) {
    if (!html_.empty()) absl::StrAppend(&html_, "</div>\n");
    absl::StrAppend(&html_, "<p class=\"dim\">", Escape(name), "</p><div class=\"time\">");
  }

  void Dot(const Event& event, bool differs) {
    absl::StrAppendFormat(&html_, "<span%s style=\"left:%.2f%%;%s\" title=\"%s\"></span>",
                          differs ? " class=\"bad\"" : "", Percent(event.cycle),
                          differs ? "" : absl::StrCat("background:", Color(event)),
                          Escape(replaylog::DescribeEvent(event, clock_hz_)));
  }

  void Mark(uint64_t cycle) {
    absl::StrAppendFormat(
        &html_, "<i style=\"left:%.2f%%\" title=\"first visible difference\"></i>", Percent(cycle));
  }

  std::string Picture() const {
    return absl::StrCat(html_, "</div>\n<div class=\"axis dim\"><span>cycle ",
                        machine::WithSeconds(start_, clock_hz_), "</span><span>cycle ",
                        machine::WithSeconds(end_, clock_hz_), "</span></div>\n");
  }

 private:
  double Percent(uint64_t cycle) const {
    return 100 * static_cast<double>(std::clamp(cycle, start_, end_) - start_) /
           static_cast<double>(end_ - start_);
  }

  static const char* Color(const Event& event) {
    const std::string_view kind = replaylog::EventTypeName(replaylog::TypeOf(event));
    if (kind == "interrupt") return "#777";
    if (kind == "checkpoint") return "#2a7";
    if (kind == "output") return "#27c";
    return "#b70";  // input, stop, end
  }

  uint64_t start_;
  uint64_t end_;
  uint64_t clock_hz_;
  std::string html_;
};

std::string TimelineOf(const DivergenceReport& report) {
  uint64_t start = report.actual.cycle;
  uint64_t end = std::max(report.actual.cycle, report.different_cycle);
  if (report.expected) {
    start = std::min(start, report.expected->cycle);
    end = std::max(end, report.expected->cycle);
  }
  const bool found = report.certainty != Certainty::kNotReproduced;
  if (found) start = std::min(start, report.culprit.cycle);
  if (!report.equal_events.empty()) start = std::min(start, report.equal_events.front().cycle);
  const uint64_t margin = (end - start) / 20 + 1;
  Timeline timeline(start - std::min(start, margin), end + margin, report.clock_hz);
  for (const bool second : {false, true}) {
    timeline.Row(report.engines[second ? 1 : 0]);
    if (found) timeline.Mark(report.culprit.cycle);
    for (const Event& event : report.equal_events) timeline.Dot(event, false);
    if (second) {
      timeline.Dot(report.actual, true);
    } else if (report.expected) {
      timeline.Dot(*report.expected, true);
    }
  }
  return absl::StrCat(
      timeline.Picture(),
      "<p class=\"dim\">green: checkpoint, blue: output, grey: interrupt, brown: input or end, "
      "red: the first event that differs",
      found ? ", dashed: the first visible difference" : "", "</p>\n");
}

std::string EventRow(const DivergenceReport& report, const Event& event, const std::string& who,
                     bool differs) {
  return absl::StrCat("<tr", differs ? " class=\"bad\"" : "", "><td>", Escape(who), "</td><td>",
                      Escape(replaylog::DescribeEvent(event, report.clock_hz)), "</td></tr>\n");
}

std::string EventTable(const DivergenceReport& report) {
  std::string html = absl::StrCat("<div class=\"wide\"><table><tr><td></td><td>",
                                  Escape(replaylog::EventTableHeading()), "</td></tr>\n");
  for (const Event& event : report.equal_events) {
    absl::StrAppend(&html, EventRow(report, event, "both", false));
  }
  if (report.expected) {
    absl::StrAppend(&html, EventRow(report, *report.expected, report.engines[0], true));
  }
  return absl::StrCat(html, EventRow(report, report.actual, report.engines[1], true),
                      "</table></div>\n");
}

void AppendRow(std::string& html, const std::string& name, uint64_t before, uint64_t first,
               uint64_t second) {
  absl::StrAppendFormat(&html,
                        "<tr%s><td>%s</td><td>%016x</td><td class=\"now\">%016x</td>"
                        "<td class=\"now\">%016x</td></tr>\n",
                        first != second ? " class=\"bad\"" : "", Escape(name), before, first,
                        second);
}

std::string StateTable(const DivergenceReport& report) {
  std::string html = absl::StrCat("<div class=\"wide\"><table><tr><th></th><th>before</th><th>",
                                  Escape(report.engines[0]), "</th><th>", Escape(report.engines[1]),
                                  "</th></tr>\n");
  for (const FieldChange& change : report.changes) {
    AppendRow(html, change.name, change.before, change.first, change.second);
  }
  for (const MemoryChange& word : report.memory) {
    AppendRow(html, absl::StrFormat("memory 0x%x", word.pa), word.before, word.first, word.second);
  }
  absl::StrAppend(&html, "</table></div>\n");
  if (report.memory_words > report.memory.size()) {
    absl::StrAppend(&html, "<p>", report.memory_words - report.memory.size(),
                    " more words of memory differ.</p>\n");
  }
  if (!report.other.empty()) {
    absl::StrAppend(&html, "<pre class=\"bad-text\">", Escape(report.other), "</pre>\n");
  }
  return html;
}

std::string TraceListing(const DivergenceReport& report) {
  std::string text;
  for (const Boundary& at : report.trace) {
    absl::StrAppend(&text, at.moment == report.culprit.moment ? "=> " : "   ",
                    TraceLine(report, at));
  }
  return HtmlListing(text);
}

std::string Headline(const DivergenceReport& report) {
  switch (report.certainty) {
    case Certainty::kNotReproduced:
      return "The difference did not come back when the run was repeated on both engines.";
    case Certainty::kInstruction:
      return absl::StrCat("First visible difference: the instruction ",
                          Escape(DescribeCulprit(report)), ".");
    case Certainty::kRegion:
      return absl::StrFormat(
          "First visible difference: one of the instructions executed at once before cycle %s, by "
          "what differs most likely the one %s.",
          machine::WithSeconds(report.different_cycle, report.clock_hz),
          Escape(DescribeCulprit(report)));
  }
  return "";
}

}  // namespace

std::string ReportHtml(const DivergenceReport& report) {
  const std::string title =
      absl::StrCat("Engines ", report.engines[0], " and ", report.engines[1], " differ");
  std::string html =
      absl::StrCat("<h1>", Escape(title), "</h1>\n<p class=\"lead\">", Headline(report),
                   "</p>\n<p class=\"dim\">Both were equal at the checkpoint at cycle ",
                   machine::WithSeconds(report.equal_cycle, report.clock_hz),
                   report.equal_cycle == 0 ? " (power-on)" : "", ".</p>\n");
  if (report.certainty != Certainty::kNotReproduced) {
    absl::StrAppend(&html, "<h2>Instruction</h2>\n", HtmlListing(report.instructions));
    if (!report.trace.empty()) {
      absl::StrAppend(&html, "<h2>Executed at once</h2>\n", TraceListing(report));
    }
    absl::StrAppend(&html, "<h2>State that changed</h2>\n", StateTable(report));
    if (!report.code.empty()) {
      absl::StrAppend(&html, "<h2>Translation by ", Escape(report.engines[1]), "</h2>\n",
                      HtmlListing(report.code));
    }
  }
  absl::StrAppend(&html, "<h2>First event that differs</h2>\n",
                  HtmlListing(DescribeFirstDifference(report)), "<h2>Events</h2>\n",
                  TimelineOf(report), EventTable(report));
  if (!report.origin.empty()) {
    absl::StrAppend(&html, "<h2>To come back to it</h2>\n", HtmlRows(report.origin));
  }
  return HtmlPage(absl::StrCat("Isochron: ", title), html);
}

}  // namespace isochron::conformance
