#include "hostio/thread.h"

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace isochron::hostio {

absl::StatusOr<std::thread> StartThread(std::function<void()> work) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const absl::Cleanup restore = [&before] { pthread_sigmask(SIG_SETMASK, &before, nullptr); };
  try {
    return std::thread(std::move(work));
  } catch (const std::system_error& error) {  // std::thread knows no other way
    return absl::InternalError(
        absl::StrCat("the host refuses another thread: ", error.code().message()));
  }
}

}  // namespace isochron::hostio
