#include "cli/text_output.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "cli/exit_code.h"
#include "cli/report.h"

namespace isochron::cli {
namespace {

constexpr size_t kBuffer = 64 << 10;

}  // namespace

void TextOutput::Line(std::string_view line) {
  buffer_.append(line);
  buffer_.push_back('\n');
  if (buffer_.size() >= kBuffer) Flush();
}

void TextOutput::Flush() {
  std::string_view rest = buffer_;
  while (error_ == 0 && !rest.empty()) {
    const ssize_t written = write(STDOUT_FILENO, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  buffer_.clear();
}

int TextOutput::Finish(int exit_code) {
  Flush();
  if (error_ == 0) return exit_code;
  if (error_ == EPIPE) return ToInt(ExitCode::kSignalBase) + SIGPIPE;
  Say(absl::StrCat("cannot write standard output: ", strerror(error_)));
  return ToInt(ExitCode::kInternal);
}

}  // namespace isochron::cli
