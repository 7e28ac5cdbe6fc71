// What a file of snapshots says of disks.

#ifndef ISOCHRON_TIMELINE_SNAPSHOT_BLOCKS_H_
#define ISOCHRON_TIMELINE_SNAPSHOT_BLOCKS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "machine/disks/block_tree.h"

namespace isochron::timeline {

// What a snapshot has to say of a disk, one after the other.
struct DiskChanges {
  // All blocks that have been written, not only those that have changed since the snapshot before.
  bool whole = false;
  // Ascending. Their bytes are those of the tree: to be encoded before that changes.
  std::vector<machine::BlockTree::Run> runs;

  // What the snapshot says in front: how many frames there are, and `whole`.
  uint64_t Key() const;
  // The content of each frame.
  size_t frames() const;
  std::string Frame(size_t index) const;
};

// Finds the blocks of a disk that have changed from one snapshot to the next. Now and then all of
// them: those behind that are no more than four times as many.
class DiskFollower {
 public:
  explicit DiskFollower(const machine::BlockTree& like) : before_(like.Empty()) {}

  DiskChanges Next(const machine::BlockTree& now);

 private:
  machine::BlockTree before_;
  bool first_ = true;
  uint64_t changes_ = 0;  // runs in the snapshots behind the last that had all
};

// Collects the blocks of a disk from snapshots, those of the newest first.
class DiskFiller {
 public:
  explicit DiskFiller(const machine::BlockTree& like);

  // To be called for each snapshot, with what it says in front: so many frames follow.
  uint64_t Begin(uint64_t key);
  // Takes the content of the next of them. Says what is wrong with it, or nothing.
  std::string_view Fill(std::string_view content);
  // When all of them have been taken.
  void End();

  // Whether older snapshots have nothing to add.
  bool Full() const { return full_; }
  const machine::BlockTree& blocks() const { return blocks_; }

 private:
  machine::BlockTree blocks_;
  machine::BlockTree part_;  // of the snapshot that is being read
  bool whole_ = false;
  bool full_ = false;
  uint64_t next_ = 0;    // the least number that its next block may have
  uint64_t budget_ = 0;  // runs that may still come
};

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_SNAPSHOT_BLOCKS_H_
