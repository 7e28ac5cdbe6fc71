// A tool of the build: writes the manual page and the completion for bash to the two files that it is given.

#include <cstdio>
#include <fstream>
#include <functional>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/app.h"
#include "cli/command_docs.h"

namespace {

bool Write(const char* path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return !file.fail();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s MAN-PAGE COMPLETION\n", argv[0]);
    return 2;
  }
  CLI::App app(isochron::cli::kDescription, "isochron");
  std::function<int()> command;
  isochron::cli::AddCommands(app, command);
  const bool written = Write(argv[1], isochron::cli::ManPage(app, ISOCHRON_VERSION)) &&
                       Write(argv[2], isochron::cli::BashCompletion(app));
  if (!written) perror("cannot write");
  return written ? 0 : 1;
}
