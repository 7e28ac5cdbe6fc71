#include "cli/text/command_line.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace isochron::cli {
namespace {

std::string& Noted() {
  static std::string line;
  return line;
}

}  // namespace

std::string ShellQuote(std::string_view word) {
  constexpr std::string_view kPlain = "%+,-./:=@_";
  const bool plain = std::all_of(word.begin(), word.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || kPlain.find(c) != kPlain.npos;
  });
  if (plain && !word.empty()) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

void NoteCommandLine(int argc, const char* const* argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) absl::StrAppend(&line, i == 0 ? "" : " ", ShellQuote(argv[i]));
  Noted() = line;
}

const std::string& CommandLine() { return Noted(); }

}  // namespace isochron::cli
