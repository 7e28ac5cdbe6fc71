#include "timeline/snapshot.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "machine/events/cycle_text.h"
#include "replaylog/codec.h"
#include "replaylog/frame_scanner.h"
#include "replaylog/output_file.h"
#include "replaylog/snapshot_header.h"
#include "replaylog/varint.h"

namespace isochron::timeline {
namespace {

// Of files for machines without disks, and with some.
constexpr uint64_t kVersionWithoutDisks = 1;
constexpr uint64_t kVersionWithDisks = 2;

// The skippable zstd frame in front of each snapshot: magic number, size of the rest (both
// 32 bits), cycle, digest, bytes of the snapshot's frames (64 bits each).
constexpr uint32_t kSkippableMagic = 0x184d2a55;
constexpr size_t kIndexBody = 32;
constexpr size_t kIndexBytes = 8 + kIndexBody;

// A restore puts pages into memory until it has all of them. So that it need not go back to the
// first snapshot of a long recording, a snapshot has all pages whenever those behind the last that
// had would come to more than kChangedPages times the pages of memory together.
constexpr uint64_t kChangedPages = 4;

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

std::string EncodeIndex(const SnapshotInfo& snapshot) {
  std::string index;
  AppendFixed(kSkippableMagic, index);
  AppendFixed(static_cast<uint32_t>(kIndexBody), index);
  AppendFixed(snapshot.cycle, index);
  AppendFixed(snapshot.state.low, index);
  AppendFixed(snapshot.state.high, index);
  AppendFixed(snapshot.bytes, index);
  return index;
}

absl::StatusOr<std::string> FileHeader(const replaylog::LogHeader& header) {
  const absl::StatusOr<std::string> log_header = replaylog::EncodeHeader(header);
  if (!log_header.ok()) return log_header.status();
  const machine::Digest binding = machine::DigestOf(*log_header);
  std::string content(replaylog::kSnapshotMagic);
  replaylog::AppendVarint(header.config.disks.empty() ? kVersionWithoutDisks : kVersionWithDisks,
                          content);
  AppendFixed(binding.low, content);
  AppendFixed(binding.high, content);
  return content;
}

}  // namespace

std::string SnapshotPath(const std::string& log_path) {
  return replaylog::WithoutPartial(log_path) + ".snapshots";
}

std::string FindSnapshots(const std::string& log_path) {
  const std::string whole = SnapshotPath(log_path);
  const std::string partial = replaylog::PartialPath(whole);
  const bool partial_first = replaylog::WithoutPartial(log_path) != log_path;
  std::error_code error;
  for (const std::string& path :
       {partial_first ? partial : whole, partial_first ? whole : partial}) {
    if (std::filesystem::exists(path, error)) return path;
  }
  return whole;
}

absl::StatusOr<std::unique_ptr<SnapshotWriter>> SnapshotWriter::Create(
    const std::string& path, const replaylog::LogHeader& header) {
  const absl::StatusOr<std::string> content = FileHeader(header);
  if (!content.ok()) return content.status();
  absl::StatusOr<std::unique_ptr<replaylog::OutputFile>> file = replaylog::OutputFile::Create(path);
  if (!file.ok()) return file.status();
  std::unique_ptr<SnapshotWriter> writer(new SnapshotWriter(*std::move(file)));
  absl::Status status = writer->AddFrame(*content);
  if (status.ok()) return writer;
  writer->Discard();
  return status;
}

std::vector<uint64_t> SnapshotWriter::ChangedPages(const std::vector<machine::Digest>& pages) {
  written_.resize(pages.size());
  std::vector<uint64_t> changed;
  for (uint64_t page = 0; page < pages.size(); ++page) {
    if (pages[page] != written_[page]) changed.push_back(page);
  }
  changed_pages_ += changed.size();
  if (changed_pages_ > kChangedPages * pages.size()) {
    changed_pages_ = 0;
    changed.resize(pages.size());
    std::iota(changed.begin(), changed.end(), uint64_t{0});
  }
  return changed;
}

absl::Status SnapshotWriter::AddFrame(std::string_view content) {
  const absl::StatusOr<std::string_view> frame = compressor_.Compress(content);
  return frame.ok() ? file_->Write(*frame) : frame.status();
}

// A page frame: number of pages, then for each its number times two, plus one for a page of zeros,
// and its contents unless it is one.
absl::Status SnapshotWriter::AddPages(const machine::Machine& machine,
                                      std::span<const uint64_t> pages) {
  const std::vector<machine::Digest>& digests = machine.memory_digest().pages();
  std::string content;
  for (; !pages.empty(); pages = pages.subspan(std::min(kPagesPerFrame, pages.size()))) {
    const std::span<const uint64_t> part = pages.first(std::min(kPagesPerFrame, pages.size()));
    content.clear();
    replaylog::AppendVarint(part.size(), content);
    for (const uint64_t page : part) {
      const bool zero = digests[page] == machine::Digest{};
      replaylog::AppendVarint(page << 1 | (zero ? 1 : 0), content);
      if (zero) continue;
      const uint8_t* const bytes = machine.memory().host(page << alpha::kPageShift);
      content.append(reinterpret_cast<const char*>(bytes), alpha::kPageSize);
    }
    if (absl::Status status = AddFrame(content); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// A snapshot's first frame: length and bytes of the small state, number of page frames; where there
// are disks, how many, and for each what DiskChanges::Key() says. Then the frames.
absl::Status SnapshotWriter::Take(machine::Machine& machine) {
  const machine::Digest state = machine.StateDigest();
  const std::vector<machine::Digest>& pages = machine.memory_digest().pages();
  const std::vector<uint64_t> changed = ChangedPages(pages);
  std::vector<DiskChanges> disks;
  for (size_t i = 0; i < machine.disks().size(); ++i) {
    const machine::BlockTree& written = machine.disks()[i].written();
    if (disks_.size() == i) disks_.emplace_back(written);
    disks.push_back(disks_[i].Next(written));
  }

  // How long it is shows when it is written. Until then its index tells of more bytes than any file
  // has, and a reader takes the file to break off before it.
  const uint64_t index_offset = file_->size();
  const auto index = [&](uint64_t bytes) {
    return EncodeIndex({machine.now(), state, index_offset + kIndexBytes, bytes});
  };
  if (absl::Status status = file_->Write(index(~uint64_t{0})); !status.ok()) return status;
  const std::string small = machine.SaveWithoutMemory();
  std::string content;
  replaylog::AppendVarint(small.size(), content);
  content += small;
  replaylog::AppendVarint((changed.size() + kPagesPerFrame - 1) / kPagesPerFrame, content);
  if (!disks.empty()) replaylog::AppendVarint(disks.size(), content);
  for (const DiskChanges& disk : disks) replaylog::AppendVarint(disk.Key(), content);
  if (absl::Status status = AddFrame(content); !status.ok()) return status;

  if (absl::Status status = AddPages(machine, changed); !status.ok()) return status;
  for (const DiskChanges& disk : disks) {
    for (size_t i = 0; i < disk.frames(); ++i) {
      if (absl::Status status = AddFrame(disk.Frame(i)); !status.ok()) return status;
    }
  }
  written_ = pages;
  return file_->Overwrite(index_offset, index(file_->size() - index_offset - kIndexBytes));
}

void SnapshotTaker::On(const machine::Event& event) {
  if (!std::holds_alternative<machine::CheckpointEvent>(event.body)) return;
  if (!error_.ok() || event.cycle < due_) return;
  due_ = event.cycle - event.cycle % interval_ + interval_;
  error_ = writer_.Take(machine_);
}

absl::StatusOr<std::unique_ptr<SnapshotReader>> SnapshotReader::Open(
    const std::string& path, const replaylog::LogHeader& header) {
  absl::StatusOr<std::unique_ptr<SnapshotReader>> reader = Open(path);
  if (reader.ok() && !(*reader)->BelongsTo(header)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": these snapshots belong to another log, or to another version"));
  }
  return reader;
}

absl::StatusOr<std::unique_ptr<SnapshotReader>> SnapshotReader::Open(const std::string& path) {
  if (replaylog::IsSpecialFile(path)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a file of snapshots"));
  }
  absl::StatusOr<std::unique_ptr<replaylog::FileSource>> source = replaylog::FileSource::Open(path);
  if (!source.ok()) return source.status();
  std::unique_ptr<SnapshotReader> reader(new SnapshotReader(*std::move(source)));
  if (absl::Status status = reader->Scan(); !status.ok()) return status;
  return reader;
}

bool SnapshotReader::BelongsTo(const replaylog::LogHeader& header) const {
  const absl::StatusOr<std::string> expected = FileHeader(header);
  return expected.ok() && file_header_ == *expected;
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

absl::Status SnapshotReader::Scan() {
  const uint64_t file_bytes = source_->size();
  replaylog::FrameScanner scanner(*source_, 0, file_bytes);
  if (!replaylog::ReadSnapshotHeader(scanner, decompressor_, file_header_)) {
    return absl::InvalidArgumentError(absl::StrCat(source_->name(), ": not a file of snapshots"));
  }
  std::string_view version = file_header_;
  version.remove_prefix(replaylog::kSnapshotMagic.size());
  if (!replaylog::ConsumeVarint(version, version_) || version_ < kVersionWithoutDisks ||
      version_ > kVersionWithDisks) {
    return absl::InvalidArgumentError(absl::StrCat(
        source_->name(), ": snapshots of version ", version_, "; this program reads versions ",
        kVersionWithoutDisks, " to ", kVersionWithDisks));
  }
  // A file that breaks off ends with its last whole snapshot.
  uint64_t offset = scanner.offset();
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
  breaks_off_ = offset != file_bytes;
  return absl::OkStatus();
}

const SnapshotInfo* SnapshotReader::FindAtOrBefore(uint64_t cycle) const {
  const auto after = std::upper_bound(
      snapshots_.begin(), snapshots_.end(), cycle,
      [](uint64_t wanted, const SnapshotInfo& snapshot) { return wanted < snapshot.cycle; });
  return after == snapshots_.begin() ? nullptr : &*(after - 1);
}

// Puts the pages of snapshots into memory, those of the newest first. No page is written twice, nor
// one that is what it is to be: most are where a search comes from a snapshot close by, and what
// has been translated from them stays.
class SnapshotReader::PageFiller {
 public:
  explicit PageFiller(alpha::Memory& memory)
      : memory_(memory),
        filled_(memory.size() >> alpha::kPageShift),
        missing_(filled_.size()),
        budget_((kChangedPages + 1) * filled_.size()) {}

  // To be called for each snapshot.
  void Begin() { next_ = 0; }
  // Whether older snapshots have nothing to add.
  bool Full() const { return missing_ == 0; }
  // Makes the pages zero that no snapshot has.
  void End() {
    for (uint64_t page = 0; page < filled_.size(); ++page) {
      if (!filled_[page]) memory_.Clear(page << alpha::kPageShift, alpha::kPageSize);
    }
  }
  // Takes the content of the snapshot's next page frame. Says what is wrong with it, or nothing.
  std::string_view Fill(std::string_view content) {
    uint64_t count = 0;
    if (!replaylog::ConsumeVarint(content, count)) return "the pages are cut short";
    if (count > kPagesPerFrame) return "there are too many pages in a frame";
    if (count > budget_) return "the snapshots together hold more pages than a writer leaves";
    budget_ -= count;
    for (uint64_t i = 0; i < count; ++i) {
      uint64_t key = 0;
      if (!replaylog::ConsumeVarint(content, key) || key >> 1 >= filled_.size()) {
        return "a page lies outside memory";
      }
      if (key >> 1 < next_) return "the pages are not in order";
      next_ = (key >> 1) + 1;
      std::string_view bytes;
      if ((key & 1) == 0 && !ConsumeBytes(content, alpha::kPageSize, bytes)) {
        return "a page is cut short";
      }
      FillPage(key >> 1, bytes);
    }
    return content.empty() ? "" : "bytes are left over";
  }

 private:
  // No bytes are zeros.
  void FillPage(uint64_t page, std::string_view bytes) {
    if (filled_[page]) return;
    filled_[page] = true;
    --missing_;
    const uint64_t pa = page << alpha::kPageShift;
    if (bytes.empty()) return memory_.Clear(pa, alpha::kPageSize);
    memory_.WriteChanges(pa, bytes.data(), alpha::kPageSize);
  }

  alpha::Memory& memory_;
  std::vector<bool> filled_;
  uint64_t missing_;
  uint64_t budget_;    // pages that a restore may still come across
  uint64_t next_ = 0;  // the least number that the snapshot's next page may have
};

struct SnapshotReader::Target {
  Target(alpha::Memory& memory, std::span<const machine::Disk> machine_disks) : pages(memory) {
    for (const machine::Disk& disk : machine_disks) disks.emplace_back(disk.written());
  }
  // Whether older snapshots have nothing to add.
  bool Full() const { return pages.Full() && std::ranges::all_of(disks, &DiskFiller::Full); }

  PageFiller pages;
  std::vector<DiskFiller> disks;
};

// The frames of one snapshot, in order.
class SnapshotReader::Frames {
 public:
  Frames(SnapshotReader& reader, const SnapshotInfo& snapshot, const ProgressCheck& keep_going)
      : reader_(reader),
        keep_going_(keep_going),
        end_(snapshot.offset + snapshot.bytes),
        scanner_(*reader.source_, snapshot.offset, end_) {}

  // The content of the next one, or past it when nobody wants that.
  absl::Status Next() {
    if (absl::Status status = Measure(); !status.ok()) return status;
    const absl::Status status =
        reader_.decompressor_.Decompress(scanner_.frame(), kMaxContent, content_);
    if (!status.ok()) return reader_.Damaged(scanner_.offset(), status);
    scanner_.Skip();
    return absl::OkStatus();
  }
  absl::Status Pass() {
    absl::Status status = Measure();
    if (status.ok()) scanner_.Skip();
    return status;
  }
  // The next `count` go to `filler`, unless it is full.
  template <typename Filler>
  absl::Status Fill(uint64_t count, Filler& filler) {
    const bool wanted = !filler.Full();
    for (uint64_t i = 0; i < count; ++i) {
      if (absl::Status status = wanted ? Next() : Pass(); !status.ok()) return status;
      const std::string_view error = wanted ? filler.Fill(content_) : "";
      if (!error.empty()) return Damaged(error);
    }
    return absl::OkStatus();
  }

  std::string_view content() const { return content_; }
  absl::Status Damaged(std::string_view what) const {
    return reader_.Damaged(scanner_.offset(), what);
  }
  bool AtEnd() const { return scanner_.offset() == end_; }

 private:
  absl::Status Measure() {
    if (absl::Status status = keep_going_(); !status.ok()) return status;
    const absl::StatusOr<replaylog::FrameSizes> sizes = scanner_.Measure(kMaxContent);
    return sizes.ok() ? absl::OkStatus() : reader_.Damaged(scanner_.offset(), sizes.status());
  }

  SnapshotReader& reader_;
  const ProgressCheck& keep_going_;
  const uint64_t end_;
  replaylog::FrameScanner scanner_;
  std::string content_;
};

absl::Status SnapshotReader::Apply(const SnapshotInfo& snapshot, const ProgressCheck& keep_going,
                                   Target& target, std::string* small) {
  Frames frames(*this, snapshot, keep_going);
  if (absl::Status status = frames.Next(); !status.ok()) return status;
  std::string_view rest = frames.content();
  uint64_t small_bytes = 0;
  uint64_t page_frames = 0;
  std::string_view taken;
  if (!replaylog::ConsumeVarint(rest, small_bytes) || !ConsumeBytes(rest, small_bytes, taken)) {
    return frames.Damaged("the state is cut short");
  }
  if (small != nullptr) small->assign(taken);
  bool whole = replaylog::ConsumeVarint(rest, page_frames);
  uint64_t disks = 0;
  if (version_ >= kVersionWithDisks) whole = whole && replaylog::ConsumeVarint(rest, disks);
  if (!whole) return frames.Damaged("the counts behind the state are cut short");
  if (disks != target.disks.size()) {
    return frames.Damaged(
        absl::StrCat("there are ", disks, " disks, but the machine has ", target.disks.size()));
  }
  std::vector<uint64_t> keys(disks);
  for (uint64_t& key : keys) whole = whole && replaylog::ConsumeVarint(rest, key);
  if (!whole || !rest.empty()) return frames.Damaged("bytes are left over or missing");

  target.pages.Begin();
  if (absl::Status status = frames.Fill(page_frames, target.pages); !status.ok()) return status;
  for (size_t i = 0; i < keys.size(); ++i) {
    DiskFiller& disk = target.disks[i];
    const uint64_t count = disk.Begin(keys[i]);
    if (absl::Status status = frames.Fill(count, disk); !status.ok()) return status;
    disk.End();
  }
  return frames.AtEnd() ? absl::OkStatus() : frames.Damaged("bytes are left over");
}

absl::Status SnapshotReader::ApplyAll(const SnapshotInfo& snapshot, const ProgressCheck& keep_going,
                                      Target& target, std::string& small) {
  for (auto part = snapshots_.rbegin(); part != snapshots_.rend() && !target.Full(); ++part) {
    if (part->cycle > snapshot.cycle) continue;
    std::string* const newest = part->cycle == snapshot.cycle ? &small : nullptr;
    if (absl::Status status = Apply(*part, keep_going, target, newest); !status.ok()) return status;
  }
  target.pages.End();
  const bool whole = std::ranges::all_of(target.disks, &DiskFiller::Full);
  return whole ? absl::OkStatus()
               : Damaged(snapshot.offset, "no snapshot has all blocks of a disk");
}

absl::Status SnapshotReader::Restore(const SnapshotInfo& snapshot, machine::Machine& machine,
                                     const ProgressCheck& keep_going) {
  const absl::Status status = machine.RestoreOver(
      [&](alpha::Memory& memory, std::span<machine::Disk> disks) -> absl::StatusOr<std::string> {
        std::string small;
        Target target(memory, disks);
        absl::Status applied = ApplyAll(snapshot, keep_going, target, small);
        if (!applied.ok()) return applied;
        for (size_t i = 0; i < disks.size(); ++i) disks[i].SetWritten(target.disks[i].blocks());
        return small;
      });
  if (!status.ok()) {
    return absl::DataLossError(
        absl::StrCat(source_->name(), ": the snapshot at cycle ",
                     machine::WithSeconds(snapshot.cycle, machine.config().clock_hz),
                     " cannot be restored: ", status.message()));
  }
  if (machine.StateDigest() != snapshot.state) {
    return absl::DataLossError(
        absl::StrCat(source_->name(), ": the snapshot at cycle ",
                     machine::WithSeconds(snapshot.cycle, machine.config().clock_hz),
                     " has not the state that its digest says"));
  }
  return absl::OkStatus();
}

}  // namespace isochron::timeline
