#include "conformance/compare/report_page.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hostio/printable.h"

namespace isochron::conformance {
namespace {

// What is too wide for the page scrolls in a box of its own (.wide).
constexpr char kStyle[] = R"(
:root{color-scheme:light dark;--line:#8884;--bad:#c22;--mark:#c222;--dim:#777;--good:#2a7}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem;
overflow-wrap:anywhere}
h1{font-size:1.4rem;margin:0 0 .2rem}h2{font-size:1.05rem;margin:2rem 0 .5rem}
p{margin:.3rem 0}.lead{font-size:1.1rem}.dim{color:var(--dim)}
pre,td,code{font:13px/1.45 ui-monospace,monospace}
pre{border:1px solid var(--line);border-radius:4px;padding:.6rem .8rem;margin:0}
.wide,pre{overflow-x:auto;max-width:100%;overflow-wrap:normal}
table{border-collapse:collapse}td,th{padding:.1rem .9rem .1rem .3rem;text-align:left;
border-bottom:1px solid var(--line);vertical-align:top}th{font-weight:600}
.wide td,.wide th{white-space:pre}
.rows td:first-child{color:var(--dim);white-space:nowrap}
tr.bad td{background:var(--mark)}tr.bad td.now,.bad-text{color:var(--bad);font-weight:600}
.good{color:var(--good)}
.here{display:block;background:var(--mark);font-weight:600}
.time{position:relative;height:1.6rem;margin:0 .6rem}
.time:before{content:"";position:absolute;left:0;right:0;top:.8rem;border-top:1px solid var(--dim)}
.time span{position:absolute;top:.5rem;width:.6rem;height:.6rem;margin-left:-.3rem;border-radius:50%}
.time span.bad{top:.35rem;width:.9rem;height:.9rem;margin-left:-.45rem;background:var(--bad)}
.time i{position:absolute;top:0;bottom:0;border-left:2px dashed var(--bad)}
.axis{display:flex;justify-content:space-between;margin:0 .6rem}
@media(max-width:600px){body{margin:1rem auto;padding:0 .6rem}h1{font-size:1.2rem}
pre,td,code{font-size:12px}td,th{padding-right:.5rem}}
)";

}  // namespace

std::string Escape(std::string_view text) { return hostio::PrintableMarkup(text); }

std::string HtmlPage(std::string_view title, std::string_view body) {
  return absl::StrCat(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>",
      Escape(title), "</title><style>", kStyle, "</style></head><body>\n", std::string(body),
      "</body></html>\n");
}

std::string HtmlRows(const std::vector<ReportRow>& rows) {
  std::string html = "<table class=\"rows\">\n";
  for (const ReportRow& row : rows) {
    absl::StrAppend(&html, "<tr><td>", Escape(row.name), "</td><td>", Escape(row.value),
                    "</td></tr>\n");
  }
  return html + "</table>\n";
}

std::string HtmlListing(std::string_view text) {
  std::string html = "<pre>";
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    absl::StrAppend(&html, line.starts_with("=>")
                               ? absl::StrCat("<span class=\"here\">", Escape(line), "</span>")
                               : absl::StrCat(Escape(line), "\n"));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return html + "</pre>\n";
}

std::string TextRows(const std::vector<ReportRow>& rows) {
  size_t width = 0;
  for (const ReportRow& row : rows) width = std::max(width, row.name.size());
  std::string text;
  for (const ReportRow& row : rows) {
    absl::StrAppendFormat(&text, "  %-*s %s\n", static_cast<int>(width), row.name,
                          hostio::Printable(row.value));
  }
  return text;
}

std::string JunitXml(const JunitCase& test) {
  const std::string seconds = absl::StrFormat("%.3f", static_cast<double>(test.time.count()) / 1e9);
  const int failures = test.failure.empty() ? 0 : 1;
  std::string xml = absl::StrFormat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites tests=\"1\" failures=\"%d\" time=\"%s\">\n"
      "<testsuite name=\"%s\" tests=\"1\" failures=\"%d\" errors=\"0\" skipped=\"0\" "
      "time=\"%s\">\n",
      failures, seconds, Escape(test.suite), failures, seconds);
  absl::StrAppend(&xml, "<properties>\n");
  for (const ReportRow& row : test.properties) {
    absl::StrAppend(&xml, "<property name=\"", Escape(row.name), "\" value=\"", Escape(row.value),
                    "\"/>\n");
  }
  absl::StrAppend(&xml, "</properties>\n<testcase classname=\"", Escape(test.suite), "\" name=\"",
                  Escape(test.name), "\" time=\"", seconds, "\">\n");
  if (test.failure.empty()) {
    absl::StrAppend(&xml, "<system-out>", Escape(test.details), "</system-out>\n");
  } else {
    absl::StrAppend(&xml, "<failure message=\"", Escape(test.failure), "\">", Escape(test.details),
                    "</failure>\n");
  }
  return xml + "</testcase>\n</testsuite>\n</testsuites>\n";
}

}  // namespace isochron::conformance
