// What is wrong with a command line.

#ifndef ISOCHRON_CLI_TEXT_USAGE_ERROR_H_
#define ISOCHRON_CLI_TEXT_USAGE_ERROR_H_

#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace isochron::cli {

// The commands right below `app`, by name.
std::vector<std::string> CommandNames(const CLI::App& app);

// "there is no command 'rum'; did you mean 'run'?"
std::string UnknownCommand(const CLI::App& app, const std::string& word);

// Why `app` could not parse its command line, in the order in which a reader would find out: a word
// that is no command or option, with what was probably meant; the first value that is none; what is
// missing or excluded.
std::string ExplainParseError(const CLI::App& app, const CLI::ParseError& error);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_TEXT_USAGE_ERROR_H_
