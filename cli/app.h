// The program behind main().

#ifndef ISOCHRON_CLI_APP_H_
#define ISOCHRON_CLI_APP_H_

#include <functional>

#include <CLI/App.hpp>

namespace isochron::cli {

inline constexpr char kDescription[] = "A deterministic DEC Alpha computer";

// Adds all commands and options. After `app` has parsed a command line, `command` is what runs the
// command that was given and returns the exit code.
void AddCommands(CLI::App& app, std::function<int()>& command);

// Parses the command line and does what it says. Returns the exit code.
int Main(int argc, char** argv);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_APP_H_
