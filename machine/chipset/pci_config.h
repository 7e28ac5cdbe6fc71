// PCI configuration space.

#ifndef ISOCHRON_MACHINE_CHIPSET_PCI_CONFIG_H_
#define ISOCHRON_MACHINE_CHIPSET_PCI_CONFIG_H_

#include <array>
#include <cstdint>
#include <vector>

#include "alpha/state_visitor.h"
#include "machine/bus/device.h"

namespace isochron::machine {

// The 256 configuration bytes of one PCI function (PCI Local Bus Specification 2.1, chapter
// 6) and which of their bits can be written.
struct PciFunction {
  static constexpr int kSize = 256;

  std::array<uint8_t, kSize> bytes{};
  std::array<uint8_t, kSize> writable{};

  // Lays a little-endian value of `size` bytes down at `reg`.
  void Set(int reg, int size, uint32_t value);
  void SetWritable(int reg, int size, uint32_t mask);
};

// The 82378-compatible PCI to ISA bridge that carries everything on the ISA bus (Intel 82378ZB
// data sheet, chapter 4: the header; of the bridge's own registers none is modelled).
PciFunction MakeIsaBridge();

// The configuration windows of a Pchip. An offset is the address of a configuration cycle:
// bus <23:16>, device <15:11>, function <10:8>, register <7:0>. Functions live on bus 0
// (type 0 cycles). Everything else, type 1 cycles included, ends in a master abort: reads
// give all ones and writes do nothing.
class PciConfig final : public Device {
 public:
  // Before Reset(); `function` is what Reset restores. Device 0..31, function 0..7.
  void Add(int device, int function, PciFunction power_on);

  void Reset() override;
  uint64_t Read(uint64_t offset, int size) override;
  void Write(uint64_t offset, int size, uint64_t value) override;
  void OnEvent(int kind) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  struct Slot {
    int device_function;  // as in address bits <15:8>
    PciFunction power_on;
    PciFunction now;

    template <typename Visitor, typename Self>
    static void Walk(Visitor& visitor, Self& self) {
      visitor.Field("bytes", self.now.bytes);
    }
  };
  Slot* Find(uint64_t offset);

  std::vector<Slot> slots_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_CHIPSET_PCI_CONFIG_H_
