#include "machine/board.h"

#include "absl/strings/str_cat.h"
#include "alpha/cpu.h"
#include "machine/chipset/dchip.h"
#include "machine/chipset/pchip.h"
#include "machine/devices/i8254.h"
#include "machine/devices/ide/ali_ide.h"
#include "machine/devices/isa_bridge.h"
#include "machine/devices/mc146818.h"
#include "machine/devices/tulip/tulip.h"
#include "machine/devices/uart16550.h"
#include "machine/devices/virtio/virtio_blk.h"
#include "machine/devices/virtio/virtio_net.h"
#include "machine/devices/virtio/virtio_rng.h"
#include "machine/disks/disk_timing.h"
#include "machine/events/planted_breaks.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {
namespace {

using alpha::CostClass;
using alpha::IoResult;

// With PA<43> set the system sees PA<34:0>.
constexpr uint64_t kIoSpace = uint64_t{1} << 43;
constexpr uint64_t kSystemAddress = (uint64_t{1} << 35) - 1;

// ISA interrupt requests of a PC.
constexpr int kTimerIrq = 0;
constexpr int kUart1Irq = 3;
constexpr int kUart0Irq = 4;

constexpr int kIdeIrq = 14;  // of the first of two channels

constexpr int kIsaBridgeSlot = 7;  // IdSel 7 on a Clipper
// Virtio devices. A disk is a function of the one slot, by its number; four pins are shared by
// eight.
constexpr int kEntropySlot = 2;
constexpr int kNetworkSlot = 3;  // of whatever model
constexpr int kPins = 4;
constexpr const char* kVirtioDisks[MachineConfig::kMaxDisks] = {
    "virtio_disk0", "virtio_disk1", "virtio_disk2", "virtio_disk3",
    "virtio_disk4", "virtio_disk5", "virtio_disk6", "virtio_disk7"};

// The bits of DRIR to which a Clipper wires INTA to INTD of slots 1 to 6 of Pchip 0 (Linux 6.1,
// sys_dp264.c, clipper_map_irq).
int ClipperInterrupt(int slot, int pin) {
  constexpr int kFirstSlot = 1, kLastSlot = 6, kFirstBit = 8;
  if (slot < kFirstSlot || slot > kLastSlot) return -1;
  return kFirstBit + kPins * (slot - kFirstSlot) + pin;
}

}  // namespace

Board::Board(const BoardOptions& options, alpha::Memory& memory, EventQueue& events,
             ConsoleSink* console, IrqSink& cpu_interrupts)
    : events_(events) {
  // A device that drives another comes after it.
  AddChipset(options, memory, cpu_interrupts);
  AddIsaDevices(options, console);
  platform_ = &Add<PlatformDevice>("platform", events, options.cpu_count, options.seed);
  MapSystem(FW_PLATFORM_PA & kSystemAddress, 0x2000, *platform_, CostClass::kChipsetCsr);
  AddVirtioDevices(options);
  AddIde(options.disks);
  AddNetwork(options);
  if (options.console_device) AddConsoleDevice(options, memory);
}

