// What tests of functions on the PCI bus need around the function.

#ifndef ISOCHRON_MACHINE_BUS_PCI_TESTING_H_
#define ISOCHRON_MACHINE_BUS_PCI_TESTING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "machine/bus/device_testing.h"
#include "machine/bus/dma.h"
#include "machine/bus/pci_bus.h"
#include "machine/bus/pci_function.h"

namespace isochron::machine {

// RAM behind a direct window at 2 GiB and the monster window, which counts what goes through.
class TestRam final : public DmaPort {
 public:
  static constexpr uint64_t kSize = uint64_t{1} << 20;
  static constexpr uint64_t kWindow = 0x8000'0000;

  DmaResult ReadMemory(uint64_t address, void* data, uint64_t size) override {
    const DmaResult result = Find(address, size);
    if (result == DmaResult::kOk) std::memcpy(data, ram.data() + address, size);
    return result;
  }
  DmaResult WriteMemory(uint64_t address, const void* data, uint64_t size) override {
    const DmaResult result = Find(address, size);
    if (result == DmaResult::kOk) std::memcpy(ram.data() + address, data, size);
    return result;
  }
  template <typename T>
  void Put(uint64_t at, const T& value) {
    std::memcpy(ram.data() + at, &value, sizeof value);
  }
  template <typename T>
  T Get(uint64_t at) const {
    T value{};
    std::memcpy(&value, ram.data() + at, sizeof value);
    return value;
  }
  void Fill(uint64_t at, std::string_view bytes) {
    std::copy(bytes.begin(), bytes.end(), ram.begin() + static_cast<std::ptrdiff_t>(at));
  }
  std::string Bytes(uint64_t at, size_t size) const {
    const auto begin = ram.begin() + static_cast<std::ptrdiff_t>(at);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
  }

  std::vector<uint8_t> ram = std::vector<uint8_t>(kSize);
  uint64_t transferred = 0;

 private:
  DmaResult Find(uint64_t& address, uint64_t size) {
    if (address >> 40 == 1) {
      address &= (uint64_t{1} << 35) - 1;
    } else if (address >= kWindow && address < kWindow + kSize) {
      address -= kWindow;
    } else {
      return DmaResult::kMasterAbort;
    }
    transferred += size;
    return address <= kSize && size <= kSize - address ? DmaResult::kOk : DmaResult::kTargetAbort;
  }
};

// A bus with one function in slot 1, whose BARs 0 and 1 are set up for ports and memory if it has
// them. T has a constructor T(EventQueue&, ...).
template <typename T>
class PciRig {
 public:
  static constexpr uint32_t kMemoryBase = 0x0900'0000, kIoBase = 0x9000;
  static constexpr uint64_t kSlot = 1 << 11;
  static constexpr int kLine = 8;

  template <typename... Args>
  explicit PciRig(Args&&... args) : device(bench.events(), std::forward<Args>(args)...) {
    bus.Attach(1, 0, device);
    bus.Reset();
    device.Reset();
    Config(PciRegister::kBar0, 4, kIoBase);
    Config(PciRegister::kBar0 + 4, 4, kMemoryBase);
    Config(PciRegister::kCommand, 2, PciCommand::kIo | PciCommand::kMemory | PciCommand::kMaster);
  }

  uint64_t Config(int reg, int size) {
    return bus.config().Read({kSlot + static_cast<uint64_t>(reg), size});
  }
  void Config(int reg, int size, uint64_t value) {
    bus.config().Write({kSlot + static_cast<uint64_t>(reg), size}, value);
  }
  bool Interrupted() { return irqs.levels[kLine]; }

  // Everything there is to save, and what a rig made anew takes from it.
  std::string Save() const {
    return machine::Save(bench.events()) + machine::Save(bus) + machine::Save(device);
  }
  absl::Status CopyTo(PciRig& other) const {
    absl::Status status = Restore(other.bench.events(), machine::Save(bench.events()));
    status.Update(Restore(other.bus, machine::Save(bus)));
    status.Update(Restore(other.device, machine::Save(device)));
    other.memory = memory;
    other.irqs = irqs;
    return status;
  }

  mutable Bench bench;
  TestRam memory;
  AbsentTarget ports;
  FakeIrqs irqs;
  PciBus bus{memory, ports, irqs, [](int device, int pin) { return 4 + 4 * device + pin; }};
  T device;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_PCI_TESTING_H_
