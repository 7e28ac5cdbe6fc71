#include "replaylog/image_set.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hostio/image_file.h"
#include "replaylog/bundle.h"
#include "replaylog/describe.h"
#include "replaylog/disk_overlay.h"
#include "replaylog/output_file.h"
#include "replaylog/packed_image.h"

namespace isochron::replaylog {
namespace {

constexpr std::string_view kListName = "the log's list of images";
constexpr std::string_view kImageOfTheLog = "an image of the log";
constexpr std::string_view kDiskImage = "the image of a disk";
constexpr size_t kMaxListBytes = 64 << 10;

// For a place where `what` is to be. A pipe there may have nobody at its other end, and could be
// read only once.
absl::Status RefuseSpecialFile(const std::string& path, std::string_view what) {
  if (!IsSpecialFile(path)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": is no regular file, and ", std::string(what), " is to be there"));
}

// The absolute name by which a file can be opened again after this process. FailedPrecondition for
// what has none, such as the pipe of a shell's <(command).
absl::StatusOr<std::string> LastingName(const std::string& path) {
  std::error_code error;
  std::filesystem::path name = std::filesystem::absolute(path, error);
  if (error) return absl::UnavailableError(absl::StrCat(path, ": ", error.message()));
  // Names of open files are good for this process alone; the files may have others.
  for (const char* open_files : {"/dev/fd/", "/dev/stdin", "/proc/"}) {
    if (name.string().starts_with(open_files)) name = std::filesystem::canonical(name, error);
  }
  if (!error && !IsSpecialFile(name)) return name.string();
  return absl::FailedPreconditionError(absl::StrCat(
      path, ": a replay could not open it again, for it is no regular file; give the log an image ",
      "that is one"));
}

// The bytes of a file when they are what the record says. A file of another size is not read.
absl::StatusOr<std::shared_ptr<const FileSource>> CheckImage(const ImageFile& file,
                                                             const ImageRecord& record,
                                                             const DigestCache& digests) {
  absl::StatusOr<std::shared_ptr<const FileSource>> source = OpenImage(file, digests);
  if (!source.ok()) return source.status();
  const std::string what = absl::StrCat((*source)->name(), ": not the ",
                                        std::string(ImageRoleName(record.role)), " of this log: ");
  if ((*source)->size() != record.size) {
    return absl::FailedPreconditionError(
        absl::StrCat(what, (*source)->size(), " bytes, recorded ", record.size));
  }
  if (file.checked && file.record == record) return source;
  if (record.is_disk() && (*source)->is_whole()) {
    if (absl::Status status = (*source)->Share(false); !status.ok()) return status;
  }
  absl::StatusOr<machine::Digest> digest = digests.DigestOf(**source);
  if (!digest.ok()) return digest.status();
  if (*digest == record.digest) return source;
  return absl::FailedPreconditionError(
      absl::StrCat(what, "digest ", digest->ToString(), ", recorded ", record.digest.ToString()));
}

}  // namespace

absl::StatusOr<ImageFile> DescribeImageFile(const std::string& path, ImageRecord::Role role,
                                            uint64_t pipe_limit) {
  absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::Open(path, pipe_limit);
  if (!source.ok()) return source.status();
  absl::StatusOr<machine::Digest> digest = DigestCache().DigestOf(**source);
  if (!digest.ok()) return digest.status();
  return ImageFile{{role, (*source)->size(), *digest}, path, *std::move(source), false, true};
}

absl::StatusOr<ImageFile> DescribeDiskImage(const std::string& path, ImageRecord::Role role,
                                            bool alone, const DigestCache& digests) {
  absl::StatusOr<std::unique_ptr<FileSource>> source =
      FileSource::OpenRegular(path == "-" ? "./-" : path, kDiskImage);
  if (!source.ok()) return source.status();
  const uint64_t size = (*source)->size();
  if (size == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": is empty; a disk has at least one sector of ", machine::kSectorSize, " bytes"));
  }
  if (size % machine::kSectorSize != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": has ", size, " bytes, which are not whole sectors of ", machine::kSectorSize));
  }
  if (absl::Status status = (*source)->Share(alone); !status.ok()) return status;
  absl::StatusOr<machine::Digest> digest = digests.DigestOf(**source);
  if (!digest.ok()) return digest.status();
  std::string name = (*source)->path();
  return ImageFile{{role, size, *digest}, std::move(name), *std::move(source), false, true};
}

std::string SidecarPath(const std::string& log) { return WithoutPartial(log) + ".images"; }

