#include "replaylog/bundle.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replaylog/describe.h"
#include "replaylog/frame_index.h"
#include "replaylog/output_file.h"
#include "replaylog/packed_image.h"
#include "replaylog/tar.h"

namespace isochron::replaylog {
namespace {

constexpr std::string_view kListName = "isochron-bundle";
constexpr std::string_view kLogName = "log";
// Of an image's member that is packed. Those of older bundles are not.
constexpr std::string_view kPackedSuffix = ".zst";
constexpr size_t kMaxListBytes = 64 << 10;
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
  absl::Status status = WriteMemberHeader(kListName, list.size(), out);
  if (status.ok()) status = out.Write(list + std::string(TarPadding(list.size()), '\0'));
  if (status.ok()) status = CopyMember(kLogName, log, out);
  for (size_t i = 0; i < images.size() && status.ok(); ++i) {
    status = WriteImage(images[i], members[i].path, out);
  }
  if (status.ok()) status = out.Write(std::string(kTrailerBlocks * kTarBlock, '\0'));
  return status;
}

// Reads the header of the member at `offset` and moves `offset` to its content.
absl::StatusOr<TarMember> ReadMember(const FileSource& source, uint64_t& offset) {
  std::string block;
  if (absl::Status status = source.ReadAt(offset, kTarBlock, block); !status.ok()) return status;
  absl::StatusOr<TarMember> member = ParseTarHeader(block);
  if (!member.ok()) return ErrorAt(source, offset, member.status());
  if (member->size > source.size() - offset - kTarBlock) {
    return ErrorAt(source, offset,
                   absl::DataLossError(absl::StrCat("the bundle breaks off in ", member->name)));
  }
  offset += kTarBlock;
  return member;
}

absl::StatusOr<std::vector<ImageFile>> ReadList(const FileSource& source, uint64_t& offset) {
  absl::StatusOr<TarMember> member = ReadMember(source, offset);
  if (!member.ok()) return member.status();
  if (member->name != kListName || member->size > kMaxListBytes) {
    return ErrorAt(source, 0, absl::InvalidArgumentError("this is no bundle"));
  }
  std::string text;
  absl::Status status = source.ReadAt(offset, static_cast<size_t>(member->size), text);
  if (!status.ok()) return status;
  absl::StatusOr<std::vector<ImageFile>> images = ParseImageList(text, "");
  if (!images.ok()) return ErrorAt(source, offset, images.status());
  offset += member->size + TarPadding(member->size);
  return images;
}

}  // namespace

absl::Status WriteBundle(const FileSource& log, const std::vector<ImageFile>& images,
                         const std::string& bundle) {
  absl::StatusOr<std::unique_ptr<OutputFile>> out = OutputFile::Create(bundle);
  if (!out.ok()) return out.status();
  absl::Status status = WriteMembers(log, images, **out);
  if (status.ok()) status = (*out)->Commit();
  if (!status.ok()) (*out)->Discard();
  return status;
}

bool IsBundle(const FileSource& source) {
  std::string block;
  if (!source.ReadAt(0, kTarBlock, block).ok()) return false;
  absl::StatusOr<TarMember> member = ParseTarHeader(block);
  return member.ok() && member->name == kListName;
}

absl::StatusOr<Bundle> ReadBundle(const FileSource& source) {
  uint64_t offset = 0;
  absl::StatusOr<std::vector<ImageFile>> images = ReadList(source, offset);
  if (!images.ok()) return images.status();
  Bundle bundle;
  absl::StatusOr<TarMember> log = ReadMember(source, offset);
  if (!log.ok()) return log.status();
  if (log->name != kLogName) {
    return ErrorAt(source, offset, absl::DataLossError("the bundle's second member is no log"));
  }
  absl::StatusOr<std::unique_ptr<FileSource>> part = source.Part(offset, log->size);
  if (!part.ok()) return part.status();
  bundle.log = *std::move(part);
  offset += log->size + TarPadding(log->size);
  for (ImageFile& image : *images) {
    absl::StatusOr<TarMember> member = ReadMember(source, offset);
    if (!member.ok()) return member.status();
    const bool packed = image.path.ends_with(kPackedSuffix);
    if (member->name != image.path || (!packed && member->size != image.record.size)) {
      return ErrorAt(source, offset,
                     absl::DataLossError("the bundle's members are not those of its list"));
    }
    absl::StatusOr<std::unique_ptr<FileSource>> content = source.Part(offset, member->size);
    if (!content.ok()) return content.status();
    bundle.images.push_back({image.record, source.path(), *std::move(content), packed});
    offset += member->size + TarPadding(member->size);
  }
  return bundle;
}

}  // namespace isochron::replaylog
