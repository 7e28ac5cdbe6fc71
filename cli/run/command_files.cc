#include "cli/run/command_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "replaylog/describe.h"
#include "replaylog/output_file.h"
#include "timeline/snapshot.h"

namespace isochron::cli {
namespace {

// A directory is none of them: it is in the way.
bool IsNobodys(const std::string& path) {
  std::error_code error;
  return replaylog::IsSpecialFile(path) && !std::filesystem::is_directory(path, error);
}

bool AreSame(const std::string& a, const std::string& b) {
  std::error_code error;
  if (std::filesystem::equivalent(a, b, error)) return true;
  const std::filesystem::path full_a = std::filesystem::weakly_canonical(a, error);
  if (error) return false;
  const std::filesystem::path full_b = std::filesystem::weakly_canonical(b, error);
  return !error && full_a == full_b;
}

absl::Status CheckWritable(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  struct stat info;
  int error = 0;
  if (stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) {
      error = EISDIR;
    } else if (access(path.c_str(), W_OK) != 0) {
      error = errno;
    }
  } else if (access(parent.empty() ? "." : parent.c_str(), W_OK | X_OK) != 0) {
    error = errno;
  } else if (path.ends_with('/')) {
    error = ENOENT;
  }
  if (error == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("cannot write ", path, ": ", strerror(error)));
}

}  // namespace

void CommandFiles::Add(const std::string& path, const std::string& use, bool written) {
  if (!path.empty() && !IsNobodys(path)) files_.push_back({path, use, written});
}

void CommandFiles::AddInput(const std::string& path, const std::string& use) {
  Add(path, use, false);
}

void CommandFiles::AddImages(const std::vector<replaylog::ImageFile>& images) {
  for (const replaylog::ImageFile& image : images) AddImage(image, false);
}

void CommandFiles::AddImage(const replaylog::ImageFile& image, bool written) {
  Add(image.path, absl::StrCat("the ", std::string(replaylog::ImageRoleName(image.record.role))),
      written);
}

void CommandFiles::AddOutput(const std::string& path, const std::string& use) {
  Add(path, use, true);
}

void CommandFiles::AddLog(const std::string& path, const std::string& use) {
  if (path.empty() || IsNobodys(path)) return;
  AddOutput(path, use);
  AddOutput(replaylog::PartialPath(path), absl::StrCat(use, ", while it is written"));
  for (const std::string& name : {replaylog::SidecarPath(path), timeline::SnapshotPath(path)}) {
    const std::string part = absl::StrCat("a part of ", use);
    AddOutput(name, part);
    AddOutput(replaylog::PartialPath(name), part);
  }
}

absl::Status CommandFiles::Check() const {
  for (size_t i = 0; i < files_.size(); ++i) {
    const File& file = files_[i];
    if (file.written) {
      if (absl::Status status = CheckWritable(file.path); !status.ok()) return status;
    }
    for (size_t j = 0; j < i; ++j) {
      if ((!file.written && !files_[j].written) || !AreSame(file.path, files_[j].path)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(file.path, " cannot be both ", files_[j].use, " and ", file.use));
    }
  }
  return absl::OkStatus();
}

}  // namespace isochron::cli
