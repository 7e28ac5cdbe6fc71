#include "cli/run/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace isochron::cli {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kRedrawInterval = std::chrono::milliseconds(100);
constexpr size_t kBarWidth = 6;

// One decimal and a power of 1000: "12.3G".
std::string Short(double value) {
  constexpr std::array<const char*, 7> kUnits = {"", "k", "M", "G", "T", "P", "E"};
  size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return absl::StrFormat("%.*f%s", unit == 0 ? 0 : 1, value, kUnits[unit]);
}

// Guest seconds.
std::string Seconds(uint64_t cycle, uint64_t clock_hz) {
  const double seconds = static_cast<double>(cycle) / static_cast<double>(clock_hz);
  return seconds < 999.95 ? absl::StrFormat("%.1f s", seconds) : Short(seconds) + " s";
}

std::string Duration(double seconds) {
  if (seconds >= 360'000) return "long";
  const auto whole = static_cast<int>(std::lround(seconds));
  if (whole >= 3600) {
    return absl::StrFormat("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return absl::StrFormat("%d:%02d", whole / 60, whole % 60);
}

}  // namespace

std::string RenderProgress(const Progress& progress, uint64_t clock_hz) {
  const double part = progress.total_cycles == 0
                          ? 1
                          : std::min(1.0, static_cast<double>(progress.cycle) /
                                              static_cast<double>(progress.total_cycles));
  const auto filled = static_cast<size_t>(part * kBarWidth);
  const double seconds = static_cast<double>(progress.elapsed.count()) / 1e9;
  const double speed = seconds > 0 ? static_cast<double>(progress.cycle) / seconds : 0;
  const double cycles_left = static_cast<double>(progress.total_cycles) * (1 - part);
  return absl::StrCat("[", std::string(filled, '#'), std::string(kBarWidth - filled, '.'), "]",
                      absl::StrFormat("%4d%%", static_cast<int>(part * 100)), "  ",
                      Short(static_cast<double>(progress.cycle)), " cycles (",
                      Seconds(progress.cycle, clock_hz), ")  ",
                      Short(static_cast<double>(progress.events)), " events  ", Short(speed),
                      "/s  ", speed > 0 ? Duration(cycles_left / speed) : "-", " left");
}

std::string RenderScriptProgress(const Progress& progress, uint64_t clock_hz,
                                 const ScriptCommand* command) {
  constexpr size_t kColumns = 79;
  const double seconds = static_cast<double>(progress.elapsed.count()) / 1e9;
  const double cycles = static_cast<double>(progress.cycle);
  std::string line = absl::StrCat(Short(cycles), " cycles (", Seconds(progress.cycle, clock_hz),
                                  ")  ", Short(seconds > 0 ? cycles / seconds : 0), "/s");
  if (command != nullptr) {
    absl::StrAppend(&line, "  line ", command->line, ": ", DescribeCommand(*command));
  }
  // What a script has in it is its author's, and not all of that is for a terminal.
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  if (line.size() > kColumns) line = line.substr(0, kColumns - 3) + "...";
  return line;
}

ProgressBar::ProgressBar(int fd, uint64_t total_cycles, HostClock& clock)
    : fd_(fd),
      total_cycles_(total_cycles),
      clock_(clock),
      start_(clock.Now()),
      last_drawn_(start_) {}

bool ProgressBar::IsDue(nanoseconds now) {
  if (now - last_drawn_ < kRedrawInterval) return false;
  last_drawn_ = now;
  visible_ = true;
  return true;
}

void ProgressBar::ShowScript(uint64_t cycle, uint64_t clock_hz, const ScriptCommand* command) {
  const nanoseconds now = clock_.Now();
  if (!IsDue(now)) return;
  Write(absl::StrCat("\r\x1b[K",
                     RenderScriptProgress({cycle, 0, 0, now - start_}, clock_hz, command)));
}

void ProgressBar::Show(uint64_t cycle, uint64_t clock_hz, uint64_t events) {
  const nanoseconds now = clock_.Now();
  if (!IsDue(now)) return;
  Write(absl::StrCat("\r\x1b[K",
                     RenderProgress({cycle, total_cycles_, events, now - start_}, clock_hz)));
}

void ProgressBar::Hide() {
  if (!visible_) return;
  visible_ = false;
  Write("\r\x1b[K");
}

void ProgressBar::Write(const std::string& text) {
  [[maybe_unused]] const ssize_t written = write(fd_, text.data(), text.size());
}

}  // namespace isochron::cli
