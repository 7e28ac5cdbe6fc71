#include "machine/chipset/pchip.h"

#include <algorithm>
#include <cstring>

#include "machine/bus/csr.h"
#include "machine/events/planted_breaks.h"

namespace isochron::machine {
namespace {

// Registers by their number: offset / 64.
constexpr int kWsba0 = 0x00, kWsm0 = 0x04, kTba0 = 0x08, kPctl = 0x0c, kPlat = 0x0d, kPerror = 0x0f,
              kPerrmask = 0x10, kPerrset = 0x11, kPmonctl = 0x14;

constexpr uint64_t kWsbaWritable = 0xfff00007;                          // ADDR, PTP, SG, ENA
constexpr uint64_t kWsba3Writable = kWsbaWritable | uint64_t{1} << 39;  // DAC
constexpr uint64_t kWsba3ScatterGather = 0x2;                           // window 3 has no other way
constexpr uint64_t kWsmWritable = 0xfff00000;
constexpr uint64_t kTbaWritable = 0x7fffffc00;

// The DMA windows as SRM leaves them (NetBSD, tsp_dma_init): 8 MiB at 8 MiB by scatter-gather, for
// ISA, and 1 GiB at 2 GiB to physical 0. The first one's table is at physical 0, where firmware has
// zeros: invalid entries.
constexpr uint64_t kWindow0 = 0x00800003, kWindow0Mask = 0x00700000;
constexpr uint64_t kWindow1 = 0x80000001, kWindow1Mask = 0x3ff00000;

// As firmware leaves it: the arbiter on, ECC checked, revision 1, Pchip number 0.
constexpr uint64_t kPctlReset = 0x0000104401440081;
// All but reserved bits, REV <31:24>, PCLKX <41:40>, RPP <45> and PID <47:46>.
constexpr uint64_t kPctlWritable = 0x00001cff00fcffff;
constexpr uint64_t kPlatWritable = 0xff00;
constexpr uint64_t kPerrorBits = 0xfff;

// WSBA.
constexpr uint64_t kEnable = 1, kScatterGather = 2, kDoubleAddress = uint64_t{1} << 39;
constexpr uint64_t kWindowBase = 0xfff00000;
constexpr uint64_t kMegabyteMask = 0xfffff;  // the least of a window
constexpr int kLastWindow = 3;
// PCTL.
constexpr uint64_t kHole = 0x20, kMonsterWindow = 0x40;
constexpr uint64_t kHoleFirst = 0x80000, kHoleSize = 0x80000;
// Double address cycles: those with address bit 40 alone above <39:0> are for the monster window,
// those with bit 39 alone above <31:0> for window 3.
constexpr int kMonsterShift = 40, kDoubleWindowShift = 32;
constexpr uint64_t kMonsterSelect = 1, kDoubleWindowSelect = 0x80;
constexpr uint64_t kMonsterAddress = 0x7ffffffff;
// Entries of scatter-gather maps: PTE<0> says valid, PTE<22:1> are PA<34:13>.
constexpr uint64_t kValid = 1, kEntryPage = 0x7ffffe;
constexpr int kEntryPageShift = 12;
constexpr int kEntryShift = alpha::kPageShift - 3;  // from an offset to that of its entry
// PERROR: LOST, SGE, the address of single cycles <31:2> at <47:18>, the PCI command at <55:52>.
constexpr uint64_t kLost = 0x1, kInvalidEntry = 0x10;
constexpr int kErrorAddressShift = 16, kErrorCommandShift = 52;
constexpr uint64_t kMemoryRead = 6, kMemoryWrite = 7;

}  // namespace

void Pchip::Reset() {
  wsba_ = {kWindow0, kWindow1, 0, kWsba3ScatterGather};
  wsm_ = {kWindow0Mask, kWindow1Mask, 0, 0};
  tba_.fill(0);
  pctl_ = kPctlReset;
  plat_ = perror_ = perrmask_ = pmonctl_ = 0;
  UpdateOutput();
}

uint64_t Pchip::Read(const Access& access) {
  return CsrExtract(ReadRegister(CsrIndex(access.offset)), access.offset, access.size);
}

uint64_t Pchip::ReadRegister(int index) const {
  if (index >= kWsba0 && index < kWsba0 + kWindows) return wsba_[index - kWsba0];
  if (index >= kWsm0 && index < kWsm0 + kWindows) return wsm_[index - kWsm0];
  if (index >= kTba0 && index < kTba0 + kWindows) return tba_[index - kTba0];
  switch (index) {
    case kPctl: return pctl_;
    case kPlat: return plat_;
    case kPerror: return perror_;
    case kPerrmask: return perrmask_;
    case kPmonctl: return pmonctl_;
    default: return 0;  // write-only, reserved, or PMONCNT: the counters stand still
  }
}

void Pchip::Write(const Access& access, uint64_t value) {
  const int index = CsrIndex(access.offset);
  value = CsrDeposit(value, access.offset, access.size);
  if (index >= kWsba0 && index < kWsba0 + kWindows) {
    const bool last = index == kWsba0 + kWindows - 1;
    wsba_[index - kWsba0] =
        last ? (value & kWsba3Writable) | kWsba3ScatterGather : value & kWsbaWritable;
  } else if (index >= kWsm0 && index < kWsm0 + kWindows) {
    wsm_[index - kWsm0] = value & kWsmWritable;
  } else if (index >= kTba0 && index < kTba0 + kWindows) {
    tba_[index - kTba0] = value & kTbaWritable;
  } else if (index == kPctl) {
    pctl_ = (pctl_ & ~kPctlWritable) | (value & kPctlWritable);
  } else if (index == kPlat) {
    plat_ = value & kPlatWritable;
  } else if (index == kPerror) {
    perror_ &= ~(value & kPerrorBits);
    if ((perror_ & kPerrorBits) == 0) perror_ = 0;  // syndrome and address go with the last
  } else if (index == kPerrmask) {
    perrmask_ = value & kPerrorBits;
  } else if (index == kPerrset) {
    perror_ = value | (perror_ & kPerrorBits);
  } else if (index == kPmonctl) {
    pmonctl_ = value;
  }
  UpdateOutput();
}

Pchip::Translation Pchip::Translate(uint64_t address, bool write) {
  if (address >> 32 == 0) {
    if ((pctl_ & kHole) != 0 && address - kHoleFirst < kHoleSize) return {};
    for (int window = 0; window < kWindows; ++window) {
      if ((wsba_[window] & kEnable) == 0 || (wsba_[window] & kDoubleAddress) != 0) continue;
      const uint64_t compared = kWindowBase & ~wsm_[window];
      if (((address ^ wsba_[window]) & compared) == 0) {
        return ThroughWindow(window, address, write);
      }
    }
    return {};
  }
  if (address >> kMonsterShift == kMonsterSelect) {
    if ((pctl_ & kMonsterWindow) == 0) return {};
    return {DmaResult::kOk, address & kMonsterAddress};
  }
  const uint64_t last = wsba_[kLastWindow];
  if (address >> kDoubleWindowShift != kDoubleWindowSelect || (last & kEnable) == 0 ||
      (last & kDoubleAddress) == 0) {
    return {};
  }
  return ThroughMap(kLastWindow, 0xffffffff, address, write);
}

Pchip::Translation Pchip::ThroughWindow(int window, uint64_t address, bool write) {
  const uint64_t mask = wsm_[window] | kMegabyteMask;
  if ((wsba_[window] & kScatterGather) == 0) {
    return {DmaResult::kOk, (tba_[window] & ~mask) | (address & mask)};
  }
  return ThroughMap(window, mask, address, write);
}

Pchip::Translation Pchip::ThroughMap(int window, uint64_t mask, uint64_t address, bool write) {
  // HRM, table 10-6: the larger the window, the more of the table's base is taken by the offset.
  const uint64_t table = tba_[window] & ~(mask >> kEntryShift);
  const uint64_t entry_pa = table | (address & mask) >> alpha::kPageShift << 3;
  if (!memory_.Contains(entry_pa, sizeof(uint64_t))) {
    cchip_.ReportNonexistent(Cchip::kPchip0);
    return {DmaResult::kTargetAbort};
  }
  const auto entry = memory_.Load<uint64_t>(entry_pa);
  if ((entry & kValid) == 0) {
    ReportInvalidEntry(address, write);
    return {DmaResult::kTargetAbort};
  }
  return {DmaResult::kOk, (entry & kEntryPage) << kEntryPageShift | (address & alpha::kPageMask)};
}

void Pchip::ReportInvalidEntry(uint64_t address, bool write) {
  if ((perror_ & kPerrorBits) != 0) {
    perror_ |= kLost;  // the first error stays
  } else {
    const uint64_t kind = address >> 32 == 0 ? 0 : 1;  // <17:16>: 1 is window 3 by DAC
    perror_ = kInvalidEntry | ((address & 0xfffffffc) | kind) << kErrorAddressShift |
              (write ? kMemoryWrite : kMemoryRead) << kErrorCommandShift;
  }
  UpdateOutput();
}

template <typename Transfer>
DmaResult Pchip::ForEachPiece(uint64_t address, uint64_t size, bool write, Transfer transfer) {
  for (uint64_t done = 0; done < size;) {
    const uint64_t from = address + done;
    const uint64_t part = std::min(size - done, alpha::kPageSize - (from & alpha::kPageMask));
    const Translation translation = Translate(from, write);
    if (translation.result != DmaResult::kOk) return translation.result;
    if (!memory_.Contains(translation.pa, part)) {
      cchip_.ReportNonexistent(Cchip::kPchip0);
      return DmaResult::kTargetAbort;
    }
    transfer(translation.pa, done, part);
    done += part;
  }
  return DmaResult::kOk;
}

DmaResult Pchip::ReadMemory(uint64_t address, void* data, uint64_t size) {
  return ForEachPiece(address, size, false, [&](uint64_t pa, uint64_t offset, uint64_t part) {
    std::memcpy(static_cast<uint8_t*>(data) + offset, memory_.host(pa), part);
  });
}

DmaResult Pchip::WriteMemory(uint64_t address, const void* data, uint64_t size) {
  return ForEachPiece(address, size, true, [&](uint64_t pa, uint64_t offset, uint64_t part) {
    const uint8_t* const from = static_cast<const uint8_t*>(data) + offset;
    if (Planted(Break::kDmaIntoCodeUnseen) || Planted(Break::kDmaLeavesPagesClean)) {
      if (!Planted(Break::kDmaLeavesPagesClean)) memory_.WillWrite(pa, part);
      std::memcpy(memory_.host(pa), from, part);
      return;
    }
    memory_.Write(pa, from, part);
  });
}

template <typename Visitor, typename Self>
void Pchip::Walk(Visitor& visitor, Self& self) {
  visitor.Section("pchip");
  visitor.Field("wsba", self.wsba_);
  visitor.Field("wsm", self.wsm_);
  visitor.Field("tba", self.tba_);
  visitor.Field("pctl", self.pctl_);
  visitor.Field("plat", self.plat_);
  visitor.Field("perror", self.perror_);
  visitor.Field("perrmask", self.perrmask_);
  visitor.Field("pmonctl", self.pmonctl_);
}

void Pchip::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void Pchip::RestoreState(alpha::StateReader& reader) { Walk(reader, *this); }

}  // namespace isochron::machine
