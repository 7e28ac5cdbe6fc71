// A profile as a page with a flame graph, which needs no network.

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "debug/flame_page_embedded.h"
#include "debug/page.h"
#include "debug/profile.h"
#include "hostio/printable.h"

namespace isochron::debug {
namespace {

// What the page calls who executes.
int LevelNumber(const CallTree::Node& node) {
  if (node.function == Functions::kIdle) return 4;
  return node.function < Functions::kLabels && node.function != Functions::kUnknown
             ? 3
             : static_cast<int>(node.level);
}

}  // namespace

void Profile::WriteFlamePage(std::string_view title, const LineSink& sink) const {
  // Names by function, in the order in which they are met first.
  std::map<uint32_t, size_t> numbers;
  std::string names = "[";
  std::string list = "[";
  for (const CallTree::Node& node : tree().nodes()) {
    const auto [number, is_new] = numbers.try_emplace(node.function, numbers.size());
    if (is_new) {
      absl::StrAppend(&names, names.size() > 1 ? "," : "",
                      PageString(functions_->name(node.function)));
    }
    absl::StrAppend(&list, list.size() > 1 ? "," : "", node.parent, ",", number->second, ",",
                    LevelNumber(node), ",", node.cycles, ",", node.instructions);
  }
  names += "]";
  list += "]";
  const std::string heading = hostio::PrintableMarkup(title);
  const std::string page =
      FillPage(EmbeddedText(FlameHtml()), {{"@TITLE@", heading},
                                           {"@STYLE@\n", EmbeddedText(FlameStyle())},
                                           {"@TITLE@", heading},
                                           {"@NAMES@", names},
                                           {"@NODES@", list},
                                           {"@SCRIPT@\n", EmbeddedText(FlameScript())}});
  std::string_view rest = page;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    sink(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

}  // namespace isochron::debug
