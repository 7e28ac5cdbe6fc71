// What all virtio devices have in common: the PCI transport.

#ifndef ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_PCI_H_
#define ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_PCI_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "alpha/state_visitor.h"
#include "machine/bus/access.h"
#include "machine/bus/dma.h"
#include "machine/bus/pci_function.h"
#include "machine/devices/virtio/virt_queue.h"

namespace isochron::machine {

// Features that are not a device type's own (Virtio 1.2, chapter 6), as bits of a mask.
struct VirtioFeature {
  static constexpr uint64_t kAnyLayout = uint64_t{1} << 27;  // legacy only
  static constexpr uint64_t kIndirect = uint64_t{1} << 28;
  static constexpr uint64_t kEventIndex = uint64_t{1} << 29;
  static constexpr uint64_t kVersion1 = uint64_t{1} << 32;
  static constexpr uint64_t kAccessPlatform = uint64_t{1} << 33;
};
// Of the device status (2.1).
struct VirtioStatus {
  static constexpr uint8_t kAcknowledge = 1, kDriver = 2, kDriverOk = 4, kFeaturesOk = 8,
                           kNeedsReset = 0x40, kFailed = 0x80;
};
// Of the ISR (4.1.4.5).
struct VirtioIsr {
  static constexpr uint8_t kQueue = 1, kConfig = 2;
};

// Where the registers are. BAR 0 has the legacy ones, the device's own behind them; BAR 1 those of
// 1.x, each of four structures in a page of its own.
struct VirtioLayout {
  static constexpr int kLegacyBar = 0, kBar = 1;
  static constexpr uint32_t kCommon = 0x0000, kIsr = 0x1000, kDevice = 0x2000, kNotify = 0x3000,
                            kBarSize = 0x4000, kPageSize = 0x1000;
  static constexpr uint32_t kCommonSize = 0x38, kIsrSize = 1;
  static constexpr uint32_t kNotifyMultiplier = 4;  // bytes from queue to queue
  static constexpr uint32_t kLegacyHeader = 0x14;   // without MSI-X
  // The structure (4.1.4.9) through which configuration cycles reach the BARs.
  static constexpr int kAccessCapability = 0x84;
};

// Which device a function is.
struct VirtioIdentity {
  uint16_t type = 0;    // chapter 5
  uint16_t pci_id = 0;  // of the transitional device, 0x1000 to 0x103f (4.1.2.1)
  uint32_t class_code = 0;
  uint64_t features = 0;  // the type's own
  int queues = 1;
  uint16_t queue_size = 128;  // a power of two, at most VirtQueue::kMaxSize
  uint32_t config_size = 0;   // bytes of the device's own configuration, up to a page
  int interrupt_pin = 1;      // 1 to 4
};

// A transitional virtio device on PCI (Virtual I/O Device 1.2, 4.1; Virtio PCI Card Specification
// 0.9.5): both interfaces drive one device. It interrupts by INTx; there is no MSI-X.
//
// Addresses that a driver gives are those of the bus, through the Pchip's windows, when it has
// accepted VIRTIO_F_ACCESS_PLATFORM. Otherwise they are physical ones, which the device reaches
// through the monster window: below 2^35, with PCTL<MWIN> set.
//
// What a driver may not do stops the device: it has nothing in flight any more and asks for a reset
// (DEVICE_NEEDS_RESET with a configuration interrupt; a legacy driver is told nothing). Registers
// take writes of their own width only, the addresses of queues also as quadwords; others do
// nothing. Reads may have any width.
class VirtioPci : public PciFunction {
 public:
  void Reset() final;
  uint64_t ReadBar(int bar, const Access& access) final;
  void WriteBar(int bar, const Access& access, uint64_t value) final;
  void OnConfigRead(int reg, int size) final;
  void OnConfigWrite(int reg, int size) final;

 protected:
  explicit VirtioPci(const VirtioIdentity& identity);

  // What a device type is.
  //
  // Power-on, beyond what OnStop() does.
  virtual void ResetDevice() {}
  // The driver has told of buffers in a queue that works.
  virtual void OnNotify(int queue) = 0;
  // Nothing is in flight any more, in a queue or in all of them (-1): a reset, or a fault.
  virtual void OnStop(int queue) = 0;
  // The driver has written to the device's configuration.
  virtual void OnDeviceConfigWrite(const Access& /*access*/, uint64_t /*value*/) {}

