#include "debug/report/report_page.h"

#include <cstdint>
#include <span>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "debug/report/embedded.h"
#include "hostio/printable.h"

namespace isochron::debug {
namespace {

std::string_view Text(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

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
  std::string page;
  std::string_view rest = Text(ReportHtml());
  // Each place once, in the order in which they come; what is put in is not looked at.
  const auto put = [&](std::string_view place, std::string_view text) {
    const size_t at = rest.find(place);
    absl::StrAppend(&page, std::string(rest.substr(0, at)), std::string(text));
    rest.remove_prefix(at + place.size());
  };
  put("@TITLE@", hostio::PrintableMarkup(hostio::Printable(title)));
  put("@STYLE@", Text(ReportStyle()));
  put("@FLAME@", flame_page.empty() ? std::string() : Framed(flame_page));
  put("@DATA@", json);
  put("@SCRIPT@", Text(ReportScript()));
  return page + std::string(rest);
}

}  // namespace isochron::debug