// 21272 HRM, system address map; Pchip 0 only. What is missing is reserved or Pchip 1, which this
// board does not have.
void Board::AddChipset(const BoardOptions& options, alpha::Memory& memory,
                       IrqSink& cpu_interrupts) {
  cchip_ = &Add<Cchip>("cchip", options.cpu_count, memory.size(), cpu_interrupts);
  Dchip& dchip = Add<Dchip>("dchip");
  Pchip& pchip = Add<Pchip>("pchip0", IrqLine{cchip_, Cchip::kPchip0Error}, memory, *cchip_);
  pci_ = &Add<PciBus>("pci0", pchip, isa_, *cchip_, &ClipperInterrupt);
  // What is used most is looked at first.
  MapSystem(0x1'fc00'0000, 0x200'0000, pci_->io(), CostClass::kIsaPort);
  MapSystem(0x0'0000'0000, 0x1'0000'0000, pci_->memory(), CostClass::kIoMemoryMapped);
  MapSystem(0x1'0000'0000, 0x4000'0000, tig_bus_, CostClass::kIoMemoryMapped);
  MapSystem(0x1'8000'0000, 0x1000'0000, pchip, CostClass::kChipsetCsr);
  MapSystem(0x1'a000'0000, 0x1000'0000, *cchip_, CostClass::kChipsetCsr);
  MapSystem(0x1'b000'0000, 0x1000'0000, dchip, CostClass::kChipsetCsr);
  MapSystem(0x1'f800'0000, 0x400'0000, acknowledge_cycles_, CostClass::kIsaPort);
  MapSystem(0x1'fe00'0000, 0x100'0000, pci_->config(), CostClass::kPciConfig);
}

void Board::AddIsaDevices(const BoardOptions& options, ConsoleSink* console) {
  // Cchip, Pchip and 8259s have the first numbers in the order of events, and no events.
  for (int source = 0; source < 3; ++source) events_.Add(nullptr);
  AddPci<IsaBridge>("isa_bridge", kIsaBridgeSlot, 0);
  pics_ = &AddIsa<PicPair>("pics", {{0x20, 2, 0}, {0xa0, 2, 2}, {0x4d0, 2, 4}},
                           IrqLine{cchip_, Cchip::kIsaInterrupt});
  acknowledge_cycles_.pics = pics_;
  AddIsa<Pit>("pit", {{0x40, 4, 0}, {0x61, 1, 4}}, events_, IsaIrq(kTimerIrq));
  AddIsa<Rtc>("rtc", {{0x70, 2, 0}}, events_, IrqLine{cchip_, Cchip::kIntervalTimer},
              options.rtc_base_seconds);
  Uart& uart0 = AddIsa<Uart>("uart0", {{0x3f8, 8, 0}}, 0, events_, console, IsaIrq(kUart0Irq));
  Uart& uart1 = AddIsa<Uart>("uart1", {{0x2f8, 8, 0}}, 1, events_, console, IsaIrq(kUart1Irq));
  Connect(Port::Uart(0), uart0);
  Connect(Port::Uart(1), uart1);
}

void Board::AddVirtioDevices(const BoardOptions& options) {
  int number = 0;
  for (const AttachedDisk& disk : options.disks) {
    if (disk.interface != DiskConfig::Interface::kVirtio) continue;
    AddPci<VirtioBlk>(kVirtioDisks[number], kVirtioDiskSlot, number, events_, *disk.disk,
                      kSolidStateDisk, absl::StrCat("isochron-", number), 1 + number % kPins);
    ++number;
  }
  if (options.entropy_device) {
    AddPci<VirtioRng>("virtio_rng", kEntropySlot, 0, events_, options.seed);
  }
}

void Board::AddIde(const std::vector<AttachedDisk>& disks) {
  AliIde* ide = nullptr;
  int drives = 0;
  for (const AttachedDisk& disk : disks) {
    if (disk.interface == DiskConfig::Interface::kVirtio) continue;
    if (ide == nullptr) {
      ide = &AddPci<AliIde>("ide", kIdeSlot, 0, events_, IsaIrq(kIdeIrq), IsaIrq(kIdeIrq + 1));
    }
    ide->Attach(drives++, *disk.disk, disk.interface == DiskConfig::Interface::kCdRom);
  }
}

void Board::AddNetwork(const BoardOptions& options) {
  if (!options.network.has_value()) return;
  const NetworkConfig& network = *options.network;
  switch (network.model) {
    case NetworkConfig::Model::kVirtio:
      Connect(Port::Network(), AddPci<VirtioNet>("virtio_net", kNetworkSlot, 0, events_,
                                                 options.frames, network.mac));
      break;
    case NetworkConfig::Model::kTulip:
      Connect(Port::Network(),
              AddPci<Tulip>("tulip", kNetworkSlot, 0, events_, options.frames, network.mac));
      break;
  }
}

void Board::AddConsoleDevice(const BoardOptions& options, alpha::Memory& memory) {
  std::vector<ConsoleDevice::Unit> units;
  for (const AttachedDisk& disk : options.disks) {
    const bool is_cdrom = disk.interface == DiskConfig::Interface::kCdRom;
    units.push_back({disk.disk, is_cdrom ? &kCdRom : &kSolidStateDisk});
  }
  console_device_ =
      &Add<ConsoleDevice>("console", events_, memory, std::move(units), options.nvram);
  MapSystem(FW_CONSOLE_DEVICE_PA & kSystemAddress, 0x2000, *console_device_,
            CostClass::kChipsetCsr);
}

void Board::MapSystem(uint64_t first, uint64_t size, BusTarget& target, CostClass cost) {
  system_.Map({.first = first,
               .size = size,
               .target = &target,
               .cycles = static_cast<uint32_t>(alpha::InstructionCost(cost))});
}

void Board::Reset() {
  for (Owned& owned : devices_) owned.device->Reset();
}

IoResult Board::Nonexistent(const alpha::Cpu& cpu, bool is_read) {
  cchip_->ReportNonexistent(static_cast<int>(cpu.index));
  return {
      .data = 0, .cycles = alpha::InstructionCost(CostClass::kChipsetCsr), .nonexistent = is_read};
}

const MappedRange* Board::Find(uint64_t pa) const {
  return (pa & kIoSpace) != 0 ? system_.Find(pa & kSystemAddress) : nullptr;
}

void Board::AdvanceTo(const alpha::Cpu& cpu) {
  if (Planted(Break::kTimeGoesBack)) return events_.SetNow(cpu.cycle);
  events_.AdvanceTo(cpu.cycle);
}

IoResult Board::Read(alpha::Cpu& cpu, uint64_t pa, int size) {
  AdvanceTo(cpu);
  const MappedRange* const range = Find(pa);
  if (range == nullptr) return Nonexistent(cpu, true);
  const Access access{pa & kSystemAddress, size, static_cast<int>(cpu.index)};
  return {.data = range->target->Read(range->Inside(access)), .cycles = range->cycles};
}

IoResult Board::Write(alpha::Cpu& cpu, uint64_t pa, int size, uint64_t data) {
  AdvanceTo(cpu);
  const MappedRange* const range = Find(pa);
  if (range == nullptr) return Nonexistent(cpu, false);
  const Access access{pa & kSystemAddress, size, static_cast<int>(cpu.index)};
  range->target->Write(range->Inside(access), data);
  return {.cycles = range->cycles};
}

void Board::Flush() {
  for (Owned& owned : devices_) owned.device->Flush();
}

InputLine* Board::input(const Port& port) const {
  for (const Input& input : inputs_) {
    if (input.port == port) return input.line;
  }
  return nullptr;
}

size_t Board::Waiting(const Port& port) const {
  const InputLine* const line = input(port);
  return line != nullptr ? line->waiting() : 0;
}

template <typename Visitor, typename Self>
void Board::Walk(Visitor& visitor, Self& self) {
  visitor.Section("board");
  for (auto& owned : self.devices_) visitor.Component(owned.name, *owned.device);
}

void Board::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }
void Board::RestoreState(alpha::StateReader& reader) { Walk(reader, *this); }

}  // namespace isochron::machine
