#include "replaylog/snapshot.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replaylog/codec.h"
#include "replaylog/output_file.h"
#include "replaylog/varint.h"

namespace isochron::replaylog {
namespace {

constexpr std::string_view kSnapshotMagic = "ISOCSNAP";
constexpr uint64_t kSnapshotVersion = 1;

// The skippable zstd frame in front of each snapshot: magic number, size of the rest (both
// 32 bits), cycle, digest, bytes of the snapshot's frames (64 bits each).
constexpr uint32_t kSkippableMagic = 0x184d2a55;
constexpr size_t kIndexBody = 32;
constexpr size_t kIndexBytes = 8 + kIndexBody;

// Content of one frame at most. Pages are put into frames of kPagesPerFrame.
constexpr size_t kMaxContent = size_t{4} << 20;
constexpr size_t kPagesPerFrame = 128;

template <typename T>
void AppendFixed(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
T ReadFixed(std::string_view bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// Takes `size` bytes off the front. False when there are fewer.
bool ConsumeBytes(std::string_view& bytes, uint64_t size, std::string_view& taken) {
  if (size > bytes.size()) return false;
  taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

absl::StatusOr<std::string> FileHeader(const LogHeader& header) {
  const absl::StatusOr<std::string> log_header = EncodeHeader(header);
  if (!log_header.ok()) return log_header.status();
  const machine::Digest binding = machine::DigestOf(*log_header);
  std::string content(kSnapshotMagic);
  AppendVarint(kSnapshotVersion, content);
  AppendFixed(binding.low, content);
  AppendFixed(binding.high, content);
  return content;
}

}  // namespace

std::string SnapshotPath(const std::string& log_path) { return log_path + ".snapshots"; }

absl::StatusOr<std::unique_ptr<SnapshotWriter>> SnapshotWriter::Create(
    const std::string& path, const LogHeader& header) {
  const absl::StatusOr<std::string> content = FileHeader(header);
  if (!content.ok()) return content.status();
  absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(path);
  if (!file.ok()) return file.status();
  std::unique_ptr<SnapshotWriter> writer(new SnapshotWriter(*std::move(file)));
  const absl::StatusOr<std::string> frame = writer->compressor_.Compress(*content);
  if (!frame.ok()) return frame.status();
  if (absl::Status status = writer->file_->Write(*frame); !status.ok()) return status;
  return writer;
}

// A snapshot's first frame: length and bytes of the small state, number of page frames. Each
// page frame: number of pages, then for each its number times two, plus one for a page of zeros,
// and its contents unless it is one.
absl::Status SnapshotWriter::Take(machine::Machine& machine) {
  const machine::Digest state = machine.StateDigest();
  const std::vector<machine::Digest>& pages = machine.memory_digest().pages();
  written_.resize(pages.size());
  std::vector<uint64_t> changed;
  for (uint64_t page = 0; page < pages.size(); ++page) {
    if (pages[page] != written_[page]) changed.push_back(page);
  }
  const size_t page_frames = (changed.size() + kPagesPerFrame - 1) / kPagesPerFrame;

  std::string frames;
  const auto add_frame = [&](std::string_view content) {
    absl::StatusOr<std::string> frame = compressor_.Compress(content);
    if (frame.ok()) frames += *frame;
    return frame.status();
  };
  const std::string small = machine.SaveWithoutMemory();
  std::string content;
  AppendVarint(small.size(), content);
  content += small;
  AppendVarint(page_frames, content);
  if (absl::Status status = add_frame(content); !status.ok()) return status;

  for (size_t first = 0; first < changed.size(); first += kPagesPerFrame) {
    const size_t count = std::min(kPagesPerFrame, changed.size() - first);
    content.clear();
    AppendVarint(count, content);
    for (size_t i = first; i < first + count; ++i) {
      const uint8_t* page = machine.memory().host(changed[i] << alpha::kPageShift);
      const bool zero = pages[changed[i]] == machine::Digest{};
      AppendVarint(changed[i] << 1 | (zero ? 1 : 0), content);
      if (!zero) content.append(reinterpret_cast<const char*>(page), alpha::kPageSize);
    }
    if (absl::Status status = add_frame(content); !status.ok()) return status;
  }

  std::string index;
  AppendFixed(kSkippableMagic, index);
  AppendFixed(static_cast<uint32_t>(kIndexBody), index);
  AppendFixed(machine.cpu().cycle, index);
  AppendFixed(state.low, index);
  AppendFixed(state.high, index);
  AppendFixed(static_cast<uint64_t>(frames.size()), index);
  written_ = pages;
  return file_->Write(index + frames);
}

void SnapshotTaker::OnCheckpoint(uint64_t cycle, uint64_t, const machine::Digest&) {
  if (!error_.ok() || cycle < due_) return;
  due_ = cycle - cycle % interval_ + interval_;
  error_ = writer_.Take(machine_);
}

absl::StatusOr<std::unique_ptr<SnapshotReader>> SnapshotReader::Open(const std::string& path,
                                                                     const LogHeader& header) {
  if (IsSpecialFile(path)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a file of snapshots"));
  }
  absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::Open(path);
  if (!source.ok()) return source.status();
  std::unique_ptr<SnapshotReader> reader(new SnapshotReader(*std::move(source)));
  if (absl::Status status = reader->Scan(header); !status.ok()) return status;
  return reader;
}

absl::Status SnapshotReader::Damaged(uint64_t offset, std::string_view what) const {
  return absl::DataLossError(absl::StrCat(source_->name(), ": damaged at byte ", offset, ": ",
                                          absl::string_view(what.data(), what.size())));
}

absl::Status SnapshotReader::Damaged(uint64_t offset, const absl::Status& why) const {
  return Damaged(offset, std::string(why.message()));
}

absl::StatusOr<std::string> SnapshotReader::ReadBytes(uint64_t offset, uint64_t size) const {
  std::string bytes;
  if (absl::Status status = source_->ReadAt(offset, size, bytes); !status.ok()) return status;
  if (bytes.size() != size) return Damaged(offset, "the file ends too early");
  return bytes;
}

absl::Status SnapshotReader::Scan(const LogHeader& header) {
  const uint64_t file_bytes = source_->size();
  absl::StatusOr<std::string> front = ReadBytes(0, std::min<uint64_t>(file_bytes, 4096));
  if (!front.ok()) return front.status();
  const absl::StatusOr<FrameSizes> sizes = MeasureFrame(*front, kMaxContent);
  std::string content;
  if (!sizes.ok() ||
      !decompressor_
           .Decompress(std::string_view(*front).substr(0, sizes->compressed), kMaxContent, content)
           .ok() ||
      !content.starts_with(kSnapshotMagic)) {
    return absl::InvalidArgumentError(absl::StrCat(source_->name(), ": not a file of snapshots"));
  }
  const absl::StatusOr<std::string> expected = FileHeader(header);
  if (!expected.ok()) return expected.status();
  if (content != *expected) {
    return absl::InvalidArgumentError(
        absl::StrCat(source_->name(), ": these snapshots belong to another log, or to another version"));
  }
  // A file that breaks off ends with its last whole snapshot.
  uint64_t offset = sizes->compressed;
  while (file_bytes - offset >= kIndexBytes) {
    absl::StatusOr<std::string> index = ReadBytes(offset, kIndexBytes);
    if (!index.ok()) return index.status();
    if (ReadFixed<uint32_t>(*index, 0) != kSkippableMagic ||
        ReadFixed<uint32_t>(*index, 4) != kIndexBody) {
      return Damaged(offset, "no snapshot begins here");
    }
    SnapshotInfo snapshot;
    snapshot.cycle = ReadFixed<uint64_t>(*index, 8);
    snapshot.state = {ReadFixed<uint64_t>(*index, 16), ReadFixed<uint64_t>(*index, 24)};
    snapshot.bytes = ReadFixed<uint64_t>(*index, 32);
    snapshot.offset = offset + kIndexBytes;
    if (snapshot.bytes > file_bytes - snapshot.offset) break;
    if (!snapshots_.empty() && snapshot.cycle <= snapshots_.back().cycle) {
      return Damaged(offset, "a snapshot's cycle goes back");
    }
    offset = snapshot.offset + snapshot.bytes;
    snapshots_.push_back(snapshot);
  }
  return absl::OkStatus();
}

const SnapshotInfo* SnapshotReader::FindAtOrBefore(uint64_t cycle) const {
  const auto after = std::upper_bound(
      snapshots_.begin(), snapshots_.end(), cycle,
      [](uint64_t wanted, const SnapshotInfo& snapshot) { return wanted < snapshot.cycle; });
  return after == snapshots_.begin() ? nullptr : &*(after - 1);
}

absl::Status SnapshotReader::Apply(const SnapshotInfo& snapshot, alpha::Memory& memory,
                                   std::string& small) {
  uint64_t offset = snapshot.offset;
  const uint64_t end = snapshot.offset + snapshot.bytes;
  std::string content;
  // Reads the frame at `offset`, whose size only its own bytes tell.
  const auto next_frame = [&]() -> absl::Status {
    absl::StatusOr<std::string> bytes =
        ReadBytes(offset, std::min<uint64_t>(end - offset, MaxCompressedBytes(kMaxContent)));
    if (!bytes.ok()) return bytes.status();
    const absl::StatusOr<FrameSizes> sizes = MeasureFrame(*bytes, kMaxContent);
    if (!sizes.ok()) return Damaged(offset, sizes.status());
    const absl::Status status = decompressor_.Decompress(
        std::string_view(*bytes).substr(0, sizes->compressed), kMaxContent, content);
    if (!status.ok()) return Damaged(offset, status);
    offset += sizes->compressed;
    return absl::OkStatus();
  };

  if (absl::Status status = next_frame(); !status.ok()) return status;
  std::string_view rest = content;
  uint64_t small_bytes = 0;
  uint64_t page_frames = 0;
  std::string_view taken;
  if (!ConsumeVarint(rest, small_bytes) || !ConsumeBytes(rest, small_bytes, taken)) {
    return Damaged(offset, "the state is cut short");
  }
  small.assign(taken);
  if (!ConsumeVarint(rest, page_frames) || !rest.empty()) {
    return Damaged(offset, "bytes are left over or missing");
  }
  for (uint64_t i = 0; i < page_frames; ++i) {
    if (absl::Status status = next_frame(); !status.ok()) return status;
    rest = content;
    uint64_t count = 0;
    if (!ConsumeVarint(rest, count)) return Damaged(offset, "the pages are cut short");
    for (uint64_t j = 0; j < count; ++j) {
      static constexpr char kZeros[alpha::kPageSize] = {};
      uint64_t key = 0;
      if (!ConsumeVarint(rest, key) || key >> 1 >= memory.size() >> alpha::kPageShift) {
        return Damaged(offset, "a page lies outside memory");
      }
      taken = std::string_view(kZeros, sizeof kZeros);
      if ((key & 1) == 0 && !ConsumeBytes(rest, alpha::kPageSize, taken)) {
        return Damaged(offset, "a page is cut short");
      }
      memory.Write(key >> 1 << alpha::kPageShift, taken.data(), taken.size());
    }
    if (!rest.empty()) return Damaged(offset, "bytes are left over");
  }
  return offset == end ? absl::OkStatus() : Damaged(offset, "bytes are left over");
}

absl::Status SnapshotReader::Restore(const SnapshotInfo& snapshot, machine::Machine& machine) {
  const absl::Status status =
      machine.Restore([&](alpha::Memory& memory) -> absl::StatusOr<std::string> {
        std::string small;
        for (const SnapshotInfo& part : snapshots_) {
          if (part.cycle > snapshot.cycle) break;
          if (absl::Status applied = Apply(part, memory, small); !applied.ok()) return applied;
        }
        return small;
      });
  if (!status.ok()) {
    return absl::DataLossError(absl::StrCat(source_->name(), ": the snapshot at cycle ", snapshot.cycle,
                                            " cannot be restored: ", status.message()));
  }
  if (machine.StateDigest() != snapshot.state) {
    return absl::DataLossError(absl::StrCat(source_->name(), ": the snapshot at cycle ", snapshot.cycle,
                                            " has not the state that its digest says"));
  }
  return absl::OkStatus();
}

}  // namespace isochron::replaylog
