#include "machine/chipset/pchip.h"

#include "machine/bus/csr.h"

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
constexpr uint64_t kErrorBits = 0xfff;

}  // namespace

void Pchip::Reset() {
  wsba_ = {kWindow0, kWindow1, 0, kWsba3ScatterGather};
  wsm_ = {kWindow0Mask, kWindow1Mask, 0, 0};
  tba_.fill(0);
  pctl_ = kPctlReset;
  plat_ = perror_ = perrmask_ = pmonctl_ = 0;
  UpdateOutput();
}

uint64_t Pchip::Read(uint64_t offset, int size) {
  return CsrExtract(ReadRegister(CsrIndex(offset)), offset, size);
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

void Pchip::Write(uint64_t offset, int size, uint64_t value) {
  const int index = CsrIndex(offset);
  value = CsrDeposit(value, offset, size);
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
    perror_ &= ~(value & kErrorBits);
    if ((perror_ & kErrorBits) == 0) perror_ = 0;  // syndrome and address go with the last
  } else if (index == kPerrmask) {
    perrmask_ = value & kErrorBits;
  } else if (index == kPerrset) {
    perror_ = value | (perror_ & kErrorBits);
  } else if (index == kPmonctl) {
    pmonctl_ = value;
  }
  UpdateOutput();
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
