// Tells perf(1) which translated code belongs to which guest code.

#ifndef ISOCHRON_JIT_PERF_MAP_H_
#define ISOCHRON_JIT_PERF_MAP_H_

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/status/status.h"

namespace isochron::jit {

// A file with a line for each piece of code: address, size and name (Linux,
// tools/perf/Documentation/jit-interface.txt).
class PerfMap {
 public:
  PerfMap() = default;
  PerfMap(const PerfMap&) = delete;
  PerfMap& operator=(const PerfMap&) = delete;
  ~PerfMap() {
    if (file_ != nullptr) fclose(file_);
  }

  // Starts the file anew: one of our own, which follows no link at `path`. Until then, nothing is
  // written.
  absl::Status Open(const std::string& path);
  bool is_open() const { return file_ != nullptr; }
  // Notes the code of the region that is entered at guest address `pc`, which people call `name`,
  // one line, if they have a name for it.
  void Add(const uint8_t* code, size_t bytes, uint64_t pc, const char* mode,
           const std::string& name);

 private:
  FILE* file_ = nullptr;
};

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_PERF_MAP_H_
