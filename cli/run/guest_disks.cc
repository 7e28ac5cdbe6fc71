#include "cli/run/guest_disks.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "hostio/printable.h"
#include "machine/events/config_checks.h"
#include "replaylog/describe.h"
#include "replaylog/disk_overlay.h"
#include "replaylog/image_set.h"

namespace isochron::cli {
namespace {

using replaylog::ImageFile;
using replaylog::ImageRecord;

absl::Status AddImage(const machine::DiskConfig& config, const ImageFile& file, GuestDisks& disks) {
  absl::StatusOr<std::shared_ptr<const replaylog::FileSource>> source = replaylog::OpenImage(file);
  if (!source.ok()) return source.status();
  absl::StatusOr<std::shared_ptr<DiskImage>> image = DiskImage::Open(*std::move(source), false);
  if (!image.ok()) return image.status();
  disks.configs.push_back(config);
  disks.images.push_back(*std::move(image));
  return absl::OkStatus();
}

// Makes of `file`, an image, what its overlay shows of it, and opens that.
absl::StatusOr<std::shared_ptr<DiskImage>> OpenOverlay(const std::string& path, ImageFile& file) {
  using replaylog::DiskOverlay;
  std::error_code error;
  const std::filesystem::path name = std::filesystem::absolute(file.path, error);
  if (error) return absl::UnavailableError(absl::StrCat(file.path, ": ", error.message()));
  const replaylog::OverlayBase base = {file.record.size, file.record.digest, name.string()};
  absl::StatusOr<std::shared_ptr<DiskOverlay>> overlay = DiskOverlay::OpenToExtend(path, base);
  if (!overlay.ok()) return overlay.status();
  absl::StatusOr<std::unique_ptr<replaylog::FileSource>> disk = (*overlay)->Over(*file.source);
  if (!disk.ok()) return disk.status();
  file.source = *std::move(disk);
  // A log that begins with what is in the image needs no overlay.
  if ((*overlay)->digest() != file.record.digest) file.path = path;
  file.record.digest = (*overlay)->digest();
  return DiskImage::Open(file.source, *std::move(overlay));
}

// Which of `wanted` has the bytes of a file, as they are or, if it is an overlay, as one of its
// generations shows them.
absl::StatusOr<std::vector<ImageRecord>::const_iterator> FindDisk(
    ImageFile& file, const std::vector<ImageRecord>& wanted) {
  const auto same = std::find_if(wanted.begin(), wanted.end(), [&](const ImageRecord& image) {
    return image.size == file.record.size && image.digest == file.record.digest;
  });
  if (same != wanted.end() || !replaylog::DiskOverlay::IsOverlay(*file.source)) return same;
  for (auto record = wanted.begin(); record != wanted.end(); ++record) {
    auto disk = replaylog::DiskOverlay::OpenGeneration(file.source, record->digest, UserDigests());
    if (absl::IsNotFound(disk.status())) continue;
    if (!disk.ok()) return disk.status();
    if ((*disk)->size() != record->size) continue;
    file = {*record, file.path, *std::move(disk)};
    return record;
  }
  return wanted.end();
}

void TellOf(size_t disk, const absl::Status& status) {
  Say(absl::StrCat("disk", disk, ": ", std::string(status.message())));
}

// Whether nobody else has changed the image of a disk; otherwise tells of it, and an exit code of
// success becomes that of bad input.
bool IsUnchanged(size_t disk, const DiskImage& image, int& exit_code) {
  const absl::Status status = image.CheckUnchanged();
  if (status.ok()) return true;
  TellOf(disk, status);
  if (exit_code == ToInt(ExitCode::kOk)) exit_code = ToInt(ExitCode::kUsage);
  return false;
}

// Whether the file of a disk has what the guest has written; tells of it in any case.
bool Keep(size_t disk, DiskImage& image, const machine::BlockTree& written) {
  const bool extends = image.has_overlay();
  const absl::Status status =
      extends ? image.Extend(written, UserDigests()) : image.Commit(written);
  if (!status.ok()) {
    TellOf(disk, status);
    Say(absl::StrCat("disk", disk, ": ", image.written_name(),
                     extends ? " is as it was, and what the guest has written is lost"
                             : " has only a part of what the guest has written"));
    return false;
  }
  Say(absl::StrCat("disk", disk, ": ", image.written_name(), " now has the ", written.blocks(),
                   " blocks of 4 KiB that the guest has written"));
  return true;
}

// The line is drawn over and over, and gone at the end.
void ShowProgress(const replaylog::FileSource& source, uint64_t done) {
  constexpr double kGigabyte = 1e9;
  const std::string line = absl::StrFormat(
      "reading %s for its digest: %.1f of %.1f GB", hostio::Printable(source.name()),
      static_cast<double>(done) / kGigabyte, static_cast<double>(source.size()) / kGigabyte);
  std::fprintf(stderr, "\r%s\x1b[K", done == source.size() ? "" : line.substr(0, 78).c_str());
}

std::string CacheFolder() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  // What is not absolute is to be ignored (XDG Base Directory Specification 0.8).
  if (cache != nullptr && cache[0] == '/') return absl::StrCat(cache, "/isochron/digests");
  const char* const home = std::getenv("HOME");
  if (home == nullptr || home[0] != '/') return "";
  return absl::StrCat(home, "/.cache/isochron/digests");
}

}  // namespace

