// The ports behind the ISA bridge.

#ifndef ISOCHRON_MACHINE_DEVICES_ISA_BUS_H_
#define ISOCHRON_MACHINE_DEVICES_ISA_BUS_H_

#include <cstdint>

#include "machine/bus/access.h"
#include "machine/bus/address_map.h"

namespace isochron::machine {

// A range of ports and where it starts in the window of a device.
struct PortRange {
  uint16_t first = 0;
  uint16_t count = 0;
  uint64_t offset = 0;
};

// Decodes the 64 Ki ports for byte-wide devices. A wider access is split into bytes, lowest
// port first. Where no device answers, reads give all ones and writes do nothing.
class IsaBus final : public BusTarget {
 public:
  // `device` must outlive the bus. Ranges do not overlap.
  void Map(PortRange range, BusTarget& device);

  // The offset is the first port. Ports beyond 0xffff are absent.
  uint64_t Read(const Access& access) override;
  void Write(const Access& access, uint64_t value) override;

 private:
  AddressMap ports_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_ISA_BUS_H_
