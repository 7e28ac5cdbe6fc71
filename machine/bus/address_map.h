// Which addresses of a bus are whose.

#ifndef ISOCHRON_MACHINE_BUS_ADDRESS_MAP_H_
#define ISOCHRON_MACHINE_BUS_ADDRESS_MAP_H_

#include <cstdint>
#include <vector>

#include "machine/bus/access.h"

namespace isochron::machine {

// The addresses [first, first + size) are the bytes of `target` from `offset` on.
struct MappedRange {
  uint64_t first = 0;
  uint64_t size = 0;
  BusTarget* target = nullptr;
  uint64_t offset = 0;
  uint32_t cycles = 0;  // what an access costs beyond the instruction

  bool Contains(uint64_t address) const { return address - first < size; }
  bool Contains(uint64_t address, int bytes) const {
    return Contains(address) && size - (address - first) >= static_cast<uint64_t>(bytes);
  }
  // What the target sees of an access to the address `access.offset` of the bus.
  Access Inside(const Access& access) const { return access.At(access.offset - first + offset); }
};

// The ranges of one bus. Where two overlap the one that was mapped first answers.
class AddressMap {
 public:
  // The target must outlive the map.
  void Map(const MappedRange& range) { ranges_.push_back(range); }
  void Clear() { ranges_.clear(); }

  // nullptr when nobody answers.
  const MappedRange* Find(uint64_t address) const {
    for (const MappedRange& range : ranges_) {
      if (range.Contains(address)) return &range;
    }
    return nullptr;
  }

 private:
  std::vector<MappedRange> ranges_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_ADDRESS_MAP_H_
