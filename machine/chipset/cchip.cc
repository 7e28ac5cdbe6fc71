#include "machine/chipset/cchip.h"

#include "machine/bus/csr.h"

namespace isochron::machine {
namespace {

// Registers by their number: offset / 64.
constexpr int kCsc = 0x00, kMtr = 0x01, kMisc = 0x02, kMpd = 0x03, kAar0 = 0x04, kAar3 = 0x07,
              kDim0 = 0x08, kDim1 = 0x09, kDir0 = 0x0a, kDir1 = 0x0b, kDrir = 0x0c, kPrben = 0x0d,
              kIic0 = 0x0e, kIic1 = 0x0f, kTtr = 0x16, kTdr = 0x17, kDim2 = 0x18, kDim3 = 0x19,
              kDir2 = 0x1a, kDir3 = 0x1b, kIic2 = 0x1c, kIic3 = 0x1d;

// CSC as firmware leaves it on an ES40 with eight Dchips, but for P1P: there is no Pchip 1.
constexpr uint64_t kCscPchip1Present = uint64_t{1} << 14;
constexpr uint64_t kCscReset = 0x3142444014157803 & ~kCscPchip1Present;
constexpr uint64_t kTtrReset = 0x3103;
constexpr uint64_t kTdrReset = 0xf37ff37ff37ff37f;

// MISC.
constexpr int kItintr = 4, kIpintr = 8, kIpreq = 12, kAbw = 16, kAbt = 20, kNxs = 29, kRev = 32;
constexpr uint64_t kCpuField = 15;  // one bit for each CPU
constexpr uint64_t kAcl = uint64_t{1} << 24;
constexpr uint64_t kNxm = uint64_t{1} << 28;
constexpr uint64_t kTyphoon = 8;

// DRIR and DIM: errors go to pin 0, devices to pin 1.
constexpr uint64_t kErrorBits = uint64_t{0x3f} << 58;
constexpr uint64_t kDeviceBits = (uint64_t{1} << 56) - 1;

// MPD: the wires of the I2C bus to the DIMMs. What is sent comes back; no DIMM answers.
constexpr uint64_t kMpdSend = 0x5, kMpdReceiveShift = 1;

// IIC: an interval count and an overflow bit.
constexpr uint32_t kIicCount = 0x00ffffff;
constexpr uint32_t kIicOverflow = 0x01000000;

constexpr int kMinArrayShift = 24;  // ASIZ 1 is 16 MiB
constexpr int kMaxArrayShift = 33;  // ASIZ 10 is 8 GiB
constexpr int kAsizShift = 12;

// The CPU that a per-CPU register belongs to, given CPU 0's, 1's, 2's and 3's; or -1.
int CpuOf(int index, int cpu0, int cpu1, int cpu2, int cpu3) {
  return index == cpu0 ? 0 : index == cpu1 ? 1 : index == cpu2 ? 2 : index == cpu3 ? 3 : -1;
}
int DimCpu(int index) { return CpuOf(index, kDim0, kDim1, kDim2, kDim3); }
int DirCpu(int index) { return CpuOf(index, kDir0, kDir1, kDir2, kDir3); }
int IicCpu(int index) { return CpuOf(index, kIic0, kIic1, kIic2, kIic3); }

}  // namespace

void Cchip::Reset() {
  csc_ = kCscReset;
  mtr_ = 0;
  misc_ = 0;
  mpd_ = kMpdSend;
  lines_ = 0;
  probe_enable_ = 0;
  ttr_ = kTtrReset;
  tdr_ = kTdrReset;
  masks_.fill(0);
  ignore_counts_.fill(0);
  timer_line_ = false;
  ConfigureArrays();
  UpdateOutputs();
}

void Cchip::ConfigureArrays() {
  // The largest powers of two first; what does not fit into four arrays is not described.
  uint64_t base = 0;
  for (uint64_t& array : arrays_) {
    array = 0;
    int shift = kMaxArrayShift;
    while (shift >= kMinArrayShift && (uint64_t{1} << shift) > memory_bytes_ - base) --shift;
    if (shift < kMinArrayShift) continue;
    array = base | static_cast<uint64_t>(shift - kMinArrayShift + 1) << kAsizShift;
    base += uint64_t{1} << shift;
  }
}

uint64_t Cchip::Read(const Access& access) {
  return CsrExtract(ReadRegister(access.cpu, CsrIndex(access.offset)), access.offset, access.size);
}

uint64_t Cchip::ReadRegister(int cpu, int index) const {
  if (index >= kAar0 && index <= kAar3) return arrays_[index - kAar0];
  if (const int owner = DimCpu(index); owner >= 0) return masks_[owner];
  if (const int owner = DirCpu(index); owner >= 0) return masks_[owner] & Requests();
  if (const int owner = IicCpu(index); owner >= 0) return ignore_counts_[owner];
  switch (index) {
    case kCsc: return csc_;
    case kMtr: return mtr_;
    case kMisc: return misc_ | kTyphoon << kRev | static_cast<uint64_t>(cpu);
    case kMpd: return mpd_ | mpd_ << kMpdReceiveShift;
    case kDrir: return Requests();
    case kPrben: return probe_enable_;
    case kTtr: return ttr_;
    case kTdr: return tdr_;
    default: return 0;  // write-only, reserved, or a performance counter, which stands still
  }
}

void Cchip::Write(const Access& access, uint64_t value) {
  const int index = CsrIndex(access.offset);
  value = CsrDeposit(value, access.offset, access.size);
  if (index >= kAar0 && index <= kAar3) {
    arrays_[index - kAar0] = value;
  } else if (const int masked = DimCpu(index); masked >= 0) {
    masks_[masked] = value;
  } else if (const int ignoring = IicCpu(index); ignoring >= 0) {
    ignore_counts_[ignoring] = value & kIicCount;
  } else {
    switch (index) {
      case kCsc: csc_ = value & ~kCscPchip1Present; break;
      case kMtr: mtr_ = value; break;
      case kMisc: WriteMisc(value); break;
      case kMpd: mpd_ = value & kMpdSend; break;
      case kPrben: probe_enable_ = value & 3; break;
      case kTtr: ttr_ = value; break;
      case kTdr: tdr_ = value; break;
      default: break;
    }
  }
  UpdateOutputs();
}

void Cchip::WriteMisc(uint64_t value) {
  const uint64_t present = (uint64_t{1} << cpu_count_) - 1;
  misc_ &= ~(value & (kCpuField << kItintr | kCpuField << kIpintr | kNxm));
  if ((value & kNxm) != 0) misc_ &= ~(uint64_t{7} << kNxs);
  misc_ |= (value >> kIpreq & present) << kIpintr;
  if ((value & kAcl) != 0) {
    misc_ &= ~(kCpuField << kAbw | kCpuField << kAbt);
  } else {
    misc_ |= value & kCpuField << kAbt;
    // The first to set an arbitration-won bit locks the others out.
    if ((misc_ & kCpuField << kAbw) == 0) misc_ |= value & kCpuField << kAbw;
  }
}

void Cchip::SetIrq(int line, bool asserted) {
  if (line == kIntervalTimer) {
    const bool rising = asserted && !timer_line_;
    timer_line_ = asserted;
    if (rising) OnIntervalTimer();
    return;
  }
  if (line < 0 || line > kIntervalTimer) return;
  const uint64_t bit = uint64_t{1} << line;
  lines_ = asserted ? lines_ | bit : lines_ & ~bit;
  UpdateOutputs();
}

void Cchip::OnIntervalTimer() {
  for (int cpu = 0; cpu < cpu_count_; ++cpu) {
    uint32_t& count = ignore_counts_[cpu];
    // Ticks are ignored until the count falls below zero; the overflow then stays.
    if ((count & kIicCount) == 0) count |= kIicOverflow;
    count = (count & kIicOverflow) | ((count - 1) & kIicCount);
    if ((count & kIicOverflow) != 0) misc_ |= uint64_t{1} << (kItintr + cpu);
  }
  UpdateOutputs();
}

void Cchip::ReportNonexistent(int source) {
  if ((misc_ & kNxm) == 0) misc_ |= kNxm | static_cast<uint64_t>(source & 7) << kNxs;
  UpdateOutputs();
}

uint64_t Cchip::Requests() const {
  const uint64_t internal = (misc_ & kNxm) != 0 ? uint64_t{1} << kInternalError : 0;
  return lines_ | internal;
}

void Cchip::UpdateOutputs() {
  for (int cpu = 0; cpu < cpu_count_; ++cpu) {
    const uint64_t requests = Requests() & masks_[cpu];
    const int first = cpu * kCpuPins;
    cpus_.SetIrq(first + kErrorPin, (requests & kErrorBits) != 0);
    cpus_.SetIrq(first + kDevicePin, (requests & kDeviceBits) != 0);
    cpus_.SetIrq(first + kTimerPin, (misc_ >> (kItintr + cpu) & 1) != 0);
    cpus_.SetIrq(first + kIpiPin, (misc_ >> (kIpintr + cpu) & 1) != 0);
  }
}

template <typename Visitor, typename Self>
void Cchip::Walk(Visitor& visitor, Self& self) {
  visitor.Section("cchip");
  visitor.Field("csc", self.csc_);
  visitor.Field("mtr", self.mtr_);
  visitor.Field("misc", self.misc_);
  visitor.Field("mpd", self.mpd_);
  visitor.Field("lines", self.lines_);
  visitor.Field("probe_enable", self.probe_enable_);
  visitor.Field("ttr", self.ttr_);
  visitor.Field("tdr", self.tdr_);
  visitor.Field("arrays", self.arrays_);
  visitor.Field("masks", self.masks_);
  visitor.Field("ignore_counts", self.ignore_counts_);
  visitor.Field("timer_line", self.timer_line_);
}

void Cchip::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void Cchip::RestoreState(alpha::StateReader& reader) { Walk(reader, *this); }

}  // namespace isochron::machine
