#include "replaylog/image_list.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "replaylog/describe.h"
#include "replaylog/stream_digest.h"

namespace isochron::replaylog {
namespace {

constexpr std::string_view kListHeading = "isochron-images 1";

// A path may hold any byte: a line of the list must not break in it.
std::string EscapePath(const std::string& path) {
  std::string escaped;
  for (char c : path) {
    if (c == '\\') {
      escaped += "\\\\";
    } else if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string UnescapePath(std::string_view escaped) {
  std::string path;
  for (size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '\\' || i + 1 == escaped.size()) {
      path += escaped[i];
    } else {
      ++i;
      path += escaped[i] == 'n' ? '\n' : escaped[i];
    }
  }
  return path;
}

std::optional<ImageFile> ParseImage(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, absl::MaxSplits(' ', 3));
  if (words.size() != 4 || words[3].empty()) return std::nullopt;
  ImageFile image;
  bool known = false;
  for (int index = 0; index < ImageRecord::kRoles; ++index) {
    const auto role = static_cast<ImageRecord::Role>(index);
    const std::string_view name = ImageRoleName(role);
    if (words[0] != absl::string_view(name.data(), name.size())) continue;
    image.record.role = role;
    known = true;
  }
  const std::optional<machine::Digest> digest = ParseDigest({words[1].data(), words[1].size()});
  if (!known || !digest.has_value() || !absl::SimpleAtoi(words[2], &image.record.size)) {
    return std::nullopt;
  }
  image.record.digest = *digest;
  image.path = UnescapePath({words[3].data(), words[3].size()});
  return image;
}

}  // namespace

std::string FormatImageList(const std::vector<ImageFile>& images) {
  std::string text(kListHeading);
  text += '\n';
  for (const ImageFile& image : images) {
    text += ImageRoleName(image.record.role);
    absl::StrAppend(&text, " ", image.record.digest.ToString(), " ", image.record.size, " ",
                    EscapePath(image.path), "\n");
  }
  return text;
}

absl::StatusOr<std::vector<ImageFile>> ParseImageList(std::string_view text,
                                                      const std::string& directory) {
  std::vector<absl::string_view> lines =
      absl::StrSplit(absl::string_view(text.data(), text.size()), '\n');
  if (lines.front() != absl::string_view(kListHeading.data(), kListHeading.size())) {
    return absl::InvalidArgumentError("line 1: this is no list of images");
  }
  if (lines.back().empty()) lines.pop_back();
  std::vector<ImageFile> images;
  for (size_t i = 1; i < lines.size(); ++i) {
    std::optional<ImageFile> image = ParseImage(lines[i]);
    if (!image) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", i + 1, ": expected a role, a digest, a size and a name"));
    }
    image->path = (std::filesystem::path(directory) / image->path).string();
    images.push_back(*std::move(image));
  }
  return images;
}

bool IsImageList(const FileSource& source) {
  std::string front;
  return source.ReadAt(0, kListHeading.size(), front).ok() && front == kListHeading;
}

}  // namespace isochron::replaylog
