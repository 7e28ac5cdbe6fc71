#include "hostio/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace isochron::hostio {
namespace {

// The number in a file; `otherwise` when there is no file or no number in it ("max").
uint64_t NumberIn(const std::string& path, uint64_t otherwise) {
  std::ifstream file(path);
  std::string word;
  uint64_t value = 0;
  return file >> word && absl::SimpleAtoi(word, &value) ? value : otherwise;
}

// The least limit in the files called `name` of the group and of those around it.
uint64_t LeastUpwards(const std::string& mount, std::string group, const char* name,
                      uint64_t least) {
  for (;;) {
    least = std::min(least, NumberIn(absl::StrCat(mount, group, "/", name), least));
    const size_t slash = group.rfind('/');
    if (slash == std::string::npos) return least;
    group.resize(slash);
  }
}

// Whether a comma-separated list has the word.
bool Lists(std::string_view list, std::string_view word) {
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    if (list.substr(begin, end - begin) == word) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

MemoryLimit HostMemoryLimit(const std::string& root) {
  const uint64_t host =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  uint64_t least = host;
  // "0::/GROUP" is of version 2, "NUMBER:CONTROLLERS:/GROUP" of version 1 (cgroups(7)). In a
  // namespace of its own a process may see a group that is not below what is mounted; the mount's
  // root is its own then.
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      least = LeastUpwards(root + "/sys/fs/cgroup", group, "memory.max", least);
    } else if (Lists(controllers, "memory")) {
      least = LeastUpwards(root + "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes", least);
    }
  }
  return {least, least < host};
}

}  // namespace isochron::hostio
