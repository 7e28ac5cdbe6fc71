// A transceiver behind a media independent interface, as its two management wires show it.

#ifndef ISOCHRON_MACHINE_DEVICES_TULIP_MII_TRANSCEIVER_H_
#define ISOCHRON_MACHINE_DEVICES_TULIP_MII_TRANSCEIVER_H_

#include <cstdint>

#include "machine/devices/tulip/bit_walk.h"

namespace isochron::machine {

// A DP83840A (National Semiconductor, 1997) with its registers of IEEE 802.3, clause 22, at address
// 1. Its link is always up: it has agreed with its partner on 100BASE-TX, full duplex, whatever it
// is told. There is no other transceiver on the wires.
class MiiTransceiver : public BitWalk {
 public:
  void Reset();
  // The wires: clock, and data where the other end drives it. Data are high where nobody does.
  void Drive(bool clock, bool driven, bool data);

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    BitWalk::Walk(visitor, self);
    visitor.Field("control", self.control_);
    visitor.Field("advertised", self.advertised_);
  }

 private:
  void Step(bool data);
  uint16_t Read(uint32_t number) const;
  void Write(uint32_t number, uint16_t value);

  uint16_t control_ = 0;
  uint16_t advertised_ = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_TULIP_MII_TRANSCEIVER_H_
