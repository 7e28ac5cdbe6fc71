// What somebody meant who misspelt a name.

#ifndef ISOCHRON_CLI_TEXT_SUGGESTION_H_
#define ISOCHRON_CLI_TEXT_SUGGESTION_H_

#include <string>
#include <string_view>
#include <vector>

namespace isochron::cli {

// The name most like `word`, of those that are like it: about a third of its characters, at most,
// are other ones, too many, missing or swapped, or it is the beginning of one name alone. Empty
// when there is none.
std::string Suggestion(std::string_view word, const std::vector<std::string>& names);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_TEXT_SUGGESTION_H_
