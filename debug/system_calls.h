// The system calls of operating systems for Alpha by number.

#ifndef ISOCHRON_DEBUG_SYSTEM_CALLS_H_
#define ISOCHRON_DEBUG_SYSTEM_CALLS_H_

#include <cstdint>
#include <string_view>

namespace isochron::debug {

// What Linux calls a system call, those of OSF/1 with its prefix "osf_"; empty if there is none.
std::string_view SystemCallName(uint64_t number);

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_SYSTEM_CALLS_H_
