// The user's terminal in raw mode.

#ifndef ISOCHRON_CLI_HOST_TERMINAL_H_
#define ISOCHRON_CLI_HOST_TERMINAL_H_

#include <memory>

#include "absl/status/statusor.h"

namespace isochron::cli {

// Raw mode while it lives: every key goes to the guest, and what the guest writes reaches the
// terminal unchanged. There is one at a time.
//
// The former modes come back when it is destroyed, on Suspend(), and when the process dies of
// SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGQUIT; these then take their usual course.
// Other signals that end a process are the caller's to catch. As a background job it leaves
// the terminal, which belongs to another then, alone.
class RawTerminal {
 public:
  // FailedPrecondition when `fd` is no terminal or refuses.
  static absl::StatusOr<std::unique_ptr<RawTerminal>> Enter(int fd);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  // Job control, for SIGTSTP: restores the modes, stops the process, and is raw again when the
  // process continues in the foreground.
  void Suspend();

  // Restores the modes for good, as its destruction does; for a process that is about to die.
  void Leave();

  // The same of whichever there is, if there is one. May be called by a signal handler.
  static void LeaveNow();

  // For SIGCONT: raw again, if in the foreground.
  void Resume();

 private:
  explicit RawTerminal(int fd);
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_TERMINAL_H_
