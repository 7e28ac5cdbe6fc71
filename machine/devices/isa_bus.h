// The ports behind the ISA bridge.

#ifndef ISOCHRON_MACHINE_DEVICES_ISA_BUS_H_
#define ISOCHRON_MACHINE_DEVICES_ISA_BUS_H_

#include <cstdint>
#include <vector>

#include "machine/bus/device.h"

namespace isochron::machine {

// A range of ports and where it starts in the window of a device.
struct PortRange {
  uint16_t first = 0;
  uint16_t count = 0;
  uint64_t offset = 0;
};

// Decodes the 64 Ki ports for byte-wide devices. A wider access is split into bytes, lowest
// port first. Where no device answers, reads give all ones and writes do nothing.
class IsaBus {
 public:
  // `device` must outlive the bus. Ranges do not overlap.
  void Map(PortRange range, Device& device);

  // `size` is 1, 2, 4 or 8. Ports beyond 0xffff are absent.
  uint64_t Read(uint32_t port, int size);
  void Write(uint32_t port, int size, uint64_t value);

 private:
  struct Mapping {
    PortRange range;
    Device* device;
  };
  const Mapping* Find(uint32_t port) const;

  std::vector<Mapping> mappings_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_ISA_BUS_H_