bool EndsInOrder(const machine::RunEnd& end) {
  return end.kind == machine::RunEnd::Kind::kPowerOff || end.kind == machine::RunEnd::Kind::kReset;
}

replaylog::DigestCache UserDigests() {
  return replaylog::DigestCache(CacheFolder(), isatty(STDERR_FILENO) != 0 ? ShowProgress : nullptr);
}

absl::StatusOr<GuestDisks> OpenNamedDisks(const std::vector<DiskOption>& options,
                                          std::vector<ImageFile>& files) {
  GuestDisks disks;
  // Before files are looked at.
  if (absl::Status status = machine::CheckDiskCount(options.size()); !status.ok()) return status;
  for (size_t i = 0; i < options.size(); ++i) {
    const DiskOption& option = options[i];
    absl::StatusOr<ImageFile> file = replaylog::DescribeDiskImage(
        option.path, ImageRecord::DiskRole(i), option.commit, UserDigests());
    if (!file.ok()) return file.status();
    constexpr uint64_t kCdRomBlock = machine::DiskConfig::kCdRomBlock;
    if (option.interface == machine::DiskConfig::Interface::kCdRom &&
        file->record.size % kCdRomBlock != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(option.path, ": has ", file->record.size,
                       " bytes, which are not whole blocks of a CD-ROM, ", kCdRomBlock));
    }
    const machine::DiskConfig config = {
        .interface = option.interface, .read_only = option.read_only, .bytes = file->record.size};
    absl::StatusOr<std::shared_ptr<DiskImage>> image =
        option.overlay.empty() ? DiskImage::Open(file->source, option.commit)
                               : OpenOverlay(option.overlay, *file);
    if (!image.ok()) return image.status();
    disks.configs.push_back(config);
    disks.images.push_back(*std::move(image));
    files.push_back(*std::move(file));
  }
  return disks;
}

absl::StatusOr<std::vector<ImageFile>> RecognizeDisks(const std::vector<DiskOption>& options,
                                                      const replaylog::LogHeader& header) {
  std::vector<ImageFile> found;
  std::vector<ImageRecord> wanted;
  std::copy_if(header.images.begin(), header.images.end(), std::back_inserter(wanted),
               [](const ImageRecord& image) { return image.is_disk(); });
  for (const DiskOption& option : options) {
    absl::StatusOr<ImageFile> file =
        replaylog::DescribeDiskImage(option.path, ImageRecord::DiskRole(0), false, UserDigests());
    if (!file.ok()) return file.status();
    const auto same = FindDisk(*file, wanted);
    if (!same.ok()) return same.status();
    if (*same == wanted.end()) {
      std::vector<std::string> left;
      for (const ImageRecord& image : wanted) {
        left.push_back(absl::StrCat(std::string(replaylog::ImageRoleName(image.role)), " of ",
                                    image.size, " bytes, digest ", image.digest.ToString()));
      }
      return absl::FailedPreconditionError(absl::StrCat(
          option.path, ": ", file->record.size, " bytes, digest ", file->record.digest.ToString(),
          left.empty() ? ", is one disk more than the log has"
                       : absl::StrCat(", is not on any disk of the log that is left: ",
                                      absl::StrJoin(left, "; "))));
    }
    file->record.role = (*same)->role;
    found.push_back(*std::move(file));
    wanted.erase(*same);
  }
  return found;
}

absl::StatusOr<GuestDisks> OpenLogDisks(const replaylog::LogHeader& header,
                                        const std::vector<ImageFile>& files) {
  GuestDisks disks;
  for (const ImageFile& file : files) {
    if (!file.record.is_disk()) continue;
    const machine::DiskConfig& config = header.config.disks[file.record.disk()];
    if (absl::Status status = AddImage(config, file, disks); !status.ok()) return status;
  }
  return disks;
}

int CheckDisks(const GuestDisks& disks, int exit_code) {
  for (size_t i = 0; i < disks.images.size(); ++i)
    (void)IsUnchanged(i, *disks.images[i], exit_code);
  return exit_code;
}

int FinishDisks(const GuestDisks& disks, const machine::Machine& machine,
                const machine::RunEnd& end, bool log_is_lost, int exit_code) {
  for (size_t i = 0; i < disks.images.size(); ++i) {
    DiskImage& image = *disks.images[i];
    const bool unchanged = IsUnchanged(i, image, exit_code);
    if (!image.writable() && !image.has_overlay()) continue;
    std::string why;
    if (!EndsInOrder(end)) {
      why = "the guest has not come to an end in order";
    } else if (log_is_lost) {
      why = "the log that tells how it came about is not complete";
    } else if (!unchanged) {
      why = "it is not the file any more that the guest began with";
    }
    if (!why.empty()) {
      Say(absl::StrCat("disk", i, ": ", image.written_name(),
                       " stays as it is, and what the guest has ", "written is lost: ", why));
    } else if (!Keep(i, image, machine.disks()[i].written())) {
      exit_code = ToInt(ExitCode::kInternal);
    }
  }
  return exit_code;
}

}  // namespace isochron::cli
