// Text that somebody else chose (a file's symbols, paths, names), made fit to be shown.

#ifndef ISOCHRON_HOSTIO_PRINTABLE_H_
#define ISOCHRON_HOSTIO_PRINTABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isochron::hostio {

struct Utf8Character {
  uint32_t value = 0;
  size_t bytes = 1;  // how many it takes; of what is no UTF-8, as many as make up one U+FFFD
  bool valid = false;
};

// What `text`, which is not empty, begins with (RFC 3629; Unicode 15, table 3-7, and "maximal
// subparts" of section 3.9 for what is no UTF-8, as most decoders do it).
Utf8Character DecodeUtf8(std::string_view text);

// The escape of C for a byte: "\n", "\x1b".
std::string EscapedByte(uint8_t byte);

// `bytes` with everything escaped that a terminal or a viewer could take for more than a visible
// character: control characters (C0, DEL, C1; line ends, too), those of Unicode that reorder or
// hide text or break lines, and bytes that are no UTF-8. They become "\n", "\x1b", "\u202e". All
// else, UTF-8 included, stays. The result is valid UTF-8 on one line, and Printable() of it is the
// same again.
std::string Printable(std::string_view bytes);

// The same for text of several lines: their ends stay.
std::string PrintableLines(std::string_view text);

// The same as text in HTML or XML, also in quoted attributes.
std::string PrintableMarkup(std::string_view text);

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_PRINTABLE_H_
