#include "hostio/child_process.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hostio/file.h"

namespace isochron::hostio {
namespace {

bool WriteResult(int fd, const std::string& result) {
  return WriteAll(fd, result) == result.size();
}

// A shared mapping of memory without a file on disk, such as the two views that a translator has of
// its code.
struct SharedMapping {
  char* start = nullptr;
  size_t size = 0;
  off_t offset = 0;
  int protection = 0;
};

// Whether a line of /proc/self/maps names such memory: a memory file, or none.
bool IsMemory(const char* line) {
  return strstr(line, "/memfd:") != nullptr || strstr(line, "/dev/zero (deleted)") != nullptr;
}

// Those mappings by inode.
std::map<uint64_t, std::vector<SharedMapping>> FindSharedMappings() {
  std::map<uint64_t, std::vector<SharedMapping>> found;
  FILE* maps = fopen("/proc/self/maps", "re");
  if (maps == nullptr) return found;
  char line[512];
  while (fgets(line, sizeof line, maps) != nullptr) {
    uintptr_t start = 0, end = 0;
    uint64_t offset = 0, inode = 0;
    char flags[8] = {};
    const int fields = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s %" SCNx64 " %*s %" SCNu64,
                              &start, &end, flags, &offset, &inode);
    if (fields != 5 || flags[3] != 's' || !IsMemory(line)) continue;
    const int protection = (flags[0] == 'r' ? PROT_READ : 0) | (flags[1] == 'w' ? PROT_WRITE : 0) |
                           (flags[2] == 'x' ? PROT_EXEC : 0);
    found[inode].push_back(
        {reinterpret_cast<char*>(start), end - start, static_cast<off_t>(offset), protection});
  }
  fclose(maps);
  return found;
}

// Copies the pages that were ever written; all others are zero in both files.
bool CopyResident(const SharedMapping& mapping, int file) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident(mapping.size / page);
  if ((mapping.protection & PROT_READ) == 0 ||
      mincore(mapping.start, mapping.size, resident.data()) != 0) {
    return false;
  }
  for (size_t i = 0; i < resident.size(); ++i) {
    if ((resident[i] & 1) == 0) continue;
    const off_t at = mapping.offset + static_cast<off_t>(i * page);
    if (pwrite(file, mapping.start + i * page, page, at) != static_cast<ssize_t>(page)) {
      return false;
    }
  }
  return true;
}

// Gives this process copies of the memory files that it shares with its parent, at the same
// addresses, so that what is written there stays here. False when the host refuses.
bool UnshareMemoryFiles() {
  for (const auto& [inode, mappings] : FindSharedMappings()) {
    const int file = memfd_create("isochron-copy", MFD_CLOEXEC);
    if (file < 0) return false;
    for (const SharedMapping& mapping : mappings) {
      // Views of what has been copied already add nothing.
      const off_t end = mapping.offset + static_cast<off_t>(mapping.size);
      if (lseek(file, 0, SEEK_END) >= end) continue;
      if (ftruncate(file, end) != 0 || !CopyResident(mapping, file)) return false;
    }
    for (const SharedMapping& mapping : mappings) {
      if (mmap(mapping.start, mapping.size, mapping.protection, MAP_SHARED | MAP_FIXED, file,
               mapping.offset) == MAP_FAILED) {
        return false;
      }
    }
    close(file);
  }
  return true;
}

}  // namespace

ChildProcess::ChildProcess(const std::function<std::string()>& work) {
  int fds[2];
  if (pipe(fds) != 0) return;
  pid_ = fork();
  if (pid_ == 0) {
    close(fds[0]);
    // Destructors and buffers are the parent's business.
    _exit(UnshareMemoryFiles() && WriteResult(fds[1], work()) ? 0 : 1);
  }
  close(fds[1]);
  if (pid_ < 0) {
    close(fds[0]);
    return;
  }
  fd_ = fds[0];
}

std::optional<std::string> ChildProcess::Finish() {
  if (pid_ < 0) return std::nullopt;
  std::string result;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = read(fd_, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    result.append(buffer, static_cast<size_t>(count));
  }
  close(std::exchange(fd_, -1));
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return result;
}

}  // namespace isochron::hostio
