#include "cli/text/text_output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "hostio/file.h"
#include "hostio/printable.h"
#include "replaylog/describe.h"

namespace isochron::cli {
namespace {

constexpr size_t kBuffer = 64 << 10;

}  // namespace

size_t OutputColumns() {
  winsize size = {};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) {
    return replaylog::kLineColumns;
  }
  return std::max<size_t>(replaylog::kLineColumns, size.ws_col);
}

void TextOutput::Line(std::string_view line) {
  buffer_.append(hostio::Printable(line));
  buffer_.push_back('\n');
  if (buffer_.size() >= kBuffer) Flush();
}

void TextOutput::Lines(std::string_view lines) {
  buffer_.append(hostio::PrintableLines(lines));
  if (buffer_.size() >= kBuffer) Flush();
}

void TextOutput::Flush() {
  if (error_ == 0 && hostio::WriteAll(STDOUT_FILENO, buffer_) != buffer_.size()) error_ = errno;
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
