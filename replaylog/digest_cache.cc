#include "replaylog/digest_cache.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hostio/file_stamp.h"
#include "replaylog/output_file.h"
#include "replaylog/stream_digest.h"

namespace isochron::replaylog {
namespace {

constexpr std::string_view kHeading = "isochron-digest 1";
constexpr size_t kMaxEntryBytes = 512;
constexpr size_t kDigestDigits = 32;
constexpr uint64_t kProgressBytes = uint64_t{64} << 20;

// What stands in an entry before the digest.
std::string Key(const hostio::FileStamp& stamp) {
  return absl::StrCat(std::string(kHeading), "\n", stamp.device, " ", stamp.inode, " ", stamp.size,
                      " ", stamp.modified, " ", stamp.changed, "\n");
}

std::string EntryPath(const std::string& folder, const hostio::FileStamp& stamp) {
  return absl::StrCat(folder, "/", stamp.device, "-", stamp.inode);
}

std::optional<machine::Digest> Find(const std::string& path, const std::string& key) {
  const auto source = FileSource::OpenRegular(path, "a digest");
  std::string text;
  if (!source.ok() || !(*source)->ReadAt(0, kMaxEntryBytes, text).ok()) return std::nullopt;
  if (!text.starts_with(key) || text.size() != key.size() + kDigestDigits + 1) return std::nullopt;
  return ParseDigest(std::string_view(text).substr(key.size(), kDigestDigits));
}

void Keep(const std::string& path, const hostio::FileStamp& stamp, const machine::Digest& digest) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(path);
  if (!file.ok()) return;
  absl::Status status = (*file)->Write(absl::StrCat(Key(stamp), digest.ToString(), "\n"));
  // What is changed once more at the same date would not be seen: a date that is the host's present
  // one is none to trust. The entry has just got it.
  const auto entry = FileSource::OpenRegular(PartialPath(path), "a digest");
  constexpr int64_t kSecond = 1'000'000'000;
  const auto now = entry.ok() ? (*entry)->Stamp() : entry.status();
  if (!now.ok() || now->changed - stamp.changed < kSecond) {
    status = absl::FailedPreconditionError("too new");
  }
  (void)(*file)->Finish(std::move(status));
}

}  // namespace

absl::StatusOr<machine::Digest> DigestCache::ReadDigest(const FileSource& source) const {
  StreamDigest digest;
  uint64_t done = 0;
  const absl::Status status = source.ReadAll([&](std::string_view piece) {
    digest.Update(piece);
    const uint64_t before = done;
    done += piece.size();
    const bool tell = before / kProgressBytes != done / kProgressBytes ||
                      (done == source.size() && done > kProgressBytes);
    if (progress_ != nullptr && tell) progress_(source, done);
    return absl::OkStatus();
  });
  if (!status.ok()) {
    // Nobody is left with half of it.
    if (progress_ != nullptr && done >= kProgressBytes) progress_(source, source.size());
    return status;
  }
  return digest.digest();
}

absl::StatusOr<machine::Digest> DigestCache::DigestOf(const FileSource& source) const {
  const bool kept = !folder_.empty() && source.is_whole() && source.size() >= kLeastBytes;
  if (!kept) return ReadDigest(source);
  const absl::StatusOr<hostio::FileStamp> before = source.Stamp();
  if (!before.ok()) return before.status();
  const std::string path = EntryPath(folder_, *before);
  if (const auto found = Find(path, Key(*before))) return *found;
  const absl::StatusOr<machine::Digest> digest = ReadDigest(source);
  if (!digest.ok()) return digest.status();
  const absl::StatusOr<hostio::FileStamp> after = source.Stamp();
  if (!after.ok()) return after.status();
  if (*after != *before) {
    return absl::FailedPreconditionError(
        absl::StrCat(source.name(), ": somebody has changed it while it was read"));
  }
  Keep(path, *before, *digest);
  return digest;
}

}  // namespace isochron::replaylog
