#include "hostio/stop_signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <initializer_list>

namespace isochron::hostio {

StopSignals::StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT}) {
    // A blocked signal is queued even when its action is to ignore it.
    struct sigaction action;
    sigaction(signal, nullptr, &action);
    if (action.sa_handler != SIG_IGN) sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, &former_mask_);
  fd_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd_ < 0) {
    perror("isochron: signalfd");
    abort();
  }
}

StopSignals::~StopSignals() { close(fd_); }

void StopSignals::Release() {
  while (Take() != 0) {
  }
  pthread_sigmask(SIG_SETMASK, &former_mask_, nullptr);
}

int StopSignals::Take() {
  signalfd_siginfo info;
  if (read(fd_, &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) return 0;
  return static_cast<int>(info.ssi_signo);
}

bool StopSignals::IsMeant() {
  const auto now = std::chrono::steady_clock::now();
  if (!first_stop_.has_value()) first_stop_ = now;
  return now - *first_stop_ >= kPatience;
}

void StopSignals::EndProcess(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  raise(signal);
  _exit(128 + signal);  // for a signal whose default is not to end
}

}  // namespace isochron::hostio
