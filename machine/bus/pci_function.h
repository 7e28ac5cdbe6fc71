// What a function on the PCI bus is.

#ifndef ISOCHRON_MACHINE_BUS_PCI_FUNCTION_H_
#define ISOCHRON_MACHINE_BUS_PCI_FUNCTION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "machine/bus/access.h"
#include "machine/bus/device.h"
#include "machine/bus/dma.h"

namespace isochron::machine {

class PciBus;

// What a function needs of its bus.
class PciHost {
 public:
  virtual ~PciHost() = default;
  // Where transfers of masters go.
  virtual DmaPort& dma() = 0;
  // The pin of a function, or whether it counts, has changed.
  virtual void UpdateInterrupts() = 0;
};

// Which chip a function says it is (PCI Local Bus Specification 2.3, section 6.2.1).
struct PciIdentity {
  uint16_t vendor = 0;
  uint16_t device = 0;
  uint32_t class_code = 0;  // class <23:16>, subclass <15:8>, interface <7:0>
  uint8_t revision = 0;
  uint16_t subsystem_vendor = 0;
  uint16_t subsystem = 0;
};

// The registers of the header that all functions have.
struct PciRegister {
  static constexpr int kVendorId = 0x00, kDeviceId = 0x02, kCommand = 0x04, kStatus = 0x06,
                       kRevision = 0x08, kClassCode = 0x09, kHeaderType = 0x0e, kBar0 = 0x10,
                       kSubsystemVendor = 0x2c, kSubsystem = 0x2e, kCapabilities = 0x34,
                       kInterruptLine = 0x3c, kInterruptPin = 0x3d;
};
struct PciCommand {
  static constexpr uint16_t kIo = 0x001, kMemory = 0x002, kMaster = 0x004,
                            kInterruptDisable = 0x400;
};

// A function of a device in a slot: configuration space, up to six ranges of registers behind base
// address registers (BARs), an interrupt pin and mastership of the bus.
//
// A function describes itself in its constructor. Its configuration space is state of the bus; what
// else it remembers it visits itself.
class PciFunction : public Device {
 public:
  static constexpr int kConfigSize = 256;
  static constexpr int kBars = 6;
  using ConfigBytes = std::array<uint8_t, kConfigSize>;

  // Registers behind BAR `bar`, at `access.offset` from its base. In I/O space an access has at
  // most four bytes.
  virtual uint64_t ReadBar(int /*bar*/, const Access& access) { return AllOnes(access.size); }
  virtual void WriteBar(int /*bar*/, const Access&, uint64_t /*value*/) {}
  // Ports that AddPorts() has declared.
  virtual uint64_t ReadPorts(int /*range*/, const Access& access) { return AllOnes(access.size); }
  virtual void WritePorts(int /*range*/, const Access&, uint64_t /*value*/) {}
  // Bytes [reg, reg + size) of the configuration space have been written; what cannot be written
  // has stayed.
  virtual void OnConfigWrite(int /*reg*/, int /*size*/) {}
  // They are about to be read by a CPU: for registers that show what is elsewhere.
  virtual void OnConfigRead(int /*reg*/, int /*size*/) {}

  const ConfigBytes& config() const { return config_; }
  // A little-endian value of `size` bytes, up to 8, at `reg`.
  uint64_t Config(int reg, int size) const;
  bool CommandHas(uint16_t bits) const { return (Config(PciRegister::kCommand, 2) & bits) == bits; }

 protected:
  explicit PciFunction(const PciIdentity& identity);

  // What the constructor says about the function. Values are those at power-on.
  void SetConfig(int reg, int size, uint32_t value);
  void SetWritable(int reg, int size, uint32_t mask);
  // `size`: a power of two; from 16 bytes, or from 4 for I/O.
  void AddMemoryBar(int bar, uint32_t size);
  void AddIoBar(int bar, uint32_t size);
  // Ports [first, first + size) of I/O space whose place never changes, as functions have that
  // stand in for parts of a PC. `range`: what the function calls them.
  void AddPorts(int range, uint32_t first, uint32_t size);
  // 1 to 4: INTA to INTD.
  void SetInterruptPin(int pin);

  // What the function itself puts into its configuration space while it runs.
  void PutConfig(int reg, int size, uint64_t value);

  // Drives the interrupt pin. Functions may share a wire.
  void SetInterrupt(bool asserted);
  // Transfers by the function as bus master; see DmaPort. From an event, so that it has a cycle of
  // its own, and no more in one event than a bus does at once.
  [[nodiscard]] DmaResult ReadMemory(uint64_t address, void* data, uint64_t size);
  [[nodiscard]] DmaResult WriteMemory(uint64_t address, const void* data, uint64_t size);

 private:
  friend class PciBus;

  struct Bar : BusTarget {
    uint64_t Read(const Access& access) override { return owner->ReadBar(index, access); }
    void Write(const Access& access, uint64_t value) override {
      owner->WriteBar(index, access, value);
    }
    PciFunction* owner = nullptr;
    int index = 0;
    uint32_t size = 0;  // 0: there is none
    bool io = false;
  };

  struct Ports : BusTarget {
    uint64_t Read(const Access& access) override { return owner->ReadPorts(range, access); }
    void Write(const Access& access, uint64_t value) override {
      owner->WritePorts(range, access, value);
    }
    PciFunction* owner = nullptr;
    int range = 0;
    uint32_t first = 0;
    uint32_t size = 0;
  };

  void AddBar(int bar, uint32_t size, bool io);
  void ResetConfig() { config_ = power_on_; }
  void WriteConfig(int reg, int size, uint64_t value);
  // The wire that the pin asks for: 0 to 3, or -1 when it is quiet.
  int AssertedPin() const;

  template <typename Visitor, typename Self>
  static void WalkConfig(Visitor& visitor, Self& self) {
    visitor.Field("bytes", self.config_);
  }

  ConfigBytes config_{};
  ConfigBytes power_on_{};
  ConfigBytes writable_{};
  std::array<Bar, kBars> bars_;
  std::vector<Ports> ports_;
  PciHost* bus_ = nullptr;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_PCI_FUNCTION_H_
