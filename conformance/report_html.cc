// The HTML form of a divergence report.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/disassemble.h"
#include "conformance/divergence_report.h"
#include "replaylog/describe.h"

namespace isochron::conformance {
namespace {

using replaylog::Event;

constexpr char kStyle[] = R"(
:root{color-scheme:light dark;--line:#8884;--bad:#c22;--mark:#c222;--dim:#777}
body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0 0 .2rem}h2{font-size:1.05rem;margin:2rem 0 .5rem}
p{margin:.3rem 0}.lead{font-size:1.1rem}.dim{color:var(--dim)}
pre,td,code{font:13px/1.45 ui-monospace,monospace}
pre{border:1px solid var(--line);border-radius:4px;padding:.6rem .8rem;overflow-x:auto;margin:0}
table{border-collapse:collapse}td,th{padding:.1rem .9rem .1rem .3rem;text-align:left;
border-bottom:1px solid var(--line);white-space:pre}th{font-weight:600}
tr.bad td{background:var(--mark)}tr.bad td.now,.bad-text{color:var(--bad);font-weight:600}
.here{display:block;background:var(--mark);font-weight:600}
svg{width:100%;height:auto;display:block}
svg text{font:12px ui-monospace,monospace;fill:currentColor}
)";

std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

std::string Kind(const Event& event) {
  return std::string(replaylog::EventTypeName(replaylog::TypeOf(event)));
}

// A row of events along the time from `start` to `end`: dots, each with its text as a tooltip.
class Timeline {
 public:
  Timeline(uint64_t start, uint64_t end, uint64_t clock_hz)
      : start_(start), end_(std::max(end, start + 1)), clock_hz_(clock_hz) {}

  int X(uint64_t cycle) const {
    const double part =
        static_cast<double>(std::clamp(cycle, start_, end_) - start_) /
        static_cast<double>(end_ - start_);
    return kLeft + static_cast<int>(part * (kRight - kLeft));
  }

  void Row(int y, const std::string& name) {
    absl::StrAppendFormat(&svg_,
                          "<text x=\"0\" y=\"%d\">%s</text><line x1=\"%d\" x2=\"%d\" y1=\"%d\" "
                          "y2=\"%d\" stroke=\"currentColor\" stroke-opacity=\".3\"/>",
                          y + 4, Escape(name), kLeft, kRight, y, y);
  }

  void Dot(int y, const Event& event, bool differs) {
    absl::StrAppendFormat(
        &svg_, "<circle cx=\"%d\" cy=\"%d\" r=\"%d\" fill=\"%s\"><title>%s</title></circle>",
        X(event.cycle), y, differs ? 7 : 4, differs ? "#c22" : Color(event),
        Escape(replaylog::DescribeEvent(event, clock_hz_)));
  }

  void Mark(uint64_t cycle, const std::string& label, int y1, int y2) {
    const int x = X(cycle);
    // Labels stay inside the picture.
    const char* anchor = x > (kLeft + kRight) / 2 ? "end" : "start";
    absl::StrAppendFormat(&svg_,
                          "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"#c22\" "
                          "stroke-dasharray=\"4 3\"/><text x=\"%d\" y=\"%d\" "
                          "text-anchor=\"%s\">%s</text>",
                          x, x, y1, y2, x, y1 - 6, anchor, Escape(label));
  }

  void Axis(int y) {
    absl::StrAppendFormat(&svg_,
                          "<text x=\"%d\" y=\"%d\">cycle %d</text>"
                          "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">cycle %d</text>",
                          kLeft, y, start_, kRight, y, end_);
  }

  std::string Picture(int height) const {
    return absl::StrFormat("<svg viewBox=\"0 0 %d %d\" role=\"img\">%s</svg>", kRight + 10, height,
                           svg_);
  }

 private:
  static constexpr int kLeft = 250;
  static constexpr int kRight = 1000;

  static const char* Color(const Event& event) {
    const std::string kind = Kind(event);
    if (kind == "interrupt") return "#777";
    if (kind == "checkpoint") return "#2a7";
    if (kind == "output") return "#27c";
    return "#b70";  // input, stop, end
  }

