// Threads beside the sequencer's.

#ifndef ISOCHRON_HOSTIO_THREAD_H_
#define ISOCHRON_HOSTIO_THREAD_H_

#include <functional>
#include <thread>

#include "absl/status/statusor.h"

namespace isochron::hostio {

// Runs `work` on a thread that no signal interrupts: signals are for the threads that know what
// they mean. Internal when the host refuses a thread.
absl::StatusOr<std::thread> StartThread(std::function<void()> work);

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_THREAD_H_
