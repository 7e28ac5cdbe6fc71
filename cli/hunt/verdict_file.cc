#include "cli/hunt/verdict_file.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hostio/image_file.h"
#include "hostio/number.h"

namespace isochron::cli {
namespace {

// Takes a number and the character behind it, or all that is left with '\0'.
bool TakeNumber(std::string_view& text, char behind, uint64_t& number) {
  const size_t end = behind == '\0' ? text.size() : text.find(behind);
  const std::optional<uint64_t> value = hostio::ParseDigits(text.substr(0, end), 10);
  if (end == std::string_view::npos || !value.has_value()) return false;
  number = *value;
  text.remove_prefix(behind == '\0' ? end : end + 1);
  return true;
}

// A file, and what was in it.
struct OpenFile {
  hostio::Descriptor file;  // for writing
  std::string text;
};

// The file at `path`, made if it is not there. It is ours, and nobody else's meanwhile.
absl::StatusOr<OpenFile> OpenOrCreate(const std::string& path) {
  absl::StatusOr<hostio::Descriptor> writing = hostio::CreateNew(path);
  absl::StatusOr<hostio::Descriptor> reading = absl::NotFoundError("");
  if (absl::IsAlreadyExists(writing.status())) {
    reading = hostio::OpenRegular(path, "the verdicts of a hunt");
    if (!reading.ok()) return reading.status();
    writing = hostio::OpenToUpdate(path, reading->fd());
  }
  if (!writing.ok()) return writing.status();
  if (flock(writing->fd(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": another hunt is writing it"));
  }
  OpenFile opened{*std::move(writing), ""};
  if (!reading.ok()) return opened;
  absl::StatusOr<std::string> text = hostio::ReadDescriptor(reading->fd());
  if (!text.ok()) return hostio::WithPath(text.status(), path);
  opened.text = *std::move(text);
  return opened;
}

}  // namespace

std::string VerdictFile::Line::Text() const {
  return absl::StrCat(seed, fails ? " fails " : " passes ", cycle, " ", instructions);
}

std::optional<VerdictFile::Line> VerdictFile::Line::Parse(std::string_view text) {
  Line line;
  if (!TakeNumber(text, ' ', line.seed)) return std::nullopt;
  line.fails = text.starts_with("fails ");
  if (!line.fails && !text.starts_with("passes ")) return std::nullopt;
  text.remove_prefix(text.find(' ') + 1);
  if (!TakeNumber(text, ' ', line.cycle) || !TakeNumber(text, '\0', line.instructions)) {
    return std::nullopt;
  }
  return line;
}

absl::StatusOr<VerdictFile> VerdictFile::Open(const std::string& path, const std::string& what,
                                              uint64_t first) {
  VerdictFile verdicts;
  verdicts.path_ = path;
  verdicts.first_ = first;
  absl::StatusOr<OpenFile> opened = OpenOrCreate(path);
  if (!opened.ok()) return opened.status();
  verdicts.file_ = std::move(opened->file);
  const absl::StatusOr<size_t> whole = verdicts.Read(opened->text, what);
  if (!whole.ok()) return whole.status();
  if (ftruncate(verdicts.file_.fd(), static_cast<off_t>(*whole)) != 0 ||
      lseek(verdicts.file_.fd(), 0, SEEK_END) < 0) {
    return absl::InternalError(absl::StrCat(path, ": ", std::strerror(errno)));
  }
  verdicts.size_ = *whole;
  if (*whole == 0) {
    if (absl::Status status = verdicts.Write(what + "\n"); !status.ok()) return status;
  }
  return verdicts;
}

absl::StatusOr<size_t> VerdictFile::Read(std::string_view text, const std::string& what) {
  const auto is_of_another = [this] {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ": holds verdicts of another hunt; give another directory"));
  };
  size_t begin = 0;
  for (size_t number = 1;; ++number) {
    const size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) {  // nothing, or a line that was cut off
      if (number == 1 && !what.starts_with(text)) return is_of_another();
      return begin;
    }
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (number == 1) {
      if (line == what) continue;
      return is_of_another();
    }
    const std::optional<Line> known = Line::Parse(line);
    if (!known.has_value() || known->seed != next()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path_, ":", number, ": is not the verdict on seed ", next()));
    }
    lines_.push_back(*known);
  }
}

absl::Status VerdictFile::Add(const Line& line) {
  waiting_.emplace(line.seed, line);
  std::string text;
  while (!waiting_.empty() && waiting_.begin()->first == next() &&
         waiting_.begin()->first <= end_) {
    lines_.push_back(waiting_.begin()->second);
    absl::StrAppend(&text, lines_.back().Text(), "\n");
    waiting_.erase(waiting_.begin());
  }
  return Write(text);
}

absl::Status VerdictFile::Write(const std::string& text) {
  if (hostio::WriteAll(file_.fd(), text) == text.size()) {
    size_ += text.size();
    return absl::OkStatus();
  }
  const int error = errno;
  // Where that fails, too, the next hunt finds a line that was cut off.
  if (ftruncate(file_.fd(), static_cast<off_t>(size_)) == 0) lseek(file_.fd(), 0, SEEK_END);
  return absl::InternalError(absl::StrCat(path_, ": ", std::strerror(error)));
}

}  // namespace isochron::cli
