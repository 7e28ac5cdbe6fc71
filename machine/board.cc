#include "machine/board.h"

#include "alpha/cost.h"
#include "alpha/cpu.h"
#include "machine/devices/i8254.h"
#include "machine/devices/mc146818.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {
namespace {

using alpha::CostClass;
using alpha::IoResult;

// With PA<43> set the system sees PA<34:0>.
constexpr uint64_t kIoSpace = uint64_t{1} << 43;
constexpr uint64_t kSystemAddress = (uint64_t{1} << 35) - 1;

// Where in I/O space something is, and what an access costs.
enum class Region : uint8_t {
  kPciMemory,
  kTigBus,
  kPlatform,
  kPchip,
  kCchip,
  kDchip,
  kInterruptAcknowledge,
  kPciIo,
  kPciConfig,
  kNone,
};

struct RegionRow {
  Region region;
  uint64_t first;
  uint64_t size;
  CostClass cost;
};

// 21272 HRM, system address map; Pchip 0 only. What is missing is reserved or Pchip 1, which
// this board does not have.
constexpr RegionRow kRegions[] = {
    {Region::kPciMemory, 0x0'0000'0000, 0x1'0000'0000, CostClass::kIoMemoryMapped},
    {Region::kTigBus, 0x1'0000'0000, 0x4000'0000, CostClass::kIoMemoryMapped},
    {Region::kPlatform, FW_PLATFORM_PA& kSystemAddress, 0x2000, CostClass::kChipsetCsr},
    {Region::kPchip, 0x1'8000'0000, 0x1000'0000, CostClass::kChipsetCsr},
    {Region::kCchip, 0x1'a000'0000, 0x1000'0000, CostClass::kChipsetCsr},
    {Region::kDchip, 0x1'b000'0000, 0x1000'0000, CostClass::kChipsetCsr},
    {Region::kInterruptAcknowledge, 0x1'f800'0000, 0x400'0000, CostClass::kIsaPort},
    {Region::kPciIo, 0x1'fc00'0000, 0x200'0000, CostClass::kIsaPort},
    {Region::kPciConfig, 0x1'fe00'0000, 0x100'0000, CostClass::kPciConfig},
};
constexpr RegionRow kNowhere{Region::kNone, 0, 0, CostClass::kChipsetCsr};

const RegionRow& FindRegion(uint64_t address) {
  for (const RegionRow& row : kRegions) {
    if (address - row.first < row.size) return row;
  }
  return kNowhere;
}

uint64_t AllOnes(int size) { return size == 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * size)) - 1; }

// ISA interrupt requests of a PC.
constexpr int kTimerIrq = 0;
constexpr int kUart1Irq = 3;
constexpr int kUart0Irq = 4;

constexpr int kIsaBridgeDevice = 7;  // IdSel 7 on a Clipper

}  // namespace

Board::Board(const BoardOptions& options, const alpha::Memory& memory, EventQueue& events,
             ConsoleSink* console, IrqSink& cpu_interrupts)
    : events_(events) {
  // The order is that of VisitState. A device that drives another comes after it.
  cchip_ =
      Add<Cchip>("cchip", DeviceId::kCchip, {}, options.cpu_count, memory.size(), cpu_interrupts);
  dchip_ = Add<Dchip>("dchip", DeviceId::kCount, {});
  pchip_ = Add<Pchip>("pchip0", DeviceId::kPchip0, {}, IrqLine{cchip_, Cchip::kPchip0Error});
  pci_config_ = Add<PciConfig>("pci0", DeviceId::kCount, {});
  pci_config_->Add(kIsaBridgeDevice, 0, MakeIsaBridge());
  pics_ = Add<PicPair>("pics", DeviceId::kPics, {{0x20, 2, 0}, {0xa0, 2, 2}, {0x4d0, 2, 4}},
                       IrqLine{cchip_, Cchip::kIsaInterrupt});
  Add<Pit>("pit", DeviceId::kPit, {{0x40, 4, 0}, {0x61, 1, 4}}, events, IsaIrq(kTimerIrq));
  Add<Rtc>("rtc", DeviceId::kRtc, {{0x70, 2, 0}}, events, IrqLine{cchip_, Cchip::kIntervalTimer},
           options.rtc_base_seconds);
  uarts_[0] =
      Add<Uart>("uart0", DeviceId::kUart0, {{0x3f8, 8, 0}}, 0, events, console, IsaIrq(kUart0Irq));
  uarts_[1] =
      Add<Uart>("uart1", DeviceId::kUart1, {{0x2f8, 8, 0}}, 1, events, console, IsaIrq(kUart1Irq));
  platform_ = Add<PlatformDevice>("platform", DeviceId::kPlatform, {}, events, options.seed);
}

void Board::Reset() {
  for (Owned& owned : devices_) owned.device->Reset();
}

IoResult Board::Nonexistent(const alpha::Cpu& cpu, bool is_read) {
  cchip_->ReportNonexistent(static_cast<int>(cpu.index));
  return {
      .data = 0, .cycles = alpha::InstructionCost(CostClass::kChipsetCsr), .nonexistent = is_read};
}

IoResult Board::Read(alpha::Cpu& cpu, uint64_t pa, int size) {
  events_.SetNow(cpu.cycle);
  if ((pa & kIoSpace) == 0) return Nonexistent(cpu, true);
  const uint64_t address = pa & kSystemAddress;
  const RegionRow& row = FindRegion(address);
  const uint64_t offset = address - row.first;
  uint64_t data = 0;
  switch (row.region) {
    case Region::kPciMemory:
    case Region::kTigBus: data = AllOnes(size); break;
    case Region::kPlatform: data = platform_->Read(offset, size); break;
    case Region::kPchip: data = pchip_->Read(offset, size); break;
    case Region::kCchip: data = cchip_->ReadAs(static_cast<int>(cpu.index), offset, size); break;
    case Region::kDchip: data = dchip_->Read(offset, size); break;
    case Region::kInterruptAcknowledge: data = static_cast<uint64_t>(pics_->Acknowledge()); break;
    case Region::kPciIo: data = isa_.Read(static_cast<uint32_t>(offset), size); break;
    case Region::kPciConfig: data = pci_config_->Read(offset, size); break;
    case Region::kNone: return Nonexistent(cpu, true);
  }
  return {.data = data, .cycles = alpha::InstructionCost(row.cost)};
}

IoResult Board::Write(alpha::Cpu& cpu, uint64_t pa, int size, uint64_t data) {
  events_.SetNow(cpu.cycle);
  if ((pa & kIoSpace) == 0) return Nonexistent(cpu, false);
  const uint64_t address = pa & kSystemAddress;
  const RegionRow& row = FindRegion(address);
  const uint64_t offset = address - row.first;
  switch (row.region) {
    case Region::kPciMemory:
    case Region::kTigBus:
    case Region::kInterruptAcknowledge:  // a special cycle, which nobody listens to
      break;
    case Region::kPlatform: platform_->Write(offset, size, data); break;
    case Region::kPchip: pchip_->Write(offset, size, data); break;
    case Region::kCchip: cchip_->Write(offset, size, data); break;
    case Region::kDchip: dchip_->Write(offset, size, data); break;
    case Region::kPciIo: isa_.Write(static_cast<uint32_t>(offset), size, data); break;
    case Region::kPciConfig: pci_config_->Write(offset, size, data); break;
    case Region::kNone: return Nonexistent(cpu, false);
  }
  return {.cycles = alpha::InstructionCost(row.cost)};
}

void Board::FlushUarts() {
  for (Uart* uart : uarts_) uart->Flush();
}

bool Board::OnEvent(EventSlot slot) {
  for (Owned& owned : devices_) {
    if (owned.id != slot.device) continue;
    owned.device->OnEvent(slot.kind);
    return true;
  }
  return false;
}

template <typename Visitor, typename Self>
void Board::Walk(Visitor& visitor, Self& self) {
  visitor.Section("board");
  for (auto& owned : self.devices_) visitor.Component(owned.name, *owned.device);
}

void Board::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }
void Board::RestoreState(alpha::StateReader& reader) { Walk(reader, *this); }

}  // namespace isochron::machine
