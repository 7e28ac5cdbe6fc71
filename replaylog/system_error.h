// Errors of system calls.

#ifndef ISOCHRON_REPLAYLOG_SYSTEM_ERROR_H_
#define ISOCHRON_REPLAYLOG_SYSTEM_ERROR_H_

#include <cerrno>
#include <string>

#include "absl/status/status.h"

namespace isochron::replaylog {

// The error in errno, with `what` before its text. Composing `what` must not change errno.
inline absl::Status SystemError(const std::string& what) {
  return absl::ErrnoToStatus(errno, what);
}

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_SYSTEM_ERROR_H_
