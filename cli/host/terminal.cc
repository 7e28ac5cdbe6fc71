#include "cli/host/terminal.h"

#include <termios.h>
#include <unistd.h>
#include <csignal>
#include <cstddef>
#include <cstdlib>

#include <array>
#include <atomic>

#include "absl/status/status.h"

namespace isochron::cli {
namespace {

constexpr std::array<int, 6> kCrashSignals = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGQUIT};

// A signal handler reaches nothing but globals.
struct State {
  int fd = -1;
  termios saved = {};
  std::atomic<bool> raw = false;
  std::array<struct sigaction, kCrashSignals.size()> former_actions = {};
};
State g_state;

bool InForeground(int fd) {
  const pid_t group = tcgetpgrp(fd);
  return group == -1 || group == getpgrp();  // -1: not our controlling terminal
}

// Async-signal-safe.
void Restore() {
  if (!g_state.raw.exchange(false)) return;
  if (!InForeground(g_state.fd)) return;
  tcsetattr(g_state.fd, TCSANOW, &g_state.saved);
}

// True when the terminal is raw afterwards, or will be when the job comes to the foreground.
bool MakeRaw() {
  if (!InForeground(g_state.fd)) return true;
  if (!g_state.raw && tcgetattr(g_state.fd, &g_state.saved) != 0) return false;
  termios raw = g_state.saved;
  cfmakeraw(&raw);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  g_state.raw = true;
  return tcsetattr(g_state.fd, TCSANOW, &raw) == 0;
}

void OnCrash(int signal, siginfo_t* info, void*) {
  Restore();
  for (size_t i = 0; i < kCrashSignals.size(); ++i) {
    if (kCrashSignals[i] == signal) sigaction(signal, &g_state.former_actions[i], nullptr);
  }
  // A fault happens again on return and meets the former action with the true address; a
  // signal that was sent has to be sent again.
  if (info->si_code <= 0 || signal == SIGQUIT) raise(signal);
}

void InstallCrashHandlers() {
  struct sigaction action = {};
  action.sa_sigaction = OnCrash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kCrashSignals.size(); ++i) {
    sigaction(kCrashSignals[i], &action, &g_state.former_actions[i]);
  }
}

void RemoveCrashHandlers() {
  for (size_t i = 0; i < kCrashSignals.size(); ++i) {
    sigaction(kCrashSignals[i], &g_state.former_actions[i], nullptr);
  }
}

// The handler must run even when the stack is what overflowed.
void GiveThreadASignalStack() {
  stack_t stack = {};
  if (sigaltstack(nullptr, &stack) != 0 || (stack.ss_flags & SS_DISABLE) == 0) return;
  static std::array<std::byte, 64 * 1024> memory;
  stack.ss_sp = memory.data();
  stack.ss_size = memory.size();
  stack.ss_flags = 0;
  sigaltstack(&stack, nullptr);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RawTerminal>> RawTerminal::Enter(int fd) {
  if (isatty(fd) == 0) return absl::FailedPreconditionError("not a terminal");
  std::unique_ptr<RawTerminal> terminal(new RawTerminal(fd));
  if (!MakeRaw()) return absl::FailedPreconditionError("the terminal refuses raw mode");
  return terminal;
}

RawTerminal::RawTerminal(int fd) {
  if (g_state.fd != -1) abort();
  g_state.fd = fd;
  GiveThreadASignalStack();
  InstallCrashHandlers();
}

RawTerminal::~RawTerminal() {
  Restore();
  RemoveCrashHandlers();
  g_state.fd = -1;
}

void RawTerminal::Suspend() {
  Restore();
  raise(SIGSTOP);  // to this thread, so that nothing below runs before the stop
  Resume();
}

void RawTerminal::Leave() { Restore(); }

void RawTerminal::LeaveNow() { Restore(); }

void RawTerminal::Resume() { MakeRaw(); }

}  // namespace isochron::cli
