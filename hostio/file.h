// Files of the host, opened and used so that nobody else's file, pipe or limit does harm.

#ifndef ISOCHRON_HOSTIO_FILE_H_
#define ISOCHRON_HOSTIO_FILE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace isochron::hostio {

// An open file, closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int fd() const { return fd_; }
  // Gives it up: the caller closes it.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// What a file is, as far as it matters here.
enum class FileKind {
  kRegular,
  kPipe,    // or a socket: bytes come once, and end
  kDevice,  // also a terminal: bytes may never end
  kDirectory,
};
// Of an open file.
absl::StatusOr<FileKind> KindOf(int fd);

// Opens what is at `path` for reading. Never waits, nor makes a terminal ours: a pipe's writer is
// waited for by ReadSome(). Errors name the path.
absl::StatusOr<Descriptor> OpenForReading(const std::string& path);

// Another descriptor of the open file `fd`. Errors name it `name`.
absl::StatusOr<Descriptor> Duplicate(int fd, const std::string& name);

// OpenForReading() for a regular file. FailedPrecondition, with the path and "`what` is to be
// there", when it is something else, even if it was put there a moment ago.
absl::StatusOr<Descriptor> OpenRegular(const std::string& path, std::string_view what);

// A second descriptor of the regular file that is open as `file`, named `path`, for writing into
// it. Aborted when the name is no longer that file's; otherwise what the operating system says.
absl::StatusOr<Descriptor> OpenToUpdate(const std::string& path, int file);

// Opens a pipe or a device for writing, and waits for a pipe's reader. FailedPrecondition when it
// is a regular file.
absl::StatusOr<Descriptor> OpenSpecialForWriting(const std::string& path);

// Makes a file of our own at `path`, for reading and writing, which nobody else may do unless they
// are root (mode 0600, less where the umask says so). AlreadyExists when there is anything, be it a
// symbolic link to nowhere.
absl::StatusOr<Descriptor> CreateNew(const std::string& path);

// As read(2), but also waits where the file does not (O_NONBLOCK), and goes on after signals.
ssize_t ReadSome(int fd, char* bytes, size_t size);

// Writes all of `bytes`, waiting where need be. Returns how many were written: when fewer, errno
// says why.
size_t WriteAll(int fd, std::string_view bytes);

// What this process takes from a pipe that has to be read to its end before use, in bytes: 1 GiB
// unless its user says otherwise. To be set before there are threads.
uint64_t PipeLimit();
void SetPipeLimit(uint64_t bytes);

// Copies what comes from `fd` to its end into a temporary file without a name. OutOfRange when
// more than `limit` bytes come; then no more than that has been written.
absl::StatusOr<Descriptor> CopyToTemporaryFile(int fd, uint64_t limit);

// Whether the name `path`, itself no symbolic link, is that of the open file.
bool IsNameOf(const std::string& path, int fd);

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_FILE_H_
