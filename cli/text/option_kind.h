// Kinds of options, as all commands have them.

#ifndef ISOCHRON_CLI_TEXT_OPTION_KIND_H_
#define ISOCHRON_CLI_TEXT_OPTION_KIND_H_

#include <string>

#include <CLI/Option.hpp>

namespace isochron::cli {

// Whether it is no flag. CLI11 gives flags a type, but expects none of it.
inline bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() != 0; }

// Whether its value is the name of a file.
inline bool NamesFile(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type == "FILE" || type == "LOG" || type == "PATH";
}

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_TEXT_OPTION_KIND_H_
