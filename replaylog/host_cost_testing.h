// What something costs the host, for tests of bounds: counts, no times.

#ifndef ISOCHRON_REPLAYLOG_HOST_COST_TESTING_H_
#define ISOCHRON_REPLAYLOG_HOST_COST_TESTING_H_

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

namespace isochron::replaylog {

// The number behind `name` in a file of /proc/self; nothing when it is not there.
inline std::optional<uint64_t> ProcessNumber(const std::string& file, const std::string& name) {
  std::ifstream in("/proc/self/" + file);
  std::string word;
  while (in >> word) {
    uint64_t value = 0;
    if (word == name && in >> value) return value;
  }
  return std::nullopt;
}

// Bytes that this process has got from read() and its like.
inline uint64_t BytesRead() { return ProcessNumber("io", "rchar:").value_or(0); }

// The most memory that this process has had since the last ResetPeakMemory(), bytes.
inline uint64_t PeakMemory() { return 1024 * ProcessNumber("status", "VmHWM:").value_or(0); }
// Makes PeakMemory() begin anew and returns it; nothing when the host does not let us.
inline std::optional<uint64_t> ResetPeakMemory() {
  std::ofstream out("/proc/self/clear_refs");
  if (!(out << "5" << std::flush)) return std::nullopt;
  return PeakMemory();
}

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_HOST_COST_TESTING_H_
