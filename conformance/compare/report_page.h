// What the pages of all reports are made of.

#ifndef ISOCHRON_CONFORMANCE_COMPARE_REPORT_PAGE_H_
#define ISOCHRON_CONFORMANCE_COMPARE_REPORT_PAGE_H_

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace isochron::conformance {

// A line of what is known: "kernel", "0f34..., 9437184 bytes".
struct ReportRow {
  std::string name;
  std::string value;
};

// Text as it stands in HTML and XML, made printable (hostio/printable.h); the ends of lines stay.
std::string Escape(std::string_view text);

// A whole page that needs no other file and fits a telephone. `body` is HTML, `title` text.
std::string HtmlPage(std::string_view title, std::string_view body);

// The rows as a table.
std::string HtmlRows(const std::vector<ReportRow>& rows);

// Lines of text, those that start with `=>` marked.
std::string HtmlListing(std::string_view text);

// The rows as lines for a terminal, each with two spaces before it.
std::string TextRows(const std::vector<ReportRow>& rows);

// A comparison or run as other programs take the result of a test.
struct JunitCase {
  std::string suite;
  std::string name;
  std::chrono::nanoseconds time{0};
  std::string failure;  // in a line; empty: it passed
  std::string details;  // of the failure, or what there is to say
  std::vector<ReportRow> properties;
};

// A file of JUnit XML that holds this one.
std::string JunitXml(const JunitCase& test);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_COMPARE_REPORT_PAGE_H_
