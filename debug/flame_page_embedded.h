// The files of a flame graph's page, compiled into the program.

#ifndef ISOCHRON_DEBUG_FLAME_PAGE_EMBEDDED_H_
#define ISOCHRON_DEBUG_FLAME_PAGE_EMBEDDED_H_

#include <cstdint>
#include <span>

namespace isochron::debug {

std::span<const uint8_t> FlameHtml();
std::span<const uint8_t> FlameStyle();
std::span<const uint8_t> FlameScript();

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_FLAME_PAGE_EMBEDDED_H_
