// Signals as something to poll for.

#ifndef ISOCHRON_HOSTIO_STOP_SIGNALS_H_
#define ISOCHRON_HOSTIO_STOP_SIGNALS_H_

#include <chrono>
#include <csignal>
#include <optional>

namespace isochron::hostio {

// From its construction on SIGINT, SIGTERM, SIGHUP, SIGTSTP and SIGCONT interrupt nobody and wait
// to be read from fd() instead. That is so to the end of the process, unless Release() is called: a
// signal that comes when all is done must not change how the process ends. Signals that the process
// was told to ignore (nohup) stay ignored. To be made before any other thread is.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  int fd() const { return fd_; }
  // Lets signals do again what they did before. Those that wait have had their wish.
  void Release();

  // The next signal's number, 0 when none waits.
  int Take();

  // When a stop has been asked for and nothing came of it for so long, one more is meant.
  static constexpr std::chrono::seconds kPatience{1};
  // To be told of each request to stop: whether an earlier one came kPatience ago or more.
  bool IsMeant();

  // Ends the process as the signal does when nobody catches it.
  [[noreturn]] static void EndProcess(int signal);

 private:
  sigset_t former_mask_;
  int fd_;
  std::optional<std::chrono::steady_clock::time_point> first_stop_;
};

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_STOP_SIGNALS_H_
