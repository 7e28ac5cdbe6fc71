// Values of options that consist of several parts.

#ifndef ISOCHRON_CLI_TEXT_COMMA_LIST_H_
#define ISOCHRON_CLI_TEXT_COMMA_LIST_H_

#include <string>
#include <string_view>
#include <vector>

namespace isochron::cli {

// The parts between single commas, at least one; two commas are one of a part.
std::vector<std::string> SplitAtCommas(std::string_view text);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_TEXT_COMMA_LIST_H_
