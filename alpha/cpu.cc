#include "alpha/cpu.h"

namespace isochron::alpha {
namespace {

// I_CTL<CHIP_ID>: EV67 pass 2 (HRM section 5.2.15).
constexpr uint64_t kChipId = 0x13;

}  // namespace

Cpu::Cpu(uint32_t index, uint32_t itb_entries, uint32_t dtb_entries)
    : index(index), itb(itb_entries), dtb(dtb_entries) {}

void Cpu::Reset(uint64_t new_pal_base) {
  Cpu fresh(index, itb.size(), dtb.size());
  fresh.cycle = cycle;
  fresh.instructions = instructions;
  fresh.counters = counters;
  fresh.cc_start = cycle;
  fresh.cc_enable = true;
  fresh.pal_base = new_pal_base;
  fresh.i_ctl = kChipId << i_ctl::kChipIdShift;
  fresh.fp_enable = true;
  fresh.pc = (new_pal_base + static_cast<uint64_t>(PalEntry::kReset)) | 1;
  *this = std::move(fresh);
}

uint64_t Cpu::PendingInterrupts() const {
  uint64_t pending = static_cast<uint64_t>(irq_pins) << interrupt::kExternalShift;
  pending |= sirr | internal_requests;
  pending &= ier;
  if ((ier & interrupt::kAstEnable) != 0) {
    // An AST for mode m is requested while the processor runs in m or a less privileged mode.
    const int enabled = astrr & aster & ((2 << static_cast<int>(mode)) - 1);
    if ((enabled & 1) != 0) pending |= uint64_t{1} << 3;   // ASTK
    if ((enabled & 2) != 0) pending |= uint64_t{1} << 4;   // ASTE
    if ((enabled & 4) != 0) pending |= uint64_t{1} << 9;   // ASTS
    if ((enabled & 8) != 0) pending |= uint64_t{1} << 10;  // ASTU
  }
  return pending;
}

uint64_t Cpu::CycleCounter() const {
  const uint32_t count =
      cc_enable ? cc_value + static_cast<uint32_t>(cycle - cc_start) : cc_value;
  return static_cast<uint64_t>(cc_offset) << 32 | count;
}

void Cpu::VisitState(StateVisitor& visitor) {
  visitor.Section("cpu");
  visitor.Field(index);
  for (int i = 0; i < kIntegerSink; ++i) visitor.Field(r[i]);
  for (int i = 0; i < kFloatSink; ++i) visitor.Field(f[i]);
  visitor.Field(pc, fpcr, cycle, instructions, lock_flag, lock_address, rc_flag, irq_pins);
  visitor.Field(itb_tag, exc_addr, exc_sum, iva, mode, ier, sirr, internal_requests, pal_base,
                i_ctl, i_stat, pctr_ctl, pctr_value, pctr_start, asn, aster, astrr, fp_enable,
                ppc_enable);
  visitor.Field(dtb_tag, dtb_asn, alt_mode, mm_stat, m_ctl, dc_ctl, dc_stat);
  visitor.Field(c_data, c_shft);
  visitor.Field(cc_offset, cc_enable, cc_value, cc_start, va, va_ctl);
  visitor.Field(itb);
  visitor.Field(dtb);
  visitor.Field(counters.itb_misses, counters.dtb_misses, counters.exceptions,
                counters.interrupts, counters.pal_calls);
  if (!visitor.restoring()) return;
  // Room for the cost of the instruction that reaches the end, and for every sum of cycles.
  if (cycle > 2 * kEndOfTime) {
    visitor.Fail("the cycle counter is out of range");
    cycle = 0;
  }
  if (mode > Mode::kUser || alt_mode > Mode::kUser || r[31] != 0 || f[31] != 0 ||
      pal_base != (pal_base & kPalBaseMask) || (pctr_value[0] | pctr_value[1]) >> 20 != 0) {
    visitor.Fail("a CPU register holds an impossible value");
    mode = alt_mode = Mode::kKernel;
    r[31] = f[31] = 0;
    pal_base = 0;
    pctr_value = {};
  }
}

}  // namespace isochron::alpha
