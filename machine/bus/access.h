// How a CPU reaches what is not RAM.

#ifndef ISOCHRON_MACHINE_BUS_ACCESS_H_
#define ISOCHRON_MACHINE_BUS_ACCESS_H_

#include <cstdint>

namespace isochron::machine {

// One access, as what is accessed sees it.
struct Access {
  uint64_t offset = 0;  // in bytes, into what is accessed; a multiple of `size`
  int size = 0;         // 1, 2, 4 or 8 bytes
  int cpu = 0;          // the one that accesses

  // The access of the same CPU that stands elsewhere.
  Access At(uint64_t new_offset) const { return {new_offset, size, cpu}; }
};

// What a read of `size` bytes gives where nothing answers on PCI, ISA or the TIGbus.
constexpr uint64_t AllOnes(int size) {
  return size == 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * size)) - 1;
}

// What answers to a range of addresses.
class BusTarget {
 public:
  virtual ~BusTarget() = default;
  // Zero-extended.
  virtual uint64_t Read(const Access& access) = 0;
  virtual void Write(const Access& access, uint64_t value) = 0;
};

// Nobody: a master abort, which reads as ones.
class AbsentTarget final : public BusTarget {
 public:
  uint64_t Read(const Access& access) override { return AllOnes(access.size); }
  void Write(const Access&, uint64_t) override {}
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_ACCESS_H_
