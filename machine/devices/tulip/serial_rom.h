// The serial ROM of a network card: a 93C46 on four wires.

#ifndef ISOCHRON_MACHINE_DEVICES_TULIP_SERIAL_ROM_H_
#define ISOCHRON_MACHINE_DEVICES_TULIP_SERIAL_ROM_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "machine/devices/network/ethernet.h"
#include "machine/devices/tulip/bit_walk.h"

namespace isochron::machine {

// 64 words that a driver clocks out bit by bit (National Semiconductor NM93C46). Reading is all
// that it can do: commands that write are ignored, as with writing never enabled.
class SerialRom : public BitWalk {
 public:
  static constexpr size_t kWords = 64;
  using Words = std::array<uint16_t, kWords>;

  explicit SerialRom(const Words& words) : words_(words) {}

  void Reset();
  // The wires that the driver drives: chip select, clock, data in.
  void Drive(bool select, bool clock, bool data);

 private:
  void Step(bool data);

  Words words_;
};

// What is in the ROM of a card with a 21143 and an MII transceiver (Digital
// Semiconductor 21X4 Serial ROM Format 4.05): identity, address, the one medium, both checksums.
SerialRom::Words CardRom(const StationAddress& mac, uint16_t subsystem_vendor, uint16_t subsystem);

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_TULIP_SERIAL_ROM_H_
