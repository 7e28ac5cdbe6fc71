// How much memory the host lets this process have.

#ifndef ISOCHRON_HOSTIO_MEMORY_LIMIT_H_
#define ISOCHRON_HOSTIO_MEMORY_LIMIT_H_

#include <cstdint>
#include <string>

namespace isochron::hostio {

struct MemoryLimit {
  uint64_t bytes = 0;
  bool of_control_group = false;  // less than what the host has
};

// The memory of the host, or the least that a control group (cgroup) of this process or one around
// it allows, as those of containers do. `root`: where proc/ and sys/ are, for tests.
MemoryLimit HostMemoryLimit(const std::string& root = "");

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_MEMORY_LIMIT_H_
