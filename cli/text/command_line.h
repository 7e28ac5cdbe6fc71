// How this program was called.

#ifndef ISOCHRON_CLI_TEXT_COMMAND_LINE_H_
#define ISOCHRON_CLI_TEXT_COMMAND_LINE_H_

#include <string>
#include <string_view>

namespace isochron::cli {

// A word as a shell takes it: quoted where it has to be.
std::string ShellQuote(std::string_view word);

// Remembers the command line, for reports. Called once, before there are threads.
void NoteCommandLine(int argc, const char* const* argv);

// The line for a shell; empty when none was noted.
const std::string& CommandLine();

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_TEXT_COMMAND_LINE_H_
