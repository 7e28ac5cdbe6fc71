#include "alpha/cpu.h"

#include <span>

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
  const uint32_t count = cc_enable ? cc_value + static_cast<uint32_t>(cycle - cc_start) : cc_value;
  return static_cast<uint64_t>(cc_offset) << 32 | count;
}

template <typename Visitor, typename Self>
void Cpu::Walk(Visitor& visitor, Self& self) {
  visitor.Section("cpu");
  visitor.Field("index", self.index);
  visitor.Field("r", std::span(self.r).first(kShadowBase));
  visitor.Field("shadow", std::span(self.r).subspan(kShadowBase, kIntegerSink - kShadowBase));
  visitor.Field("f", std::span(self.f).first(kFloatSink));
  visitor.Field("pc", self.pc);
  visitor.Field("fpcr", self.fpcr);
  visitor.Field("cycle", self.cycle);
  visitor.Field("instructions", self.instructions);
  visitor.Field("lock_flag", self.lock_flag);
  visitor.Field("lock_address", self.lock_address);
  visitor.Field("rc_flag", self.rc_flag);
  visitor.Field("irq_pins", self.irq_pins);
  visitor.Field("itb_tag", self.itb_tag);
  visitor.Field("exc_addr", self.exc_addr);
  visitor.Field("exc_sum", self.exc_sum);
  visitor.Field("iva", self.iva);
  visitor.Field("mode", self.mode);
  visitor.Field("ier", self.ier);
  visitor.Field("sirr", self.sirr);
  visitor.Field("internal_requests", self.internal_requests);
  visitor.Field("pal_base", self.pal_base);
  visitor.Field("i_ctl", self.i_ctl);
  visitor.Field("i_stat", self.i_stat);
  visitor.Field("pctr_ctl", self.pctr_ctl);
  visitor.Field("pctr_value", self.pctr_value);
  visitor.Field("pctr_start", self.pctr_start);
  visitor.Field("asn", self.asn);
  visitor.Field("aster", self.aster);
  visitor.Field("astrr", self.astrr);
  visitor.Field("fp_enable", self.fp_enable);
  visitor.Field("ppc_enable", self.ppc_enable);
  visitor.Field("dtb_tag", self.dtb_tag);
  visitor.Field("dtb_asn", self.dtb_asn);
  visitor.Field("alt_mode", self.alt_mode);
  visitor.Field("mm_stat", self.mm_stat);
  visitor.Field("m_ctl", self.m_ctl);
  visitor.Field("dc_ctl", self.dc_ctl);
  visitor.Field("dc_stat", self.dc_stat);
  visitor.Field("c_data", self.c_data);
  visitor.Field("c_shft", self.c_shft);
  visitor.Field("cc_offset", self.cc_offset);
  visitor.Field("cc_enable", self.cc_enable);
  visitor.Field("cc_value", self.cc_value);
  visitor.Field("cc_start", self.cc_start);
  visitor.Field("va", self.va);
  visitor.Field("va_ctl", self.va_ctl);
  visitor.Field("itb", self.itb);
  visitor.Field("dtb", self.dtb);
  visitor.Field("itb_misses", self.counters.itb_misses);
  visitor.Field("dtb_misses", self.counters.dtb_misses);
  visitor.Field("exceptions", self.counters.exceptions);
  visitor.Field("interrupts", self.counters.interrupts);
  visitor.Field("pal_calls", self.counters.pal_calls);
}

void Cpu::VisitState(StateVisitor& visitor) const { Walk(visitor, *this); }

void Cpu::RestoreState(StateReader& reader) {
  const uint32_t own_index = index;
  Walk(reader, *this);
  if (index != own_index) {
    reader.Fail("the state is another CPU's");
    index = own_index;
  }
  // Room for the cost of the instruction that reaches the end, and for every sum of cycles.
  if (cycle > 2 * kEndOfTime) {
    reader.Fail("the cycle counter is out of range");
    cycle = 0;
  }
  if (mode > Mode::kUser || alt_mode > Mode::kUser || r[31] != 0 || f[31] != 0 ||
      pal_base != (pal_base & kPalBaseMask) || (pctr_value[0] | pctr_value[1]) >> 20 != 0) {
    reader.Fail("a CPU register holds an impossible value");
    mode = alt_mode = Mode::kKernel;
    r[31] = f[31] = 0;
    pal_base = 0;
    pctr_value = {};
  }
}

}  // namespace isochron::alpha
