// A directory of one's own that goes with what is in it.

#ifndef ISOCHRON_HOSTIO_TEMPORARY_DIRECTORY_H_
#define ISOCHRON_HOSTIO_TEMPORARY_DIRECTORY_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace isochron::hostio {

// Makes a directory below TMPDIR that nobody else has, and removes it with all that it holds.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  // Unavailable when the host does not let one have such a directory; there are no paths then.
  absl::Status status() const;
  const std::string& path() const { return path_; }
  // The path of `name` in it.
  std::string Path(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_TEMPORARY_DIRECTORY_H_
