// A report as a page of HTML that needs no other file.

#ifndef ISOCHRON_DEBUG_REPORT_REPORT_PAGE_H_
#define ISOCHRON_DEBUG_REPORT_REPORT_PAGE_H_

#include <string>
#include <string_view>

namespace isochron::debug {

// `title` is any text. `json` is an object that may stand in HTML (PageString() makes such
// strings); page.js says of what. `flame_page`: a whole page of our own, which is shown in this
// one; empty: none.
std::string ReportPage(std::string_view title, std::string_view json,
                       std::string_view flame_page = {});

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_REPORT_REPORT_PAGE_H_