  // Bytes of the device's configuration: those of power-on, in the constructor.
  void SetDeviceConfig(uint32_t offset, int size, uint64_t value);

  // Whether driver and device have agreed on it.
  bool Has(uint64_t feature) const { return (driver_features_ & feature) != 0; }
  uint16_t queue_size() const { return identity_.queue_size; }

  // The queues, from an event. A fault that they meet has stopped the device when they return.
  //
  // False when there is no chain: the queue is empty, or does not work (any more).
  bool Take(int queue, VirtChain& chain);
  // `written`: bytes of the writable part that have been written.
  void Give(int queue, uint16_t head, uint32_t written);
  // Bytes of a chain; false when the device has stopped.
  bool Read(const VirtChain& chain, uint64_t offset, std::span<uint8_t> bytes);
  bool Write(const VirtChain& chain, uint64_t offset, std::span<const uint8_t> bytes);
  // The driver has done what it may not.
  void Stop();
  // Whether it has not, since the last reset.
  bool IsWorking() const { return (status_ & VirtioStatus::kNeedsReset) == 0; }
  // Whether the driver has said that it is ready (DRIVER_OK).
  bool IsReady() const { return (status_ & VirtioStatus::kDriverOk) != 0; }

  template <typename Visitor, typename Self>
  static void WalkTransport(Visitor& visitor, Self& self);
  void CheckTransport(alpha::StateReader& reader) const;

 private:
  // Memory as the driver names it.
  class Memory final : public DmaPort {
   public:
    explicit Memory(VirtioPci& owner) : owner_(owner) {}
    DmaResult ReadMemory(uint64_t address, void* data, uint64_t size) override;
    DmaResult WriteMemory(uint64_t address, const void* data, uint64_t size) override;

   private:
    // Whether the address leads anywhere; makes it one of the bus.
    bool ToBus(uint64_t& address, uint64_t size) const;
    VirtioPci& owner_;
  };

  void AddCapability(int at, int next, uint8_t type, int bar, uint32_t offset, uint32_t size,
                     uint8_t length);
  void AddCapabilities();

  // The access that the capability describes, if it can be made.
  bool CapabilityAccess(int reg, int size, int& bar, Access& access) const;

  // The registers as bytes, without the ISR, whose reading clears it.
  uint8_t ReadCommonByte(uint32_t offset) const;
  uint8_t ReadLegacyByte(uint32_t offset) const;
  uint8_t ReadDeviceByte(uint64_t offset) const;
  uint8_t ReadBarByte(int bar, uint64_t offset);
  uint8_t ReadIsr();
  void WriteCommon(const Access& access, uint64_t value);
  void WriteQueueAddress(const Access& access, uint64_t value);
  void WriteLegacy(const Access& access, uint64_t value);
  void WriteLegacyPlace(uint32_t frame);

  VirtQueue* Selected();
  const VirtQueue* Selected() const;
  bool Works(int queue) const;
  void Notify(uint64_t queue);
  uint8_t ShownStatus() const;
  void WriteStatus(uint8_t value);
  bool FeaturesCanBe() const;
  void WriteFeatures(int word, uint32_t value, uint64_t allowed);
  void ResetTransport();
  void Interrupt(uint8_t reason);
  VirtQueueRules rules() const {
    return {Has(VirtioFeature::kIndirect), Has(VirtioFeature::kEventIndex)};
  }

  const VirtioIdentity identity_;
  const uint64_t offered_;
  std::vector<uint8_t> device_config_;
  Memory memory_{*this};

  uint8_t status_ = 0;
  uint8_t isr_ = 0;
  uint32_t device_feature_select_ = 0;
  uint32_t driver_feature_select_ = 0;
  uint64_t driver_features_ = 0;
  uint16_t queue_select_ = 0;
  std::vector<VirtQueue> queues_;
};

template <typename Visitor, typename Self>
void VirtioPci::WalkTransport(Visitor& visitor, Self& self) {
  visitor.Field("status", self.status_);
  visitor.Field("isr", self.isr_);
  visitor.Field("device_feature_select", self.device_feature_select_);
  visitor.Field("driver_feature_select", self.driver_feature_select_);
  visitor.Field("driver_features", self.driver_features_);
  visitor.Field("queue_select", self.queue_select_);
  visitor.Field("queue", std::span(self.queues_));
}

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_PCI_H_
