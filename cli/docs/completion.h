// Completion of commands, options and their values for three shells, generated from the definitions
// of commands and options.

#ifndef ISOCHRON_CLI_DOCS_COMPLETION_H_
#define ISOCHRON_CLI_DOCS_COMPLETION_H_

#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace isochron::cli {

// Each is a script in the shell's own language, for the place where that shell looks for
// completions.
std::string BashCompletion(const CLI::App& app);
std::string ZshCompletion(const CLI::App& app);
std::string FishCompletion(const CLI::App& app);

// What the value of an option, or an argument, is completed to.
struct Values {
  enum class Kind : unsigned char {
    kUnknown,  // nothing can be offered
    kWords,
    kFile,
    kConsole,  // the words, or file: and the name of a file
  };
  Kind kind = Kind::kUnknown;
  std::vector<std::string> words;
};

// The values of an option of this command that takes one, or of an argument of it.
Values ValuesOf(const CLI::Option& option, const CLI::App& command);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_DOCS_COMPLETION_H_
