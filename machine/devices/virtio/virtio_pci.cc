#include "machine/devices/virtio/virtio_pci.h"

#include <algorithm>
#include <bit>

namespace isochron::machine {
namespace {

constexpr uint16_t kVendor = 0x1af4;
constexpr uint16_t kCapabilityList = 0x10;  // of the PCI status register

// Capabilities (4.1.4): 16 bytes each, then what the type has of its own.
constexpr uint8_t kVendorSpecific = 0x09;
constexpr uint8_t kCommonType = 1, kNotifyType = 2, kIsrType = 3, kDeviceType = 4, kAccessType = 5;
constexpr int kCommonCapability = 0x40, kIsrCapability = 0x50, kDeviceCapability = 0x60,
              kNotifyCapability = 0x70;
constexpr uint8_t kCapabilityLength = 16, kLongCapabilityLength = 20;
constexpr int kCapabilityBar = 4, kCapabilityOffset = 8, kCapabilitySize = 12, kCapabilityData = 16;

// The common structure (4.1.4.3).
constexpr uint32_t kDeviceFeatureSelect = 0x00, kDeviceFeature = 0x04, kDriverFeatureSelect = 0x08,
                   kDriverFeature = 0x0c, kConfigVector = 0x10, kQueues = 0x12,
                   kCommonStatus = 0x14, kGeneration = 0x15, kQueueSelect = 0x16, kQueueSize = 0x18,
                   kQueueVector = 0x1a, kQueueEnable = 0x1c, kQueueNotifyOffset = 0x1e,
                   kQueueDescriptors = 0x20, kQueueDriver = 0x28, kQueueDevice = 0x30;
constexpr uint64_t kNoVector = 0xffff;

// The legacy header (4.1.4.10).
constexpr uint32_t kLegacyDeviceFeatures = 0x00, kLegacyDriverFeatures = 0x04,
                   kLegacyQueueFrame = 0x08, kLegacyQueueSize = 0x0c, kLegacyQueueSelect = 0x0e,
                   kLegacyQueueNotify = 0x10, kLegacyStatus = 0x12, kLegacyIsr = 0x13;
constexpr int kLegacyFrameShift = 12;
constexpr uint64_t kLegacyFeatures = 0xffffffff;

constexpr uint8_t kStatusFromDriver = VirtioStatus::kAcknowledge | VirtioStatus::kDriver |
                                      VirtioStatus::kDriverOk | VirtioStatus::kFeaturesOk |
                                      VirtioStatus::kFailed;

// The Pchip's monster window and what it reaches.
constexpr uint64_t kPhysicalWindow = uint64_t{1} << 40;
constexpr uint64_t kPhysicalEnd = uint64_t{1} << 35;

constexpr uint8_t ByteOf(uint64_t value, uint32_t index) {
  return static_cast<uint8_t>(value >> (8 * index));
}
constexpr uint64_t WithWord(uint64_t value, int word, uint32_t bits) {
  return word == 0 ? (value & ~kLegacyFeatures) | bits
                   : (value & kLegacyFeatures) | uint64_t{bits} << 32;
}
// The value of register `first` that is `size` bytes wide, when `offset` is one of its bytes.
constexpr bool Within(uint64_t offset, uint32_t first, uint32_t size) {
  return offset - first < size;
}

}  // namespace

VirtioPci::VirtioPci(const VirtioIdentity& identity)
    : PciFunction({.vendor = kVendor,
                   .device = identity.pci_id,
                   .class_code = identity.class_code,
                   .revision = 0,
                   .subsystem_vendor = kVendor,
                   .subsystem = identity.type}),
      identity_(identity),
      offered_(identity.features | VirtioFeature::kIndirect | VirtioFeature::kEventIndex |
               VirtioFeature::kVersion1 | VirtioFeature::kAccessPlatform),
      device_config_(identity.config_size),
      queues_(static_cast<size_t>(identity.queues), VirtQueue(identity.queue_size)) {
  AddIoBar(VirtioLayout::kLegacyBar,
           std::bit_ceil(VirtioLayout::kLegacyHeader + identity.config_size));
  AddMemoryBar(VirtioLayout::kBar, VirtioLayout::kBarSize);
  SetInterruptPin(identity.interrupt_pin);
  AddCapabilities();
}

void VirtioPci::AddCapability(int at, int next, uint8_t type, int bar, uint32_t offset,
                              uint32_t size, uint8_t length) {
  SetConfig(at, 4,
            kVendorSpecific | static_cast<uint32_t>(next) << 8 | uint32_t{length} << 16 |
                uint32_t{type} << 24);
  SetConfig(at + kCapabilityBar, 1, static_cast<uint32_t>(bar));
  SetConfig(at + kCapabilityOffset, 4, offset);
  SetConfig(at + kCapabilitySize, 4, size);
}

void VirtioPci::AddCapabilities() {
  using Layout = VirtioLayout;
  SetConfig(PciRegister::kStatus, 2, kCapabilityList);
  SetConfig(PciRegister::kCapabilities, 1, kCommonCapability);
  AddCapability(kCommonCapability, kIsrCapability, kCommonType, Layout::kBar, Layout::kCommon,
                Layout::kCommonSize, kCapabilityLength);
  // Drivers refuse a structure of no bytes, so that a type without one has no capability for it.
  const bool has_config = identity_.config_size != 0;
  AddCapability(kIsrCapability, has_config ? kDeviceCapability : kNotifyCapability, kIsrType,
                Layout::kBar, Layout::kIsr, Layout::kIsrSize, kCapabilityLength);
  if (has_config)
    AddCapability(kDeviceCapability, kNotifyCapability, kDeviceType, Layout::kBar, Layout::kDevice,
                  identity_.config_size, kCapabilityLength);
  AddCapability(
      kNotifyCapability, Layout::kAccessCapability, kNotifyType, Layout::kBar, Layout::kNotify,
      static_cast<uint32_t>(identity_.queues) * Layout::kNotifyMultiplier, kLongCapabilityLength);
  SetConfig(kNotifyCapability + kCapabilityData, 4, Layout::kNotifyMultiplier);
  AddCapability(Layout::kAccessCapability, 0, kAccessType, 0, 0, 0, kLongCapabilityLength);
  SetWritable(Layout::kAccessCapability + kCapabilityBar, 1, 0xff);
  SetWritable(Layout::kAccessCapability + kCapabilityOffset, 4, ~uint32_t{0});
  SetWritable(Layout::kAccessCapability + kCapabilitySize, 4, ~uint32_t{0});
  SetWritable(Layout::kAccessCapability + kCapabilityData, 4, ~uint32_t{0});
}

void VirtioPci::SetDeviceConfig(uint32_t offset, int size, uint64_t value) {
  for (int i = 0; i < size; ++i) device_config_[offset + i] = ByteOf(value, i);
}

void VirtioPci::Reset() {
  ResetTransport();
  ResetDevice();
}

void VirtioPci::ResetTransport() {
  status_ = isr_ = 0;
  device_feature_select_ = driver_feature_select_ = 0;
  driver_features_ = 0;
  queue_select_ = 0;
  for (VirtQueue& queue : queues_) queue.Reset();
  SetInterrupt(false);
  OnStop(-1);
}

// Configuration cycles.

bool VirtioPci::CapabilityAccess(int reg, int size, int& bar, Access& access) const {
  constexpr int kAt = VirtioLayout::kAccessCapability, kData = kAt + kCapabilityData;
  if (reg >= kData + 4 || reg + size <= kData) return false;
  bar = static_cast<int>(Config(kAt + kCapabilityBar, 1));
  access.offset = Config(kAt + kCapabilityOffset, 4);
  const uint64_t length = Config(kAt + kCapabilitySize, 4);
  access.size = static_cast<int>(length);
  const bool legacy = bar == VirtioLayout::kLegacyBar;
  if (!legacy && bar != VirtioLayout::kBar) return false;
  const uint64_t end =
      legacy ? VirtioLayout::kLegacyHeader + identity_.config_size : VirtioLayout::kBarSize;
  return (length == 1 || length == 2 || length == 4) && access.offset % length == 0 &&
         access.offset + length <= end;
}

void VirtioPci::OnConfigRead(int reg, int size) {
  int bar = 0;
  Access access;
  if (!CapabilityAccess(reg, size, bar, access)) return;
  PutConfig(VirtioLayout::kAccessCapability + kCapabilityData, 4, ReadBar(bar, access));
}

void VirtioPci::OnConfigWrite(int reg, int size) {
  int bar = 0;
  Access access;
  if (!CapabilityAccess(reg, size, bar, access)) return;
  WriteBar(bar, access, Config(VirtioLayout::kAccessCapability + kCapabilityData, access.size));
}

// Reading registers.

uint64_t VirtioPci::ReadBar(int bar, const Access& access) {
  uint64_t value = 0;
  for (int i = 0; i < access.size; ++i) {
    value |= uint64_t{ReadBarByte(bar, access.offset + i)} << (8 * i);
  }
  return value;
}

uint8_t VirtioPci::ReadBarByte(int bar, uint64_t offset) {
  if (bar == VirtioLayout::kLegacyBar) {
    if (offset >= VirtioLayout::kLegacyHeader) {
      return ReadDeviceByte(offset - VirtioLayout::kLegacyHeader);
    }
    return offset == kLegacyIsr ? ReadIsr() : ReadLegacyByte(static_cast<uint32_t>(offset));
  }
  const auto inside = static_cast<uint32_t>(offset % VirtioLayout::kPageSize);
  switch (offset - inside) {
    case VirtioLayout::kCommon: return ReadCommonByte(inside);
    case VirtioLayout::kIsr: return inside == 0 ? ReadIsr() : 0;
    case VirtioLayout::kDevice: return ReadDeviceByte(inside);
    default: return 0;
  }
}

uint8_t VirtioPci::ReadIsr() {
  const uint8_t isr = isr_;
  isr_ = 0;
  if (isr != 0) SetInterrupt(false);
  return isr;
}

uint8_t VirtioPci::ReadDeviceByte(uint64_t offset) const {
  return offset < device_config_.size() ? device_config_[offset] : 0;
}

uint8_t VirtioPci::ReadCommonByte(uint32_t offset) const {
  const VirtQueue* const queue = Selected();
  const VirtQueuePlace place = queue != nullptr ? queue->place() : VirtQueuePlace();
  const struct {
    uint32_t first, size;
    uint64_t value;
  } kRegisters[] = {
      {kDeviceFeatureSelect, 4, device_feature_select_},
      {kDeviceFeature, 4,
       device_feature_select_ < 2 ? offered_ >> (32 * device_feature_select_) : 0},
      {kDriverFeatureSelect, 4, driver_feature_select_},
      {kDriverFeature, 4,
       driver_feature_select_ < 2 ? driver_features_ >> (32 * driver_feature_select_) : 0},
      {kConfigVector, 2, kNoVector},
      {kQueues, 2, queues_.size()},
      {kCommonStatus, 1, ShownStatus()},
      {kGeneration, 1, 0},
      {kQueueSelect, 2, queue_select_},
      {kQueueSize, 2, queue != nullptr ? queue->size() : uint64_t{0}},
      {kQueueVector, 2, kNoVector},
      {kQueueEnable, 2, queue != nullptr && queue->enabled() ? uint64_t{1} : 0},
      {kQueueNotifyOffset, 2, queue != nullptr ? queue_select_ : uint64_t{0}},
      {kQueueDescriptors, 8, place.descriptors},
      {kQueueDriver, 8, place.driver},
      {kQueueDevice, 8, place.device},
  };
  for (const auto& reg : kRegisters) {
    if (Within(offset, reg.first, reg.size)) return ByteOf(reg.value, offset - reg.first);
  }
  return 0;
}

uint8_t VirtioPci::ReadLegacyByte(uint32_t offset) const {
  const VirtQueue* const queue = Selected();
  const bool enabled = queue != nullptr && queue->enabled();
  const struct {
    uint32_t first, size;
    uint64_t value;
  } kRegisters[] = {
      {kLegacyDeviceFeatures, 4, offered_ | VirtioFeature::kAnyLayout},
      {kLegacyDriverFeatures, 4, driver_features_},
      {kLegacyQueueFrame, 4, enabled ? queue->place().descriptors >> kLegacyFrameShift : 0},
      {kLegacyQueueSize, 2, queue != nullptr ? queue->size() : uint64_t{0}},
      {kLegacyQueueSelect, 2, queue_select_},
      {kLegacyStatus, 1, ShownStatus()},
  };
  for (const auto& reg : kRegisters) {
    if (Within(offset, reg.first, reg.size)) return ByteOf(reg.value, offset - reg.first);
  }
  return 0;
}

// Writing registers.

void VirtioPci::WriteBar(int bar, const Access& access, uint64_t value) {
  if (bar == VirtioLayout::kLegacyBar) {
    WriteLegacy(access, value);
    return;
  }
  const uint64_t inside = access.offset % VirtioLayout::kPageSize;
  switch (access.offset - inside) {
    case VirtioLayout::kCommon: WriteCommon(access, value); break;
    case VirtioLayout::kDevice: OnDeviceConfigWrite(access.At(inside), value); break;
    case VirtioLayout::kNotify:
      // The place says which queue; the value repeats it.
      if (access.size == 2 && inside % VirtioLayout::kNotifyMultiplier == 0) {
        Notify(inside / VirtioLayout::kNotifyMultiplier);
      }
      break;
    default: break;
  }
}

void VirtioPci::WriteCommon(const Access& access, uint64_t value) {
  const auto is = [&](uint32_t offset, int size) {
    return access.offset == offset && access.size == size;
  };
  if (is(kDeviceFeatureSelect, 4)) {
    device_feature_select_ = static_cast<uint32_t>(value);
  } else if (is(kDriverFeatureSelect, 4)) {
    driver_feature_select_ = static_cast<uint32_t>(value);
  } else if (is(kDriverFeature, 4)) {
    if (driver_feature_select_ < 2) {
      WriteFeatures(static_cast<int>(driver_feature_select_), static_cast<uint32_t>(value),
                    ~uint64_t{0});
    }
  } else if (is(kCommonStatus, 1)) {
    WriteStatus(static_cast<uint8_t>(value));
  } else if (is(kQueueSelect, 2)) {
    queue_select_ = static_cast<uint16_t>(value);
  } else if (VirtQueue* const queue = Selected(); queue != nullptr) {
    if (is(kQueueSize, 2)) {
      queue->SetSize(static_cast<uint16_t>(value));
    } else if (is(kQueueEnable, 2)) {
      if (value == 1) queue->Enable();
    } else {
      WriteQueueAddress(access, value);
    }
  }
}

void VirtioPci::WriteQueueAddress(const Access& access, uint64_t value) {
  VirtQueuePlace place = Selected()->place();
  const struct {
    uint32_t first;
    uint64_t& address;
  } kRegisters[] = {{kQueueDescriptors, place.descriptors},
                    {kQueueDriver, place.driver},
                    {kQueueDevice, place.device}};
  for (const auto& reg : kRegisters) {
    if (!Within(access.offset, reg.first, 8)) continue;
    const uint64_t inside = access.offset - reg.first;
    if (access.size == 8) reg.address = value;
    if (access.size == 4) {
      reg.address = WithWord(reg.address, inside == 0 ? 0 : 1, static_cast<uint32_t>(value));
    }
  }
  Selected()->SetPlace(place);
}

void VirtioPci::WriteLegacy(const Access& access, uint64_t value) {
  const auto is = [&](uint32_t offset, int size) {
    return access.offset == offset && access.size == size;
  };
  if (is(kLegacyDriverFeatures, 4)) {
    WriteFeatures(0, static_cast<uint32_t>(value), offered_ | VirtioFeature::kAnyLayout);
  } else if (is(kLegacyQueueFrame, 4)) {
    WriteLegacyPlace(static_cast<uint32_t>(value));
  } else if (is(kLegacyQueueSelect, 2)) {
    queue_select_ = static_cast<uint16_t>(value);
  } else if (is(kLegacyQueueNotify, 2)) {
    Notify(value);
  } else if (is(kLegacyStatus, 1)) {
    // Linux before 2.6.34 never makes the function a master, which hosts of its time did not ask
    // for.
    const auto driver = VirtioStatus::kAcknowledge | VirtioStatus::kDriver;
    if (value == driver) {
      PutConfig(PciRegister::kCommand, 2, Config(PciRegister::kCommand, 2) | PciCommand::kMaster);
    }
    WriteStatus(static_cast<uint8_t>(value));
  } else if (access.offset >= VirtioLayout::kLegacyHeader) {
    OnDeviceConfigWrite(access.At(access.offset - VirtioLayout::kLegacyHeader), value);
  }
}

// A queue that is on starts anew at its new place, or is off.
void VirtioPci::WriteLegacyPlace(uint32_t frame) {
  VirtQueue* const queue = Selected();
  if (queue == nullptr) return;
  if (queue->enabled()) OnStop(queue_select_);
  queue->Reset();
  if (frame == 0) return;
  queue->SetPlace(VirtQueuePlace::Legacy(uint64_t{frame} << kLegacyFrameShift, queue->size()));
  queue->Enable();
}

VirtQueue* VirtioPci::Selected() {
  return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
}
const VirtQueue* VirtioPci::Selected() const {
  return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
}

// The protocol.

void VirtioPci::WriteFeatures(int word, uint32_t value, uint64_t allowed) {
  if ((status_ & (VirtioStatus::kFeaturesOk | VirtioStatus::kDriverOk)) != 0) return;
  driver_features_ = WithWord(driver_features_, word, value) & allowed;
}

bool VirtioPci::FeaturesCanBe() const {
  return (driver_features_ & ~offered_) == 0 && Has(VirtioFeature::kVersion1);
}

uint8_t VirtioPci::ShownStatus() const {
  const bool told = Has(VirtioFeature::kVersion1);
  return told ? status_ : status_ & kStatusFromDriver;
}

void VirtioPci::WriteStatus(uint8_t value) {
  if (value == 0) {
    ResetTransport();
    return;
  }
  value &= kStatusFromDriver;
  if ((value & VirtioStatus::kFeaturesOk) != 0 && !FeaturesCanBe()) {
    value &= static_cast<uint8_t>(~VirtioStatus::kFeaturesOk);
  }
  const bool ready = (value & ~status_ & VirtioStatus::kDriverOk) != 0;
  status_ |= value;  // only a reset clears any
  if (!ready) return;
  // Some drivers notify before they are ready (Linux's virtio-rng of 5.16).
  for (size_t queue = 0; queue < queues_.size(); ++queue) Notify(queue);
}

bool VirtioPci::Works(int queue) const {
  if (!queues_[queue].enabled() || !IsWorking()) return false;
  // Legacy drivers use queues before they say that they are ready.
  return !Has(VirtioFeature::kVersion1) || (status_ & VirtioStatus::kDriverOk) != 0;
}

void VirtioPci::Notify(uint64_t queue) {
  if (queue < queues_.size() && Works(static_cast<int>(queue))) OnNotify(static_cast<int>(queue));
}

void VirtioPci::Interrupt(uint8_t reason) {
  isr_ |= reason;
  SetInterrupt(true);
}

void VirtioPci::Stop() {
  if (!IsWorking()) return;
  status_ |= VirtioStatus::kNeedsReset;
  OnStop(-1);
  const bool told = Has(VirtioFeature::kVersion1) && (status_ & VirtioStatus::kDriverOk) != 0;
  if (told) Interrupt(VirtioIsr::kConfig);
}

bool VirtioPci::Take(int queue, VirtChain& chain) {
  if (!Works(queue)) return false;
  const VirtQueue::Taken taken = queues_[queue].Take(memory_, rules(), chain);
  if (taken == VirtQueue::Taken::kFault) Stop();
  return taken == VirtQueue::Taken::kChain;
}

void VirtioPci::Give(int queue, uint16_t head, uint32_t written) {
  if (!Works(queue)) return;
  switch (queues_[queue].Give(memory_, rules(), head, written)) {
    case VirtQueue::Given::kQuiet: break;
    case VirtQueue::Given::kInterrupt: Interrupt(VirtioIsr::kQueue); break;
    case VirtQueue::Given::kFault: Stop(); break;
  }
}

bool VirtioPci::Read(const VirtChain& chain, uint64_t offset, std::span<uint8_t> bytes) {
  const bool done = chain.Read(memory_, offset, bytes);
  if (!done) Stop();
  return done;
}

bool VirtioPci::Write(const VirtChain& chain, uint64_t offset, std::span<const uint8_t> bytes) {
  const bool done = chain.Write(memory_, offset, bytes);
  if (!done) Stop();
  return done;
}

bool VirtioPci::Memory::ToBus(uint64_t& address, uint64_t size) const {
  if (owner_.Has(VirtioFeature::kAccessPlatform)) return true;
  if (address > kPhysicalEnd || size > kPhysicalEnd - address) return false;
  address |= kPhysicalWindow;
  return true;
}

DmaResult VirtioPci::Memory::ReadMemory(uint64_t address, void* data, uint64_t size) {
  if (!ToBus(address, size)) return DmaResult::kMasterAbort;
  return owner_.PciFunction::ReadMemory(address, data, size);
}

DmaResult VirtioPci::Memory::WriteMemory(uint64_t address, const void* data, uint64_t size) {
  if (!ToBus(address, size)) return DmaResult::kMasterAbort;
  return owner_.PciFunction::WriteMemory(address, data, size);
}

void VirtioPci::CheckTransport(alpha::StateReader& reader) const {
  const bool told = Has(VirtioFeature::kVersion1);
  if (told && (driver_features_ & ~offered_) != 0 && (status_ & VirtioStatus::kFeaturesOk) != 0) {
    reader.Fail("the driver has features that the device does not offer");
  }
}

}  // namespace isochron::machine
