// Errors of system calls.

#ifndef ISOCHRON_HOSTIO_SYSTEM_ERROR_H_
#define ISOCHRON_HOSTIO_SYSTEM_ERROR_H_

#include <cerrno>
#include <string>

#include "absl/status/status.h"

namespace isochron::hostio {

// The error in errno, with `what` before its text. Composing `what` must not change errno.
inline absl::Status SystemError(const std::string& what) {
  return absl::ErrnoToStatus(errno, what);
}

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_SYSTEM_ERROR_H_
