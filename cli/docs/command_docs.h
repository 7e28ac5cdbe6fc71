// The manual page, generated from the definitions of commands and options.

#ifndef ISOCHRON_CLI_DOCS_COMMAND_DOCS_H_
#define ISOCHRON_CLI_DOCS_COMMAND_DOCS_H_

#include <string>

#include <CLI/App.hpp>

namespace isochron::cli {

// The manual page isochron(1), in man(7) macros.
std::string ManPage(const CLI::App& app, const std::string& version);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_DOCS_COMMAND_DOCS_H_
