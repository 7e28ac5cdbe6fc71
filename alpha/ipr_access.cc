#include "alpha/ipr_access.h"

#include "alpha/performance.h"
#include "alpha/translate.h"

namespace isochron::alpha {
namespace {

constexpr uint64_t kVa48Bits = (uint64_t{1} << 48) - 1;

uint64_t SignExtend48(uint64_t va) {
  return static_cast<uint64_t>(static_cast<int64_t>(va << 16) >> 16);
}

// The address that a value written to a TAG or IS register stands for: its VA<47:13>.
uint64_t TagAddress(uint64_t value) { return SignExtend48(value) & ~uint64_t{0x1fff}; }

uint64_t ReadPctx(const Cpu& cpu) {
  return static_cast<uint64_t>(cpu.asn) << pctx::kAsnShift |
         static_cast<uint64_t>(cpu.astrr) << pctx::kAstrrShift |
         static_cast<uint64_t>(cpu.aster) << pctx::kAsterShift | (cpu.fp_enable ? pctx::kFpe : 0) |
         (cpu.ppc_enable ? pctx::kPpce : 0);
}

// The low five bits of the number say which fields are written (HRM section 5.2.21).
IprEffect WritePctx(Cpu& cpu, uint8_t number, uint64_t value) {
  if ((number & 0x01) != 0) cpu.asn = static_cast<uint8_t>(value >> pctx::kAsnShift);
  if ((number & 0x02) != 0) cpu.aster = value >> pctx::kAsterShift & 0xf;
  if ((number & 0x04) != 0) cpu.astrr = value >> pctx::kAstrrShift & 0xf;
  const bool ppc_enable = (number & 0x08) != 0 ? (value & pctx::kPpce) != 0 : cpu.ppc_enable;
  const bool switched = ppc_enable != cpu.ppc_enable;
  if (switched) HoldPerformanceCounters(cpu);
  cpu.ppc_enable = ppc_enable;
  if ((number & 0x10) != 0) cpu.fp_enable = (value & pctx::kFpe) != 0;
  return switched ? IprEffect::kCounters : IprEffect::kContext;
}

void InsertItb(Cpu& cpu, uint64_t value) {
  TlbEntry entry;
  entry.tag = TagAddress(cpu.itb_tag);
  entry.base = value & kPhysicalMask & ~uint64_t{0x1fff};
  entry.permissions = static_cast<uint16_t>(value & 0x0f00);
  entry.asn = cpu.asn;
  entry.granularity = value >> pte::kGhShift & 3;
  entry.match_all = (value & pte::kAsm) != 0;
  cpu.itb.Insert(entry);
}

void InsertDtb(Cpu& cpu, uint64_t value) {
  TlbEntry entry;
  entry.tag = TagAddress(cpu.dtb_tag);
  entry.base = (value >> 32) << 13 & kPhysicalMask;
  entry.permissions = static_cast<uint16_t>(value & (0xff00 | pte::kFor | pte::kFow));
  entry.asn = cpu.dtb_asn;
  entry.granularity = value >> pte::kGhShift & 3;
  entry.match_all = (value & pte::kAsm) != 0;
  cpu.dtb.Insert(entry);
}

void WriteCycleCounterControl(Cpu& cpu, uint64_t value) {
  cpu.cc_enable = (value >> 32 & 1) != 0;
  cpu.cc_value = static_cast<uint32_t>(value) & ~uint32_t{0xf};
  cpu.cc_start = cpu.cycle;
}

}  // namespace

uint64_t ReadIpr(const Cpu& cpu, uint8_t number) {
  if ((number & 0xc0) == static_cast<uint8_t>(Ipr::kPctx)) return ReadPctx(cpu);
  const uint64_t mode_bits = static_cast<uint64_t>(cpu.mode) << 3;
  switch (static_cast<Ipr>(number)) {
    case Ipr::kExcAddr: return cpu.exc_addr;
    case Ipr::kIvaForm:
      return FormatVpte(cpu.iva, SignExtend48(cpu.i_ctl & i_ctl::kVptbMask),
                        (cpu.i_ctl & i_ctl::kVa48) != 0, (cpu.i_ctl & i_ctl::kVaForm32) != 0);
    case Ipr::kCm: return mode_bits;
    case Ipr::kIer: return cpu.ier;
    case Ipr::kIerCm: return cpu.ier | mode_bits;
    case Ipr::kSirr: return cpu.sirr;
    case Ipr::kIsum: return cpu.PendingInterrupts();
    case Ipr::kExcSum: return cpu.exc_sum;
    case Ipr::kPalBase: return cpu.pal_base;
    case Ipr::kICtl: return cpu.i_ctl;
    case Ipr::kIStat: return cpu.i_stat;
    case Ipr::kPctrCtl: return ReadPerformanceCounters(cpu);
    case Ipr::kMmStat: return cpu.mm_stat;
    case Ipr::kDcStat: return cpu.dc_stat;
    case Ipr::kCData: return cpu.c_data;
    case Ipr::kCc: return cpu.CycleCounter();
    case Ipr::kVa: return cpu.va;
    case Ipr::kVaForm:
      return FormatVpte(cpu.va, cpu.va_ctl & va_ctl::kVptbMask, (cpu.va_ctl & va_ctl::kVa48) != 0,
                        (cpu.va_ctl & va_ctl::kVaForm32) != 0);
    default: return 0;
  }
}

IprEffect WriteIpr(Cpu& cpu, uint8_t number, uint64_t value) {
  if ((number & 0xc0) == static_cast<uint8_t>(Ipr::kPctx)) return WritePctx(cpu, number, value);
  switch (static_cast<Ipr>(number)) {
    // Ibox.
    case Ipr::kItbTag: cpu.itb_tag = value; return IprEffect::kNone;
    case Ipr::kItbPte: InsertItb(cpu, value); return IprEffect::kItbInsert;
    case Ipr::kItbIap: cpu.itb.InvalidateProcess(); return IprEffect::kItb;
    case Ipr::kItbIa: cpu.itb.InvalidateAll(); return IprEffect::kItb;
    case Ipr::kItbIs:
      cpu.itb.InvalidateSingle(TagAddress(value), cpu.asn);
      return IprEffect::kItbSingle;
    case Ipr::kCm: cpu.mode = static_cast<Mode>(value >> 3 & 3); return IprEffect::kContext;
    case Ipr::kIer: cpu.ier = value & interrupt::kEnableMask; return IprEffect::kNone;
    case Ipr::kIerCm:
      cpu.ier = value & interrupt::kEnableMask;
      cpu.mode = static_cast<Mode>(value >> 3 & 3);
      return IprEffect::kContext;
    case Ipr::kSirr: cpu.sirr = value & interrupt::kSoftwareMask; return IprEffect::kNone;
    case Ipr::kHwIntClr: cpu.internal_requests &= ~value; return IprEffect::kNone;
    case Ipr::kPalBase: cpu.pal_base = value & kPalBaseMask; return IprEffect::kNone;
    case Ipr::kICtl: {
      constexpr uint64_t kReadOnly = uint64_t{0x3f} << i_ctl::kChipIdShift;
      HoldPerformanceCounters(cpu);
      cpu.i_ctl = (value & ~kReadOnly & kVa48Bits) | (cpu.i_ctl & kReadOnly);
      return IprEffect::kContext;
    }
    case Ipr::kIcFlushAsm:
    case Ipr::kIcFlush: return IprEffect::kIcFlush;
    case Ipr::kPctrCtl: WritePerformanceCounters(cpu, value); return IprEffect::kCounters;
    case Ipr::kIStat: cpu.i_stat &= ~value; return IprEffect::kNone;
    // Mbox. The chip has a DTB for each of two pipes that must be written alike; here there
    // is one, and what is written for the second pipe is ignored.
    case Ipr::kDtbTag0: cpu.dtb_tag = value; return IprEffect::kNone;
    case Ipr::kDtbPte0: InsertDtb(cpu, value); return IprEffect::kDtbInsert;
    case Ipr::kDtbIs0:
      cpu.dtb.InvalidateSingle(TagAddress(value), cpu.dtb_asn);
      return IprEffect::kDtbSingle;
    case Ipr::kDtbAsn0: cpu.dtb_asn = static_cast<uint8_t>(value >> 56); return IprEffect::kContext;
    case Ipr::kDtbAltMode: cpu.alt_mode = static_cast<Mode>(value & 3); return IprEffect::kNone;
    case Ipr::kDtbIap: cpu.dtb.InvalidateProcess(); return IprEffect::kDtb;
    case Ipr::kDtbIa: cpu.dtb.InvalidateAll(); return IprEffect::kDtb;
    case Ipr::kMCtl: cpu.m_ctl = value & 0x3e; return IprEffect::kContext;
    case Ipr::kDcCtl: cpu.dc_ctl = value & 0xff; return IprEffect::kNone;
    case Ipr::kDcStat: cpu.dc_stat &= ~value; return IprEffect::kNone;
    // Cbox: a shift register for error state, which never holds any here.
    case Ipr::kCData: cpu.c_data = value & 0x3f; return IprEffect::kNone;
    case Ipr::kCShft: cpu.c_shft = value & 1; return IprEffect::kNone;
    // Ebox.
    case Ipr::kCc: cpu.cc_offset = static_cast<uint32_t>(value >> 32); return IprEffect::kNone;
    case Ipr::kCcCtl: WriteCycleCounterControl(cpu, value); return IprEffect::kNone;
    case Ipr::kVaCtl: cpu.va_ctl = value; return IprEffect::kContext;
    default: return IprEffect::kNone;
  }
}

}  // namespace isochron::alpha
