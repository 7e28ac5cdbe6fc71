// Pages for a browser that need no other file.

#ifndef ISOCHRON_DEBUG_PAGE_H_
#define ISOCHRON_DEBUG_PAGE_H_

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace isochron::debug {

// Text that is printable as a string of JSON and of JavaScript that may stand in HTML.
std::string PageString(std::string_view text);

// A file that is compiled into the program.
inline std::string_view EmbeddedText(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The page with texts in place of marks, each once and in the order in which they come in it. What
// is put in is not looked at.
std::string FillPage(
    std::string_view page,
    std::initializer_list<std::pair<std::string_view, std::string_view>> marks_and_texts);

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_PAGE_H_
