// Snapshots: where a replay may begin other than at power-on.

#ifndef ISOCHRON_TIMELINE_SNAPSHOT_H_
#define ISOCHRON_TIMELINE_SNAPSHOT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "machine/events/digest.h"
#include "machine/events/observer.h"
#include "machine/machine.h"
#include "replaylog/event.h"
#include "replaylog/file_source.h"
#include "replaylog/output_file.h"
#include "replaylog/zstd_frame.h"
#include "timeline/snapshot_blocks.h"

namespace isochron::timeline {

// The name of the snapshots that belong to the log at `log_path`: `log_path`.snapshots, or for
// F.partial F.snapshots.
std::string SnapshotPath(const std::string& log_path);
// Where the snapshots of the log at `log_path` are: at SnapshotPath(), or at its partial name,
// where whoever was killed left them. Of a log that is partial itself it is the partial ones first.
// SnapshotPath() when there are none.
std::string FindSnapshots(const std::string& log_path);

// Writes snapshots of one machine to a file beside its log. Each holds the pages that have changed
// since the one before, or now and then all pages, so that a restore comes across no more than five
// times the pages of memory; and likewise the blocks of its disks that have been written. The
// file's format is in docs/replay-log.md; it is no part of the log.
class SnapshotWriter {
 public:
  // A file at `path` for the machine that `header` describes. Errors name the path.
  static absl::StatusOr<std::unique_ptr<SnapshotWriter>> Create(const std::string& path,
                                                                const replaylog::LogHeader& header);

  // Appends the state of the machine as it is, at the boundary of a checkpoint.
  absl::Status Take(machine::Machine& machine);
  // Gives the file its name.
  absl::Status Finish() { return file_->Commit(); }
  // Removes the file instead.
  void Discard() { file_->Discard(); }

 private:
  explicit SnapshotWriter(std::unique_ptr<replaylog::OutputFile> file) : file_(std::move(file)) {}

  absl::Status AddFrame(std::string_view content);
  absl::Status AddPages(const machine::Machine& machine, std::span<const uint64_t> pages);
  // The pages that the next snapshot is to hold.
  std::vector<uint64_t> ChangedPages(const std::vector<machine::Digest>& pages);

  std::unique_ptr<replaylog::OutputFile> file_;
  replaylog::FrameCompressor compressor_;
  std::vector<machine::Digest> written_;  // of each page, as the snapshots so far have it
  uint64_t changed_pages_ = 0;            // in the snapshots behind the last that had all
  std::vector<DiskFollower> disks_;
};

// Takes a snapshot at the first checkpoint of every `interval` cycles.
class SnapshotTaker final : public machine::Observer {
 public:
  // All must outlive the taker.
  SnapshotTaker(machine::Machine& machine, SnapshotWriter& writer, uint64_t interval)
      : machine_(machine), writer_(writer), interval_(interval), due_(interval) {}

  // Takes one at the next checkpoint, too.
  void TakeNext() { due_ = 0; }

  void On(const machine::Event& event) override;
  // Always OK: a run does not end for its snapshots, whose loss is told afterwards.
  absl::Status status() const override { return absl::OkStatus(); }
  // The first error of the writer.
  absl::Status error() const { return error_; }

 private:
  machine::Machine& machine_;
  SnapshotWriter& writer_;
  const uint64_t interval_;
  uint64_t due_;
  absl::Status error_;
};

// One snapshot in a file.
struct SnapshotInfo {
  uint64_t cycle = 0;
  machine::Digest state;
  uint64_t offset = 0;  // of its first frame, in bytes from the beginning of the file
  uint64_t bytes = 0;   // of its frames
};

// Reads a file of snapshots, complete or broken off.
class SnapshotReader {
 public:
  // What the operating system says when the file cannot be read, InvalidArgument when it is none of
  // ours or belongs to a machine other than the one that `header` describes, DataLoss when it is
  // damaged; with the path and the byte.
  static absl::StatusOr<std::unique_ptr<SnapshotReader>> Open(const std::string& path,
                                                              const replaylog::LogHeader& header);
  // The same of a file whose log need not be there.
  static absl::StatusOr<std::unique_ptr<SnapshotReader>> Open(const std::string& path);

  // Whether the snapshots are of the machine that `header` describes.
  bool BelongsTo(const replaylog::LogHeader& header) const;
  // Whether the file breaks off: bytes follow the last whole snapshot.
  bool breaks_off() const { return breaks_off_; }
  const replaylog::FileSource& source() const { return *source_; }

  // By ascending cycle.
  const std::vector<SnapshotInfo>& snapshots() const { return snapshots_; }
  // The last snapshot at or before `cycle`, or nullptr.
  const SnapshotInfo* FindAtOrBefore(uint64_t cycle) const;

  // Asked between frames; an error ends what is under way.
  using ProgressCheck = std::function<absl::Status()>;

  // Puts the machine, made from the same header and images, to the state of `snapshot`. DataLoss
  // when the state that results has not the digest that the snapshot names; discard the machine
  // then. Writes no page twice, reads each byte of the file at most once, and reads no snapshot
  // once those behind it have given all pages and blocks. A file in which it would come across more
  // than five times the pages of memory is damaged: no writer leaves one.
  absl::Status Restore(
      const SnapshotInfo& snapshot, machine::Machine& machine,
      const ProgressCheck& keep_going = [] { return absl::OkStatus(); });

 private:
  explicit SnapshotReader(std::unique_ptr<replaylog::FileSource> source)
      : source_(std::move(source)) {}

  absl::Status Scan();
  absl::StatusOr<std::string> ReadBytes(uint64_t offset, uint64_t size) const;
  class PageFiller;
  class Frames;
  // What restoring fills.
  struct Target;
  // Reads one snapshot's frames: its pages and blocks go to `target`, its small state to `small`
  // unless that is nullptr.
  absl::Status Apply(const SnapshotInfo& snapshot, const ProgressCheck& keep_going, Target& target,
                     std::string* small);
  // The same with it and those before it, as far as they have something to add.
  absl::Status ApplyAll(const SnapshotInfo& snapshot, const ProgressCheck& keep_going,
                        Target& target, std::string& small);
  absl::Status Damaged(uint64_t offset, std::string_view what) const;
  absl::Status Damaged(uint64_t offset, const absl::Status& why) const;

  const std::unique_ptr<replaylog::FileSource> source_;
  replaylog::FrameDecompressor decompressor_;
  std::string file_header_;
  uint64_t version_ = 0;
  std::vector<SnapshotInfo> snapshots_;
  bool breaks_off_ = false;
};

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_SNAPSHOT_H_
