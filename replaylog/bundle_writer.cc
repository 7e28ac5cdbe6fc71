#include "replaylog/bundle_writer.h"

#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "replaylog/bundle.h"
#include "replaylog/describe.h"
#include "replaylog/image_set.h"
#include "replaylog/output_file.h"
#include "replaylog/packed_image.h"
#include "replaylog/tar.h"

namespace isochron::replaylog {
namespace {

constexpr size_t kTrailerBlocks = 2;

absl::Status WriteMemberHeader(std::string_view name, uint64_t size, OutputFile& out) {
  if (size > kMaxTarMember) {
    return absl::InvalidArgumentError("a bundle holds files of less than 8 GiB");
  }
  return out.Write(MakeTarHeader(name, size));
}

absl::Status CopyMember(std::string_view name, const FileSource& source, OutputFile& out) {
  absl::Status status = WriteMemberHeader(name, source.size(), out);
  if (status.ok()) {
    status = source.ReadAll([&out](std::string_view piece) { return out.Write(piece); });
  }
  if (status.ok()) status = out.Write(std::string(TarPadding(source.size()), '\0'));
  return status;
}

absl::Status WriteImage(const ImageFile& image, std::string_view name, OutputFile& out) {
  absl::StatusOr<std::shared_ptr<const FileSource>> source = OpenImage(image);
  if (!source.ok()) return source.status();
  absl::StatusOr<PackedImage> packed = PackImage(**source);
  if (!packed.ok()) return packed.status();
  if (packed->digest != image.record.digest || packed->size != image.record.size) {
    return ImageHasChanged(image);
  }
  return CopyMember(name, *packed->packed, out);
}

absl::Status WriteMembers(const FileSource& log, const std::vector<ImageFile>& images,
                          OutputFile& out) {
  std::vector<ImageFile> members = images;
  for (ImageFile& member : members) {
    member.path = std::string(ImageRoleName(member.record.role)) + std::string(kPackedSuffix);
  }
  const std::string list = FormatImageList(members);
  absl::Status status = WriteMemberHeader(kBundleListName, list.size(), out);
  if (status.ok()) status = out.Write(list + std::string(TarPadding(list.size()), '\0'));
  if (status.ok()) status = CopyMember(kBundleLogName, log, out);
  for (size_t i = 0; i < images.size() && status.ok(); ++i) {
    status = WriteImage(images[i], members[i].path, out);
  }
  if (status.ok()) status = out.Write(std::string(kTrailerBlocks * kTarBlock, '\0'));
  return status;
}

}  // namespace

absl::Status WriteBundle(const FileSource& log, const std::vector<ImageFile>& images,
                         const std::string& bundle) {
  absl::StatusOr<std::unique_ptr<OutputFile>> out = OutputFile::Create(bundle);
  if (!out.ok()) return out.status();
  return (*out)->Finish(WriteMembers(log, images, **out));
}

}  // namespace isochron::replaylog
