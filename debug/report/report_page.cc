#include "debug/report/report_page.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "debug/page.h"
#include "debug/report/embedded.h"
#include "hostio/printable.h"

namespace isochron::debug {
namespace {

// A page in a frame, from which it cannot reach the page around it.
std::string Framed(std::string_view page) {
  return absl::StrCat(
      "<section id=\"flame\"><h2>Profile</h2>\n<iframe title=\"flame graph\" "
      "sandbox=\"allow-scripts\" "
      "srcdoc=\"",
      absl::StrReplaceAll(std::string(page), {{"&", "&amp;"}, {"\"", "&quot;"}}),
      "\"></iframe></section>");
}

}  // namespace

std::string ReportPage(std::string_view title, std::string_view json, std::string_view flame_page) {
  return FillPage(EmbeddedText(ReportHtml()),
                  {{"@TITLE@", hostio::PrintableMarkup(hostio::Printable(title))},
                   {"@STYLE@", EmbeddedText(ReportStyle())},
                   {"@FLAME@", flame_page.empty() ? std::string() : Framed(flame_page)},
                   {"@DATA@", json},
                   {"@SCRIPT@", EmbeddedText(ReportScript())}});
}

}  // namespace isochron::debug
