// The system calls of operating systems for Alpha by number.

#ifndef ISOCHRON_DEBUG_SYSTEM_CALLS_H_
#define ISOCHRON_DEBUG_SYSTEM_CALLS_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace isochron::debug {

// What Linux calls a system call, those of OSF/1 with its prefix "osf_"; empty if there is none.
std::string_view SystemCallName(uint64_t number);
// The number of the one with that name, with or without the prefix; nothing if there is none.
std::optional<uint64_t> SystemCallNumber(std::string_view name);

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_SYSTEM_CALLS_H_
