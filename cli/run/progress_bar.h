// How far a replay is, for somebody who watches.

#ifndef ISOCHRON_CLI_RUN_PROGRESS_BAR_H_
#define ISOCHRON_CLI_RUN_PROGRESS_BAR_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/control/script.h"
#include "cli/host/pacer.h"

namespace isochron::cli {

struct Progress {
  uint64_t cycle = 0;
  uint64_t total_cycles = 0;  // where it ends
  uint64_t events = 0;
  std::chrono::nanoseconds elapsed{0};
};

// One line of at most 79 columns without a newline: a bar, percent, cycles, guest seconds, events,
// cycles in a second of the host, time left.
std::string RenderProgress(const Progress& progress, uint64_t clock_hz);

// The same of a scripted run: cycles, guest seconds, cycles in a second of the host, and the
// command under way, if there is one.
std::string RenderScriptProgress(const Progress& progress, uint64_t clock_hz,
                                 const ScriptCommand* command);

// The last line of a terminal, drawn over and over. Other output may share the terminal: call
// Hide() before it and Show() when the cursor is at the beginning of a line.
class ProgressBar {
 public:
  // Draws on `fd`, at most ten times a second by `clock`, which must outlive it.
  ProgressBar(int fd, uint64_t total_cycles, HostClock& clock);
  ~ProgressBar() { Hide(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Show(uint64_t cycle, uint64_t clock_hz, uint64_t events);
  // Of a run whose end nobody knows: RenderScriptProgress() in its place.
  void ShowScript(uint64_t cycle, uint64_t clock_hz, const ScriptCommand* command);
  void Hide();

 private:
  // Whether it is time to draw again; then it has been drawn at `now`.
  bool IsDue(std::chrono::nanoseconds now);
  void Write(const std::string& text);

  const int fd_;
  const uint64_t total_cycles_;
  HostClock& clock_;
  const std::chrono::nanoseconds start_;
  std::chrono::nanoseconds last_drawn_;
  bool visible_ = false;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_PROGRESS_BAR_H_
