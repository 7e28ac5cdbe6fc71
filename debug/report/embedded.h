// The files of a report's page, compiled into the program.

#ifndef ISOCHRON_DEBUG_REPORT_EMBEDDED_H_
#define ISOCHRON_DEBUG_REPORT_EMBEDDED_H_

#include <cstdint>
#include <span>

namespace isochron::debug {

std::span<const uint8_t> ReportHtml();
std::span<const uint8_t> ReportStyle();
std::span<const uint8_t> ReportScript();

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_REPORT_EMBEDDED_H_
