#include "replaylog/bundle.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replaylog/frame_index.h"
#include "replaylog/tar.h"

namespace isochron::replaylog {
namespace {

constexpr size_t kMaxListBytes = 64 << 10;

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
  if (member->name != kBundleListName || member->size > kMaxListBytes) {
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

bool IsBundle(const FileSource& source) {
  std::string block;
  if (!source.ReadAt(0, kTarBlock, block).ok()) return false;
  absl::StatusOr<TarMember> member = ParseTarHeader(block);
  return member.ok() && member->name == kBundleListName;
}

absl::StatusOr<Bundle> ReadBundle(const FileSource& source) {
  uint64_t offset = 0;
  absl::StatusOr<std::vector<ImageFile>> images = ReadList(source, offset);
  if (!images.ok()) return images.status();
  Bundle bundle;
  absl::StatusOr<TarMember> log = ReadMember(source, offset);
  if (!log.ok()) return log.status();
  if (log->name != kBundleLogName) {
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
