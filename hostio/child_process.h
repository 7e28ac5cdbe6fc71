// Work whose effects on this process's memory are not wanted.

#ifndef ISOCHRON_HOSTIO_CHILD_PROCESS_H_
#define ISOCHRON_HOSTIO_CHILD_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

namespace isochron::hostio {

// A forked copy of this process that does one thing and tells its result. Memory files that are
// mapped shared (a translator's two views of its code) are copied, too. No other thread of this
// process may hold a lock that the work needs.
class ChildProcess {
 public:
  explicit ChildProcess(const std::function<std::string()>& work);
  ~ChildProcess() { Finish(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Waits for the result. Nothing when the child could not be made or died.
  std::optional<std::string> Finish();

 private:
  pid_t pid_ = -1;
  int fd_ = -1;
};

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_CHILD_PROCESS_H_