  uint64_t start_;
  uint64_t end_;
  uint64_t clock_hz_;
  std::string svg_;
};

std::string TimelineOf(const DivergenceReport& report) {
  uint64_t start = report.actual.cycle;
  uint64_t end = std::max(report.actual.cycle, report.different_cycle);
  if (report.expected) {
    start = std::min(start, report.expected->cycle);
    end = std::max(end, report.expected->cycle);
  }
  if (report.certainty != Certainty::kNotReproduced) {
    start = std::min(start, report.culprit.cycle);
  }
  if (!report.equal_events.empty()) start = std::min(start, report.equal_events.front().cycle);
  const uint64_t margin = (end - start) / 20 + 1;
  Timeline timeline(start - std::min(start, margin), end + margin, report.clock_hz);
  constexpr int kFirst = 50, kSecond = 90;
  timeline.Row(kFirst, report.engines[0]);
  timeline.Row(kSecond, report.engines[1]);
  for (const Event& event : report.equal_events) {
    timeline.Dot(kFirst, event, false);
    timeline.Dot(kSecond, event, false);
  }
  if (report.certainty != Certainty::kNotReproduced) {
    timeline.Mark(report.culprit.cycle, "first visible difference", 24, kSecond + 14);
  }
  if (report.expected) timeline.Dot(kFirst, *report.expected, true);
  timeline.Dot(kSecond, report.actual, true);
  timeline.Axis(124);
  return absl::StrCat(
      timeline.Picture(132),
      "<p class=\"dim\">green: checkpoint, blue: output, grey: interrupt, brown: input or end, "
      "red: the first event that differs</p>");
}

std::string EventRow(const DivergenceReport& report, const Event& event, const std::string& who,
                     bool differs) {
  return absl::StrCat("<tr", differs ? " class=\"bad\"" : "", "><td>", Escape(who), "</td><td>",
                      Escape(replaylog::DescribeEvent(event, report.clock_hz)), "</td></tr>\n");
}

std::string EventTable(const DivergenceReport& report) {
  std::string html = absl::StrCat("<table><tr><th></th><th><pre style=\"border:0;padding:0\">",
                                  Escape(replaylog::EventTableHeading()), "</pre></th></tr>\n");
  for (const Event& event : report.equal_events) {
    absl::StrAppend(&html, EventRow(report, event, "both", false));
  }
  if (report.expected) absl::StrAppend(&html, EventRow(report, *report.expected, report.engines[0], true));
  absl::StrAppend(&html, EventRow(report, report.actual, report.engines[1], true), "</table>\n");
  return html;
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
  std::string html =
      absl::StrCat("<table><tr><th></th><th>before</th><th>", Escape(report.engines[0]),
                   "</th><th>", Escape(report.engines[1]), "</th></tr>\n");
  for (const FieldChange& change : report.changes) {
    AppendRow(html, change.name, change.before, change.first, change.second);
  }
  for (const MemoryChange& word : report.memory) {
    AppendRow(html, absl::StrFormat("memory 0x%x", word.pa), word.before, word.first,
              word.second);
  }
  absl::StrAppend(&html, "</table>\n");
  if (report.memory_words > report.memory.size()) {
    absl::StrAppend(&html, "<p>", report.memory_words - report.memory.size(),
                    " more words of memory differ.</p>\n");
  }
  if (!report.other.empty()) {
    absl::StrAppend(&html, "<pre class=\"bad-text\">", Escape(report.other), "</pre>\n");
  }
  return html;
}

// Lines of text, those that start with `=>` marked.
std::string Listing(const std::string& text) {
  std::string html = "<pre>";
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = Escape(text.substr(at, end - at));
    absl::StrAppend(&html, line.starts_with("=&gt;")
                               ? absl::StrCat("<span class=\"here\">", line, "</span>")
                               : absl::StrCat(line, "\n"));
    at = end + 1;
  }
  return html + "</pre>\n";
}

std::string TraceListing(const DivergenceReport& report) {
  std::string text;
  for (const Boundary& at : report.trace) {
    const uint64_t pc = at.pc & ~uint64_t{3};
    absl::StrAppendFormat(&text, "%s %12d  %016x  %08x  %s\n",
                          at.cycle == report.culprit.cycle ? "=>" : "  ", at.cycle, pc, at.word,
                          alpha::Disassemble(at.word, pc));
  }
  return Listing(text);
}

std::string Headline(const DivergenceReport& report) {
  switch (report.certainty) {
    case Certainty::kNotReproduced:
      return "The difference did not come back when the run was repeated on both engines.";
    case Certainty::kInstruction:
      return absl::StrFormat("First visible difference: the instruction at cycle %d, PC %s.",
                             report.culprit.cycle, Escape(report.place));
    case Certainty::kRegion:
      return absl::StrFormat(
          "First visible difference: one of the instructions executed at once before cycle %d, by "
          "what differs most likely the one at cycle %d, PC %s.",
          report.different_cycle, report.culprit.cycle, Escape(report.place));
  }
  return "";
}

}  // namespace

std::string ReportHtml(const DivergenceReport& report) {
  std::string html = absl::StrCat(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>Isochron: ",
      Escape(report.engines[0]), " and ", Escape(report.engines[1]), " differ</title><style>",
      kStyle, "</style></head><body>\n<h1>Engines ", Escape(report.engines[0]), " and ",
      Escape(report.engines[1]), " differ</h1>\n<p class=\"lead\">", Headline(report),
      "</p>\n<p class=\"dim\">Both were equal at the checkpoint at cycle ", report.equal_cycle,
      report.equal_cycle == 0 ? " (power-on)" : "", ".</p>\n");
  if (report.certainty != Certainty::kNotReproduced) {
    absl::StrAppend(&html, "<h2>Instruction</h2>\n", Listing(report.instructions));
    if (!report.trace.empty()) {
      absl::StrAppend(&html, "<h2>Executed at once</h2>\n", TraceListing(report));
    }
    absl::StrAppend(&html, "<h2>State that changed</h2>\n", StateTable(report));
    if (!report.code.empty()) {
      absl::StrAppend(&html, "<h2>Translation by ", Escape(report.engines[1]), "</h2>\n",
                      Listing(report.code));
    }
  }
  absl::StrAppend(&html, "<h2>Events</h2>\n", TimelineOf(report), EventTable(report),
                  "</body></html>\n");
  return html;
}

}  // namespace isochron::conformance
