// A tool of the build: writes the manual page isochron.1 and completions into a directory, those
// under the names that the shells look for: isochron.bash, _isochron, isochron.fish.

#include <cstdio>
#include <fstream>
#include <functional>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/app.h"
#include "cli/docs/command_docs.h"
#include "cli/docs/completion.h"

namespace {

bool Write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return !file.fail();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  CLI::App app(isochron::cli::kDescription, "isochron");
  std::function<int()> command;
  isochron::cli::AddCommands(app, command);
  const std::string directory = std::string(argv[1]) + "/";
  const bool written =
      Write(directory + "isochron.1", isochron::cli::ManPage(app, ISOCHRON_VERSION)) &&
      Write(directory + "isochron.bash", isochron::cli::BashCompletion(app)) &&
      Write(directory + "_isochron", isochron::cli::ZshCompletion(app)) &&
      Write(directory + "isochron.fish", isochron::cli::FishCompletion(app));
  if (!written) perror("cannot write");
  return written ? 0 : 1;
}
