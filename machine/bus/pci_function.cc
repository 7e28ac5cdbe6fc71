#include "machine/bus/pci_function.h"

#include "machine/events/planted_breaks.h"

namespace isochron::machine {
namespace {

constexpr uint8_t kIoIndicator = 1;          // bit 0 of a BAR
constexpr uint16_t kInterruptStatus = 0x08;  // of the status register
// I/O, memory, master, parity errors, SERR and interrupts off: what software sets of the command
// register. Of errors nothing is modelled.
constexpr uint16_t kCommandWritable = 0x0547;

void Set(PciFunction::ConfigBytes& bytes, int reg, int size, uint64_t value) {
  for (int i = 0; i < size; ++i) bytes[reg + i] = static_cast<uint8_t>(value >> (8 * i));
}

}  // namespace

PciFunction::PciFunction(const PciIdentity& identity) {
  SetConfig(PciRegister::kVendorId, 2, identity.vendor);
  SetConfig(PciRegister::kDeviceId, 2, identity.device);
  SetConfig(PciRegister::kClassCode, 3, identity.class_code);
  SetConfig(PciRegister::kRevision, 1, identity.revision);
  SetConfig(PciRegister::kSubsystemVendor, 2, identity.subsystem_vendor);
  SetConfig(PciRegister::kSubsystem, 2, identity.subsystem);
  SetWritable(PciRegister::kCommand, 2, kCommandWritable);
  SetWritable(PciRegister::kInterruptLine, 1, 0xff);
}

void PciFunction::SetConfig(int reg, int size, uint32_t value) { Set(power_on_, reg, size, value); }

void PciFunction::PutConfig(int reg, int size, uint64_t value) { Set(config_, reg, size, value); }

void PciFunction::SetWritable(int reg, int size, uint32_t mask) { Set(writable_, reg, size, mask); }

void PciFunction::AddBar(int bar, uint32_t size, bool io) {
  bars_[bar].owner = this;
  bars_[bar].index = bar;
  bars_[bar].size = size;
  bars_[bar].io = io;
  const int reg = PciRegister::kBar0 + 4 * bar;
  SetConfig(reg, 4, io ? kIoIndicator : 0);
  SetWritable(reg, 4, ~(size - 1));
}

void PciFunction::AddMemoryBar(int bar, uint32_t size) { AddBar(bar, size, false); }
void PciFunction::AddIoBar(int bar, uint32_t size) { AddBar(bar, size, true); }

void PciFunction::AddPorts(int range, uint32_t first, uint32_t size) {
  Ports& ports = ports_.emplace_back();
  ports.owner = this;
  ports.range = range;
  ports.first = first;
  ports.size = size;
}

void PciFunction::SetInterruptPin(int pin) {
  SetConfig(PciRegister::kInterruptPin, 1, static_cast<uint32_t>(pin));
}

uint64_t PciFunction::Config(int reg, int size) const {
  uint64_t value = 0;
  for (int i = 0; i < size; ++i) value |= uint64_t{config_[reg + i]} << (8 * i);
  return value;
}

void PciFunction::WriteConfig(int reg, int size, uint64_t value) {
  for (int i = 0; i < size; ++i) {
    const uint8_t mask = writable_[reg + i];
    const auto byte = static_cast<uint8_t>(value >> (8 * i));
    config_[reg + i] = static_cast<uint8_t>((config_[reg + i] & ~mask) | (byte & mask));
  }
  OnConfigWrite(reg, size);
}

void PciFunction::SetInterrupt(bool asserted) {
  if (asserted && PlantedCount(Break::kInterruptLost) % 3 == 1) return;
  const uint64_t status = Config(PciRegister::kStatus, 2) & ~uint64_t{kInterruptStatus};
  PutConfig(PciRegister::kStatus, 2, status | (asserted ? kInterruptStatus : 0));
  bus_->UpdateInterrupts();
}

int PciFunction::AssertedPin() const {
  const bool asserted = (Config(PciRegister::kStatus, 2) & kInterruptStatus) != 0;
  if (!asserted || CommandHas(PciCommand::kInterruptDisable)) return -1;
  return config_[PciRegister::kInterruptPin] - 1;
}

DmaResult PciFunction::ReadMemory(uint64_t address, void* data, uint64_t size) {
  if (!CommandHas(PciCommand::kMaster)) return DmaResult::kNotMaster;
  return bus_->dma().ReadMemory(address, data, size);
}

DmaResult PciFunction::WriteMemory(uint64_t address, const void* data, uint64_t size) {
  if (!CommandHas(PciCommand::kMaster)) return DmaResult::kNotMaster;
  return bus_->dma().WriteMemory(address, data, size);
}

}  // namespace isochron::machine