absl::StatusOr<std::unique_ptr<OutputFile>> PrepareSidecar(const std::string& log,
                                                           const std::vector<ImageFile>& images) {
  std::vector<ImageFile> named = images;
  std::erase_if(named, [](const ImageFile& image) { return image.path == "-"; });
  for (ImageFile& image : named) {
    absl::StatusOr<std::string> name = LastingName(image.path);
    if (!name.ok()) return name.status();
    image.path = *std::move(name);
  }
  const std::string path = SidecarPath(log);
  if (absl::Status status = RefuseSpecialFile(path, kListName); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(path);
  if (!file.ok()) return file.status();
  absl::Status status = (*file)->Write(FormatImageList(named));
  if (status.ok()) status = (*file)->Sync();
  if (status.ok()) return file;
  (*file)->Discard();
  return status;
}

absl::Status WriteSidecar(const std::string& log, const std::vector<ImageFile>& images) {
  absl::StatusOr<std::unique_ptr<OutputFile>> file = PrepareSidecar(log, images);
  if (!file.ok()) return file.status();
  return (*file)->Finish(absl::OkStatus());
}

absl::StatusOr<std::vector<ImageFile>> ReadSidecar(const std::string& log) {
  return ReadImageList(SidecarPath(log));
}

absl::StatusOr<std::vector<ImageFile>> ReadImageList(const std::string& path) {
  absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::OpenRegular(path, kListName);
  if (!source.ok()) return source.status();
  if ((*source)->size() > kMaxListBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": larger than ", kMaxListBytes, " bytes"));
  }
  std::string text;
  absl::Status status = (*source)->ReadAt(0, kMaxListBytes, text);
  if (!status.ok()) return status;
  absl::StatusOr<std::vector<ImageFile>> images =
      ParseImageList(text, std::filesystem::path(path).parent_path().string());
  if (!images.ok()) return hostio::WithPath(images.status(), path);
  return images;
}

absl::StatusOr<std::vector<ImageFile>> MatchImages(const LogHeader& header,
                                                   const std::vector<ImageFile>& files,
                                                   const DigestCache& digests) {
  std::vector<ImageFile> matched;
  for (const ImageRecord& record : header.images) {
    const auto same_role = [&record](const ImageFile& file) {
      return file.record.role == record.role;
    };
    const auto file = std::find_if(files.begin(), files.end(), same_role);
    const std::string role(ImageRoleName(record.role));
    if (file == files.end()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the log needs the image ", role, " (", record.size, " bytes, digest ",
                       record.digest.ToString(), "), and none is given"));
    }
    absl::StatusOr<std::shared_ptr<const FileSource>> source = CheckImage(*file, record, digests);
    if (!source.ok()) return source.status();
    // What has been unpacked stays so. A file is opened again when its bytes are wanted.
    // A disk is read while its machine runs: from the file that was checked.
    const bool keep = file->packed || record.is_disk();
    matched.push_back({record, file->path, keep ? *source : file->source});
  }
  return matched;
}

absl::StatusOr<std::shared_ptr<const FileSource>> OpenImage(const ImageFile& image,
                                                            const DigestCache& digests) {
  if (image.packed) {
    absl::StatusOr<std::unique_ptr<FileSource>> unpacked = UnpackImage(
        *image.source, image.record.size,
        image.record.is_disk() ? machine::DiskConfig::kMaxBytes : hostio::kMaxImageBytes);
    if (!unpacked.ok()) return unpacked.status();
    return std::shared_ptr<const FileSource>(*std::move(unpacked));
  }
  if (image.source != nullptr) return image.source;
  // The name comes out of a list, which may be somebody else's; "-" is no name.
  if (absl::Status status = RefuseSpecialFile(image.path, kImageOfTheLog); !status.ok())
    return status;
  absl::StatusOr<std::unique_ptr<FileSource>> source =
      FileSource::OpenRegular(image.path, kImageOfTheLog);
  if (!source.ok()) return source.status();
  if (IsBundle(**source)) {
    absl::StatusOr<Bundle> bundle = ReadBundle(**source);
    if (!bundle.ok()) return bundle.status();
    for (const ImageFile& member : bundle->images) {
      if (member.record == image.record) return OpenImage(member);
    }
  }
  std::shared_ptr<const FileSource> file = *std::move(source);
  if (!image.record.is_disk() || !DiskOverlay::IsOverlay(*file)) return file;
  // Any bytes may be on a disk: one that only looks so is what it is.
  absl::StatusOr<std::shared_ptr<const FileSource>> disk =
      DiskOverlay::OpenGeneration(file, image.record.digest, digests);
  const bool is_itself = !disk.ok() && file->size() == image.record.size;
  return is_itself ? file : disk;
}

absl::Status ImageHasChanged(const ImageFile& image) {
  return absl::FailedPreconditionError(
      absl::StrCat(image.path, ": the file has changed since its digest was taken"));
}

absl::StatusOr<std::string> ReadImage(const ImageFile& image) {
  if (image.record.size > hostio::kMaxImageBytes) {
    return absl::InvalidArgumentError(absl::StrCat(image.path, ": the file is too large"));
  }
  absl::StatusOr<std::shared_ptr<const FileSource>> source = OpenImage(image);
  if (!source.ok()) return source.status();
  std::string bytes;
  absl::Status status = (*source)->ReadAt(0, static_cast<size_t>(image.record.size), bytes);
  if (!status.ok()) return status;
  if (bytes.size() != image.record.size || machine::DigestOf(bytes) != image.record.digest) {
    return ImageHasChanged(image);
  }
  return bytes;
}

}  // namespace isochron::replaylog
