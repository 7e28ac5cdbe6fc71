// Which loads and stores of a region can share one lookup.

#ifndef ISOCHRON_JIT_ACCESS_GROUPS_H_
#define ISOCHRON_JIT_ACCESS_GROUPS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "alpha/instruction.h"
#include "jit/cpu_tables.h"
#include "jit/region.h"

namespace isochron::jit {

// Loads and stores off a base register that has the same value at all of them. The first one
// looks up the whole range of the group, which is within a page when that succeeds, and keeps the
// host's address of the base in a slot; the others find it there.
struct AccessGroup {
  int slot = kNoSlot;
  // Displacements of the lowest byte that a member refers to, and of the highest.
  int32_t low = 0;
  int32_t high = 0;
  // Bytes of which the base must be a multiple, for all members to be aligned: 1, 2, 4 or 8.
  int32_t align = 1;
  bool reads = false;
  bool writes = false;

  static constexpr int kNoSlot = -1;

  // A displacement in the last bytes of the range that are as aligned as the base.
  int32_t last() const { return high & -align; }
};

// How a load or store refers to memory, if it is one that may be in a group.
struct Reference {
  int32_t bytes = 0;       // 0: it is none
  bool unaligned = false;  // LDQ_U, STQ_U: the address has its lowest bits cleared
  bool write = false;
};
Reference ReferenceOf(alpha::Op op);

// The groups of a region. They reach from a block into those that only it leads to, and end where
// the base is written.
class AccessGroups {
 public:
  static constexpr int kSlots = CpuTables::kBases;
  // Bytes from the lowest of a group to the highest: the longer, the more often a page ends
  // between them.
  static constexpr int32_t kMaxSpan = 1024;

  struct Member {
    const AccessGroup* group = nullptr;  // nullptr: it looks up for itself
    bool first = false;
  };

  // `none`: there are to be none, as where an instruction may change the address space.
  AccessGroups(const Region& region, bool none);
  AccessGroups(const AccessGroups&) = delete;
  AccessGroups& operator=(const AccessGroups&) = delete;

  // What instruction `index` of the block is.
  Member Find(size_t block, uint32_t index) const {
    const Place& place = blocks_[block].places[index];
    if (place.group == kNone) return {};
    const AccessGroup& group = groups_[static_cast<size_t>(place.group)];
    return {group.slot == AccessGroup::kNoSlot ? nullptr : &group, place.first};
  }
  // The slots, a bit each, in which an instruction may look whose group began in another block.
  uint32_t OpenAtStart(size_t block) const { return blocks_[block].open; }

 private:
  static constexpr int16_t kNone = -1;

  struct Place {
    int16_t group = kNone;
    bool first = false;
  };
  struct BlockPlaces {
    std::vector<Place> places;
    uint16_t open = 0;
    int parent = GuestBlock::kNoBlock;  // the only block that leads to it
  };
  static_assert(kSlots <= 16, "bits of BlockPlaces::open");
  // By place in Cpu::r, the group that it is the base of.
  using Bases = std::array<int16_t, 64>;

  void FindParents(const Region& region);
  template <typename Visit>
  void Walk(const Region& region, Visit visit);
  void Collect(const GuestInstruction& guest, Place& place, Bases& bases);
  bool Join(const GuestInstruction& guest, const Reference& reference, int16_t index);
  void Settle(const GuestInstruction& guest, Place& place, Bases& bases);
  uint16_t SlotsOf(const Bases& bases) const;

  std::vector<BlockPlaces> blocks_;
  std::vector<AccessGroup> groups_;
  std::vector<uint16_t> members_;  // of each group, how many
};

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_ACCESS_GROUPS_H_
