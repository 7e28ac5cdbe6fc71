#include "debug/report/console_lines.h"

#include <utility>

#include "hostio/printable.h"

namespace isochron::debug {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Without escape sequences of terminals that are whole (ECMA-48: CSI, and ESC with one byte
// behind), backspaces and bells; tabs are spaces.
std::string WithoutControls(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\b' || c == '\a' || c == '\r') continue;
    if (c == '\t') {
      text.append(8 - text.size() % 8, ' ');
      continue;
    }
    if (c != '\x1b') {
      text += c;
      continue;
    }
    size_t end = i + 1;
    if (end < bytes.size() && bytes[end] == '[') {
      for (++end; end < bytes.size() && bytes[end] >= 0x20 && bytes[end] < 0x40;) ++end;
    }
    if (end < bytes.size() && bytes[end] >= 0x40 && bytes[end] < 0x7f && bytes[end] != ']') {
      i = end;
    } else {
      text += c;  // shown for what it is
    }
  }
  return text;
}

}  // namespace

std::optional<PrintkTime> FindPrintkTime(std::string_view line) {
  size_t at = 0;
  if (line.empty() || line[at++] != '[') return std::nullopt;
  while (at < line.size() && line[at] == ' ') ++at;
  PrintkTime time;
  const size_t seconds = at;
  for (; at < line.size() && IsDigit(line[at]) && at - seconds < 10; ++at) {
    time.microseconds = time.microseconds * 10 + (line[at] - '0');
  }
  if (at == seconds || at >= line.size() || line[at++] != '.') return std::nullopt;
  const size_t fraction = at;
  for (; at < line.size() && IsDigit(line[at]) && at - fraction < 6; ++at) {
    time.microseconds = time.microseconds * 10 + (line[at] - '0');
  }
  if (at - fraction != 6 || at >= line.size() || line[at++] != ']') return std::nullopt;
  if (at < line.size() && line[at] == ' ') ++at;
  time.text = at;
  return time;
}

void LineCutter::Add(uint64_t cycle, const replaylog::OutputRun& run) {
  const int uart = run.uart;
  Open& open = open_.at(run.uart);
  for (size_t i = 0; i < run.bytes.size(); ++i) {
    if (i > 0) cycle += run.deltas[i - 1];
    if (run.bytes[i] == '\n') {
      if (!open.begun) open.cycle = cycle;
      End(uart);
      continue;
    }
    if (!open.begun) {
      open.begun = true;
      open.cycle = cycle;
    }
    if (open.bytes.size() < kMostBytes) {
      open.bytes += run.bytes[i];
    } else if (run.bytes[i] != '\r') {
      open.cut = true;
    }
  }
}

void LineCutter::End(int uart) {
  Open& open = open_[uart];
  ConsoleLine line{open.cycle, uart, hostio::Printable(WithoutControls(open.bytes))};
  if (open.cut) line.text += " ...";
  open = Open();
  take_(std::move(line));
}

void LineCutter::Finish() {
  for (size_t uart = 0; uart < open_.size(); ++uart) {
    if (open_[uart].begun) End(static_cast<int>(uart));
  }
}

void LineList::Add(ConsoleLine line) {
  if (first_.size() < most_first_) {
    first_.push_back(std::move(line));
    return;
  }
  last_.push_back(std::move(line));
  if (last_.size() <= most_last_) return;
  last_.pop_front();
  ++left_out_;
}

}  // namespace isochron::debug
