// The files that a command reads and writes.

#ifndef ISOCHRON_CLI_RUN_COMMAND_FILES_H_
#define ISOCHRON_CLI_RUN_COMMAND_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "replaylog/image_set.h"

namespace isochron::cli {

// Knows the files of one command by what they are for, so that none is written that is used
// otherwise. Standard output ("-"), pipes and devices are nobody's. Empty paths, those of options
// that were not given, are left out.
class CommandFiles {
 public:
  // `use` is what messages call the file, such as "the kernel".
  void AddInput(const std::string& path, const std::string& use);
  void AddImages(const std::vector<replaylog::ImageFile>& images);
  // One of a guest that perhaps writes to it.
  void AddImage(const replaylog::ImageFile& image, bool written);
  void AddOutput(const std::string& path, const std::string& use);
  // Everything that comes into being with a log: the log, its sidecar and its snapshots, whole
  // and partial.
  void AddLog(const std::string& path, const std::string& use);

  // InvalidArgument names the first file that cannot be written (its directory is not there, or
  // may not be written), or that is written and has another use. Nothing is created.
  absl::Status Check() const;

 private:
  struct File {
    std::string path;
    std::string use;
    bool written;
  };

  void Add(const std::string& path, const std::string& use, bool written);

  std::vector<File> files_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_COMMAND_FILES_H_
