#include "machine/bus/pci_bus.h"

#include <span>

namespace isochron::machine {
namespace {

constexpr int kQuadword = 8;
constexpr int kLongword = 4;  // the widest in I/O space
constexpr uint32_t kMemoryBase = ~uint32_t{0xf};
constexpr uint32_t kIoBase = ~uint32_t{0x3};
constexpr uint32_t kMultifunction = 0x80;  // of the header type
constexpr int kPins = 4;

Access LowerHalf(const Access& access) { return {access.offset, access.size / 2, access.cpu}; }
Access UpperHalf(const Access& access) {
  return {access.offset + access.size / 2, access.size / 2, access.cpu};
}

}  // namespace

PciBus::PciBus(DmaPort& dma, BusTarget& ports, IrqSink& interrupts, InterruptLine line)
    : dma_(dma),
      interrupts_(interrupts),
      line_(line),
      memory_(absent_, kQuadword),
      io_(ports, kLongword),
      config_(*this) {}

void PciBus::Attach(int device, int function, PciFunction& attached) {
  attached.bus_ = this;
  attached.ResetConfig();
  slots_.push_back({device, function, &attached});
  if (function == 0) return;
  for (const Slot& slot : slots_) {
    if (slot.device == device && slot.function == 0) {
      slot.attached->SetConfig(PciRegister::kHeaderType, 1, kMultifunction);
    }
  }
}

void PciBus::Reset() {
  for (const Slot& slot : slots_) slot.attached->ResetConfig();
  MapBars();
  UpdateInterrupts();
}

void PciBus::MapBars() {
  memory_.map.Clear();
  io_.map.Clear();
  for (const Slot& slot : slots_) {
    PciFunction& function = *slot.attached;
    if (function.CommandHas(PciCommand::kIo)) {
      for (PciFunction::Ports& ports : function.ports_) {
        io_.map.Map({.first = ports.first, .size = ports.size, .target = &ports});
      }
    }
    for (PciFunction::Bar& bar : function.bars_) {
      if (bar.size == 0) continue;
      if (!function.CommandHas(bar.io ? PciCommand::kIo : PciCommand::kMemory)) continue;
      const auto base =
          static_cast<uint32_t>(function.Config(PciRegister::kBar0 + 4 * bar.index, 4));
      AddressMap& map = bar.io ? io_.map : memory_.map;
      map.Map({.first = base & (bar.io ? kIoBase : kMemoryBase), .size = bar.size, .target = &bar});
    }
  }
}

void PciBus::UpdateInterrupts() {
  // Wires of several functions may meet in one line.
  for (const Slot& slot : slots_) {
    for (int pin = 0; pin < kPins; ++pin) {
      const int line = line_(slot.device, pin);
      if (line < 0) continue;
      bool asserted = false;
      for (const Slot& other : slots_) {
        const int other_pin = other.attached->AssertedPin();
        asserted = asserted || (other_pin >= 0 && line_(other.device, other_pin) == line);
      }
      interrupts_.SetIrq(line, asserted);
    }
  }
}

bool PciBus::Space::AnyInside(const Access& access) const {
  for (int i = 0; i < access.size; ++i) {
    if (map.Find(access.offset + i) != nullptr) return true;
  }
  return false;
}

bool PciBus::Space::IsWhole(const Access& access, const MappedRange* range) const {
  if (range != nullptr) {
    return access.size <= max_size_ && range->Contains(access.offset, access.size);
  }
  return access.size == 1 || !AnyInside(access);
}

uint64_t PciBus::Space::Read(const Access& access) {
  const MappedRange* const range = map.Find(access.offset);
  if (IsWhole(access, range)) {
    return range != nullptr ? range->target->Read(range->Inside(access)) : fallback_.Read(access);
  }
  const uint64_t low = Read(LowerHalf(access));
  return low | Read(UpperHalf(access)) << (4 * access.size);
}

void PciBus::Space::Write(const Access& access, uint64_t value) {
  const MappedRange* const range = map.Find(access.offset);
  if (IsWhole(access, range)) {
    BusTarget& target = range != nullptr ? *range->target : fallback_;
    target.Write(range != nullptr ? range->Inside(access) : access, value);
    return;
  }
  Write(LowerHalf(access), value & AllOnes(access.size / 2));
  Write(UpperHalf(access), value >> (4 * access.size));
}

PciFunction* PciBus::ConfigSpace::Find(uint64_t offset) const {
  for (const Slot& slot : bus_.slots_) {
    const uint64_t address = static_cast<uint64_t>(slot.device << 3 | slot.function);
    if (offset >> 8 == address) return slot.attached;
  }
  return nullptr;
}

uint64_t PciBus::ConfigSpace::Read(const Access& access) {
  PciFunction* const function = Find(access.offset);
  if (function == nullptr) return AllOnes(access.size);
  const auto reg = static_cast<int>(access.offset & 0xff);
  function->OnConfigRead(reg, access.size);
  return function->Config(reg, access.size);
}

void PciBus::ConfigSpace::Write(const Access& access, uint64_t value) {
  PciFunction* const function = Find(access.offset);
  if (function == nullptr) return;
  function->WriteConfig(static_cast<int>(access.offset & 0xff), access.size, value);
  bus_.MapBars();
  bus_.UpdateInterrupts();
}

template <typename Visitor, typename Self>
void PciBus::Walk(Visitor& visitor, Self& self) {
  visitor.Section("pci_config");
  visitor.Field("function", std::span(self.slots_));
}

void PciBus::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void PciBus::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  MapBars();
}

}  // namespace isochron::machine
