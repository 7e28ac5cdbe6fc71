#include "hostio/temporary_directory.h"

#include <stdlib.h>

#include <filesystem>
#include <system_error>

namespace isochron::hostio {

TemporaryDirectory::TemporaryDirectory() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "isochron-XXXXXX").string();
  if (!error && mkdtemp(name.data()) != nullptr) path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code error;
  if (!path_.empty()) std::filesystem::remove_all(path_, error);
}

absl::Status TemporaryDirectory::status() const {
  return path_.empty() ? absl::UnavailableError("no directory for temporary files")
                       : absl::OkStatus();
}

}  // namespace isochron::hostio
