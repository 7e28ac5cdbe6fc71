// A disk as its controller sees it.

#ifndef ISOCHRON_MACHINE_DISKS_DISK_H_
#define ISOCHRON_MACHINE_DISKS_DISK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "alpha/state_visitor.h"
#include "machine/disks/block_tree.h"
#include "machine/disks/disk_contents.h"

namespace isochron::machine {

// The contents and, over them, what the guest has written, in blocks of 4 KiB. Those blocks are the
// state of a disk: they stay over a reset of the machine, as they do on hardware. What the state
// walk names of them is their number and digest, so that the digest of the machine's state covers
// them; the blocks themselves are copied and put back as written() and SetWritten().
//
// Controllers read and write in events, so that what the host cannot read ends the run before
// anybody sees a consequence.
class Disk final {
 public:
  // `contents` is not nullptr, and not larger than BlockTree holds.
  Disk(std::shared_ptr<const DiskContents> contents, bool read_only);

  uint64_t sectors() const { return contents_->size() / kSectorSize; }
  bool read_only() const { return read_only_; }

  // Whole sectors, all of them inside the disk: the controller checks what the guest asks for. Not
  // Write() and Zero() of a disk that is read_only().
  void Read(uint64_t sector, std::span<uint8_t> bytes);
  void Write(uint64_t sector, std::span<const uint8_t> bytes);
  // Makes sectors zero, in time and room that do not grow with their number (discard,
  // write-zeroes).
  void Zero(uint64_t sector, uint64_t count);

  // What the contents said first when they could not be read. The sectors read as zeros then, and
  // the machine ends the run at this boundary: a fault of the host is nothing that a guest may see.
  const absl::Status& error() const { return error_; }

  // What has been written, block by block; behind the end of the disk a block is zeros.
  const BlockTree& written() const { return written_; }
  // Puts back a copy of it, or one built from Empty().
  void SetWritten(BlockTree tree);

  // The walk names the written blocks. Restoring does not change them: CheckRestored() reports to
  // the reader when they are not those that were named, at the end of all restoring.
  void VisitState(alpha::StateVisitor& visitor) const;
  void RestoreState(alpha::StateReader& reader);
  void CheckRestored(alpha::StateReader& reader) const;
  // The blocks as fields, for who wants them in the walk.
  void VisitBlocks(alpha::StateVisitor& visitor) const;
  void RestoreBlocks(alpha::StateReader& reader);

 private:
  // What the state says of the written blocks.
  struct Summary {
    uint64_t blocks = 0;
    Digest digest;

    template <typename Visitor, typename Self>
    static void Walk(Visitor& visitor, Self& self);
    friend bool operator==(const Summary&, const Summary&) = default;
  };

  // Blocks behind each other: one with bytes, or some of zeros.
  struct Run {
    uint64_t first = 0;
    uint64_t count = 0;
    bool zeros = false;

    template <typename Visitor, typename Self>
    static void Walk(Visitor& visitor, Self& self);
  };

  Summary Summarize() const { return {written_.blocks(), written_.digest()}; }
  // Fills `bytes` with contents from `offset` on, which may end at the end of the disk only: what
  // lies behind it is zeros.
  void ReadContents(uint64_t offset, std::span<uint8_t> bytes);
  // Writes a part of a block, `bytes` or zeros.
  void WritePart(uint64_t block, size_t offset, size_t size, const uint8_t* bytes);

  const std::shared_ptr<const DiskContents> contents_;
  const bool read_only_;
  BlockTree written_;
  absl::Status error_;
  Summary restored_;  // what the state named that was restored last
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DISKS_DISK_H_
