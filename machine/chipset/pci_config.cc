#include "machine/chipset/pci_config.h"

namespace isochron::machine {
namespace {

// Type 0 header.
constexpr int kVendorId = 0x00, kDeviceId = 0x02, kCommand = 0x04, kStatus = 0x06, kRevision = 0x08,
              kClassCode = 0x09, kHeaderType = 0x0e;

}  // namespace

void PciFunction::Set(int reg, int size, uint32_t value) {
  for (int i = 0; i < size; ++i) bytes[reg + i] = static_cast<uint8_t>(value >> (8 * i));
}

void PciFunction::SetWritable(int reg, int size, uint32_t mask) {
  for (int i = 0; i < size; ++i) writable[reg + i] = static_cast<uint8_t>(mask >> (8 * i));
}

PciFunction MakeIsaBridge() {
  PciFunction bridge;
  bridge.Set(kVendorId, 2, 0x8086);
  bridge.Set(kDeviceId, 2, 0x0484);
  bridge.Set(kCommand, 2, 0x0007);  // I/O, memory and master are always on
  bridge.SetWritable(kCommand, 2, 0x0008);
  bridge.Set(kStatus, 2, 0x0200);  // medium DEVSEL timing
  bridge.Set(kRevision, 1, 0x03);
  bridge.Set(kClassCode, 3, 0x060100);  // ISA bridge
  bridge.Set(kHeaderType, 1, 0x00);
  return bridge;
}

void PciConfig::Add(int device, int function, PciFunction power_on) {
  slots_.push_back({device << 3 | function, power_on, power_on});
}

void PciConfig::Reset() {
  for (Slot& slot : slots_) slot.now = slot.power_on;
}

PciConfig::Slot* PciConfig::Find(uint64_t offset) {
  for (Slot& slot : slots_) {
    if ((offset >> 8 & 0xffff) == static_cast<uint64_t>(slot.device_function)) return &slot;
  }
  return nullptr;
}

uint64_t PciConfig::Read(uint64_t offset, int size) {
  const Slot* slot = Find(offset);
  uint64_t value = 0;
  for (int i = 0; i < size; ++i) {
    const uint64_t byte = slot == nullptr ? 0xff : slot->now.bytes[(offset & 0xff) + i];
    value |= byte << (8 * i);
  }
  return value;
}

void PciConfig::Write(uint64_t offset, int size, uint64_t value) {
  Slot* slot = Find(offset);
  if (slot == nullptr) return;
  for (int i = 0; i < size; ++i) {
    const int reg = static_cast<int>(offset & 0xff) + i;
    const uint8_t mask = slot->now.writable[reg];
    const uint8_t byte = static_cast<uint8_t>(value >> (8 * i));
    slot->now.bytes[reg] = static_cast<uint8_t>((slot->now.bytes[reg] & ~mask) | (byte & mask));
  }
}

void PciConfig::OnEvent(int) {}

template <typename Visitor, typename Self>
void PciConfig::Walk(Visitor& visitor, Self& self) {
  visitor.Section("pci_config");
  visitor.Field("function", std::span(self.slots_));
}

void PciConfig::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void PciConfig::RestoreState(alpha::StateReader& reader) { Walk(reader, *this); }

}  // namespace isochron::machine
