#include "cli/run/guest_images.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hostio/image_file.h"
#include "machine/events/digest.h"
#include "machine/firmware/elf_image.h"
#include "replaylog/describe.h"

namespace isochron::cli {
namespace {

using replaylog::ImageFile;
using replaylog::ImageRecord;
using Role = ImageRecord::Role;

// Puts the bytes of an image to their place among the images to boot.
absl::Status AddImage(Role role, std::string bytes, const std::string& path,
                      machine::BootImages& boot) {
  if (role == Role::kInitrd) {
    boot.initrd = std::move(bytes);
    return absl::OkStatus();
  }
  if (hostio::IsGzip(bytes)) {
    absl::StatusOr<std::string> unpacked = hostio::Gunzip(bytes, hostio::kMaxImageBytes);
    if (!unpacked.ok()) return hostio::WithPath(unpacked.status(), path);
    bytes = *std::move(unpacked);
  }
  absl::StatusOr<machine::KernelImage> kernel = machine::ParseKernel(bytes);
  if (!kernel.ok()) return hostio::WithPath(kernel.status(), path);
  boot.kernel = *std::move(kernel);
  return absl::OkStatus();
}

// What the log's own files say about its images; nothing when there are none.
absl::StatusOr<std::vector<ImageFile>> OwnImages(const replaylog::LogReader& log,
                                                 const std::string& path) {
  if (log.is_bundle()) return log.bundled_images();
  if (path == "-") return std::vector<ImageFile>();
  absl::StatusOr<std::vector<ImageFile>> sidecar = replaylog::ReadSidecar(path);
  if (absl::IsNotFound(sidecar.status())) return std::vector<ImageFile>();
  return sidecar;
}

std::vector<DiskOption> AllDisks(const RunOptions& options) {
  std::vector<DiskOption> disks = options.disks;
  disks.insert(disks.end(), options.cdroms.begin(), options.cdroms.end());
  return disks;
}

bool HasRole(const std::vector<ImageFile>& files, Role role) {
  return std::any_of(files.begin(), files.end(),
                     [role](const ImageFile& file) { return file.record.role == role; });
}

}  // namespace

void GuestImages::PutDisks(GuestDisks opened) {
  disks = std::move(opened);
  boot.disks.assign(disks.images.begin(), disks.images.end());
}

absl::StatusOr<GuestImages> LoadNamedImages(const RunOptions& options) {
  GuestImages images;
  // One reading serves memory and digest, so that they cannot differ.
  auto load = [&images](Role role, const std::string& path) -> absl::Status {
    absl::StatusOr<std::string> bytes = hostio::ReadFileBytes(path);
    if (!bytes.ok()) return bytes.status();
    images.files.push_back({{role, bytes->size(), machine::DigestOf(*bytes)}, path, nullptr});
    return AddImage(role, *std::move(bytes), path, images.boot);
  };
  const bool boots_kernel = !options.config.boot_disk.has_value();
  if (boots_kernel && options.kernel_path.empty()) {
    return absl::InvalidArgumentError("--kernel is required, or --boot with a disk to boot from");
  }
  if (boots_kernel) {
    absl::Status status = load(Role::kKernel, options.kernel_path);
    if (!status.ok()) return status;
  }
  if (!options.initrd_path.empty()) {
    absl::Status status = load(Role::kInitrd, options.initrd_path);
    if (!status.ok()) return status;
  }
  absl::StatusOr<GuestDisks> disks = OpenNamedDisks(AllDisks(options), images.files);
  if (!disks.ok()) return disks.status();
  images.PutDisks(*std::move(disks));
  return images;
}

absl::StatusOr<std::vector<ImageFile>> FindLogImages(const replaylog::LogReader& log,
                                                     const std::string& path,
                                                     const RunOptions& options) {
  std::vector<ImageFile> named;
  for (const auto& [role, name] : {std::pair(Role::kKernel, options.kernel_path),
                                   std::pair(Role::kInitrd, options.initrd_path)}) {
    if (name.empty()) continue;
    absl::StatusOr<ImageFile> file = replaylog::DescribeImageFile(name, role);
    if (!file.ok()) return file.status();
    named.push_back(*std::move(file));
  }
  const std::vector<ImageRecord>& wanted = log.header().images;
  absl::StatusOr<std::vector<ImageFile>> disks = RecognizeDisks(options.disks, log.header());
  if (!disks.ok()) return disks.status();
  std::move(disks->begin(), disks->end(), std::back_inserter(named));
  for (const ImageFile& file : named) {
    if (std::none_of(wanted.begin(), wanted.end(), [&file](const ImageRecord& image) {
          return image.role == file.record.role;
        })) {
      return absl::InvalidArgumentError(
          absl::StrCat(file.path, ": ", path, " was recorded without ",
                       std::string(replaylog::ImageRoleName(file.record.role))));
    }
  }
  if (std::all_of(wanted.begin(), wanted.end(),
                  [&named](const ImageRecord& image) { return HasRole(named, image.role); })) {
    return replaylog::MatchImages(log.header(), named, UserDigests());
  }

  absl::StatusOr<std::vector<ImageFile>> own = OwnImages(log, path);
  if (!own.ok()) return own.status();
  // A sidecar that a complete and a partial log share may name several files for a role.
  std::stable_partition(own->begin(), own->end(), [&wanted](const ImageFile& file) {
    return std::find(wanted.begin(), wanted.end(), file.record) != wanted.end();
  });
  for (ImageFile& file : *own) {
    if (!HasRole(named, file.record.role)) named.push_back(std::move(file));
  }
  for (const ImageRecord& image : wanted) {
    if (HasRole(named, image.role)) continue;
    const std::string role(replaylog::ImageRoleName(image.role));
    return absl::FailedPreconditionError(
        absl::StrCat(path, " needs its ", role, " (", image.size, " bytes, digest ",
                     image.digest.ToString(), "), which no ", replaylog::SidecarPath(path),
                     " names; give it with --", image.is_disk() ? "disk" : role));
  }
  return replaylog::MatchImages(log.header(), named, UserDigests());
}

absl::StatusOr<GuestImages> LoadLogImages(const replaylog::LogReader& log, const std::string& path,
                                          const RunOptions& options) {
  absl::StatusOr<std::vector<ImageFile>> files = FindLogImages(log, path, options);
  if (!files.ok()) return files.status();
  GuestImages images;
  for (const ImageFile& file : *files) {
    if (file.record.is_disk()) continue;
    absl::StatusOr<std::string> bytes = replaylog::ReadImage(file);
    if (!bytes.ok()) return bytes.status();
    absl::Status status = AddImage(file.record.role, *std::move(bytes), file.path, images.boot);
    if (!status.ok()) return status;
  }
  absl::StatusOr<GuestDisks> disks = OpenLogDisks(log.header(), *files);
  if (!disks.ok()) return disks.status();
  images.PutDisks(*std::move(disks));
  images.files = *std::move(files);
  return images;
}

}  // namespace isochron::cli
