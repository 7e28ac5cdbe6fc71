// Snapshots of one machine in memory.

#ifndef ISOCHRON_TIMELINE_MEMORY_SNAPSHOTS_H_
#define ISOCHRON_TIMELINE_MEMORY_SNAPSHOTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "alpha/memory.h"
#include "machine/disks/block_tree.h"
#include "machine/events/digest.h"
#include "machine/machine.h"
#include "timeline/block_pool.h"
#include "timeline/replayer.h"

namespace isochron::timeline {

// The state of a machine at boundaries of its run, with the place in the log at which its replay
// is there. Pages of RAM that are equal in snapshots taken one after the other are kept once, and
// so are the blocks of disks that have been written.
//
// Within a number of bytes: when there are more, those snapshots go whose going lengthens the ways
// least, in proportion to how far they are from where the machine is, but for those without which
// a way would be longer than a few times what it would be if they lay evenly. So they lie close to
// each other near it and farther apart away from it, and a way is never longer than that.
class MemorySnapshots {
  struct Page;
  static constexpr size_t kChunkPages = 256;
  using Chunk = std::array<std::shared_ptr<const Page>, kChunkPages>;
  using PageTable = std::vector<std::shared_ptr<const Chunk>>;  // nullptr: 256 pages of zeros

 public:
  class Snapshot {
   public:
    // Machine::moment(): what names the boundary.
    uint64_t moment() const { return moment_; }
    uint64_t cycle() const { return cycle_; }  // machine time
    uint64_t cycle(int cpu) const { return cpu_cycles_[static_cast<size_t>(cpu)]; }
    uint64_t device_time() const { return device_time_; }
    // That all CPUs have retired, or one of them.
    uint64_t instructions() const { return instructions_; }
    uint64_t instructions(int cpu) const { return cpu_instructions_[static_cast<size_t>(cpu)]; }
    // Where a replay is to begin in the log.
    const Replayer::Place& place() const { return place_; }

   private:
    friend class MemorySnapshots;
    uint64_t moment_ = 0;
    uint64_t cycle_ = 0;
    uint64_t device_time_ = 0;
    uint64_t quiet_until_ = 0;
    uint64_t instructions_ = 0;
    std::array<uint64_t, machine::MachineConfig::kMaxCpus> cpu_cycles_ = {};
    std::array<uint64_t, machine::MachineConfig::kMaxCpus> cpu_instructions_ = {};
    Replayer::Place place_;
    std::string without_memory_;
    PageTable pages_;
    std::vector<machine::BlockTree> disks_;
  };

  // Of `machine`, which must outlive them. `max_bytes`: for all of them; a few are kept in any
  // case.
  MemorySnapshots(machine::Machine& machine, uint64_t max_bytes);
  ~MemorySnapshots();
  MemorySnapshots(const MemorySnapshots&) = delete;
  MemorySnapshots& operator=(const MemorySnapshots&) = delete;

  // Takes one of the machine as it is. Without effect where there is one.
  void Take(const Replayer::Place& place);
  // The same in place of one that there is: something has been done to the machine since.
  void TakeAgain(const Replayer::Place& place);
  // From here on the one at this moment stays whatever room there is; nullopt: none does.
  void Keep(std::optional<uint64_t> moment) { kept_ = moment; }
  // Lets those behind `moment` go.
  void DropBehind(uint64_t moment);
  // Lets all go, and their memory.
  void Clear();
  // From here on there are so many bytes for all of them.
  void SetMaxBytes(uint64_t max_bytes);
  // Puts the machine to where a snapshot was taken. DataLoss when that fails, which would be a
  // fault of this program; discard the machine then.
  absl::Status Restore(const Snapshot& snapshot);

  // The last at or before `moment`; nullptr when there is none.
  const Snapshot* FindAtOrBefore(uint64_t moment) const;
  // The last of which this holds, which is to hold of all before that and of none behind; or the
  // first of all. nullptr when there is none at all.
  const Snapshot* FindLast(const std::function<bool(const Snapshot&)>& holds) const;
  // The first behind that one; nullptr when there is none.
  const Snapshot* FindBehind(uint64_t moment) const;

  size_t count() const { return snapshots_.size(); }
  // Host memory in use: of blocks of disks that which the machine itself does not hold.
  uint64_t bytes() const;

 private:
  // More would make looking for the one that is to go slow.
  static constexpr size_t kMaxCount = 2000;
  static constexpr size_t kMinCount = 8;

  struct Page {
    explicit Page(const machine::Digest& digest) : digest(digest) {}
    machine::Digest digest;
    std::array<uint8_t, alpha::kPageSize> bytes;
  };

  // Makes `latest_` the page table of the machine's memory.
  void Follow();
  std::shared_ptr<const Page> KeepPage(uint64_t number, const machine::Digest& digest);
  using List = std::vector<std::unique_ptr<const Snapshot>>;  // by moment
  // The first behind that moment.
  List::const_iterator Behind(uint64_t moment) const;
  // The one at that moment; the end of all when there is none.
  List::const_iterator At(uint64_t moment) const;
  List::const_iterator Drop(List::const_iterator snapshot);
  // Lets snapshots go until there is room.
  void MakeRoom(uint64_t here);
  // Writes those pages of `snapshot` that memory does not hold.
  void WritePages(const Snapshot& snapshot, alpha::Memory& memory);

  machine::Machine& machine_;
  uint64_t max_bytes_;
  BlockPool pool_{sizeof(Page)};
  List snapshots_;
  std::optional<uint64_t> kept_;
  uint64_t farthest_ = 0;     // the last moment at which one was taken
  uint64_t state_bytes_ = 0;  // of all without_memory_
  // How many there are now, whoever holds them.
  uint64_t live_pages_ = 0;
  uint64_t live_chunks_ = 0;
  // Of the last snapshot that was taken or restored, and the digests of its pages in one piece.
  PageTable latest_;
  std::vector<machine::Digest> latest_digests_;
};

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_MEMORY_SNAPSHOTS_H_
