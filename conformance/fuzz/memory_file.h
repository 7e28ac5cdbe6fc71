// Bytes as a file that has a path.

#ifndef ISOCHRON_CONFORMANCE_FUZZ_MEMORY_FILE_H_
#define ISOCHRON_CONFORMANCE_FUZZ_MEMORY_FILE_H_

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace isochron::replaylog {

// A file in memory; gone with the object.
class MemoryFile {
 public:
  MemoryFile(const uint8_t* data, size_t size) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
    if (fd_ < 0) std::abort();
    if (write(fd_, data, size) != static_cast<ssize_t>(size)) std::abort();
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { close(fd_); }

  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  const int fd_;
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_CONFORMANCE_FUZZ_MEMORY_FILE_H_
