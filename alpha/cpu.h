// The state of one processor.

#ifndef ISOCHRON_ALPHA_CPU_H_
#define ISOCHRON_ALPHA_CPU_H_

#include <array>
#include <cstdint>

#include "alpha/ipr.h"
#include "alpha/state_visitor.h"
#include "alpha/tlb.h"

namespace isochron::alpha {

// Events in the life of a CPU, counted for people and logs. Part of the state.
struct CpuCounters {
  uint64_t itb_misses = 0;
  uint64_t dtb_misses = 0;  // single and double
  uint64_t exceptions = 0;  // PALcode entries other than misses, interrupts and CALL_PAL
  uint64_t interrupts = 0;
  uint64_t pal_calls = 0;
};

// Everything an EV67 remembers, and nothing an engine derives. The fields are plain data:
// the functions of alpha/ and the engines work on them.
struct Cpu {
  // Places in `r` beyond R0 to R31.
  static constexpr int kShadowBase = 32;   // R4 to R7, R20 to R23 of the PAL shadow bank
  static constexpr int kIntegerSink = 40;  // where engines put what is written to R31
  static constexpr int kFloatSink = 32;    // and to F31

  Cpu(uint32_t index, uint32_t itb_entries, uint32_t dtb_entries);

  // State after power-on or reset: everything zero but what the HRM gives a reset value;
  // PALmode at the reset entry of `pal_base`. The cycle and instruction counts go on.
  void Reset(uint64_t pal_base);

  // The cycle at which machine time ends: 243 years at 600 MHz. No count of cycles that is made
  // from one below it overflows.
  static constexpr uint64_t kEndOfTime = uint64_t{1} << 62;

  // See StateVisitor.
  void VisitState(StateVisitor& visitor) const;
  void RestoreState(StateReader& reader);

  bool pal_mode() const { return (pc & 1) != 0; }
  // Whether R4-R7 and R20-R23 name the shadow registers now.
  bool shadow_active() const { return pal_mode() && (i_ctl & i_ctl::kShadowEnable) != 0; }
  // The place in `r` of integer register `reg` (0 to 31). R31's place always holds zero.
  static constexpr int IntegerPlace(int reg, bool shadow) {
    if (!shadow) return reg;
    if (reg >= 4 && reg <= 7) return kShadowBase + reg - 4;
    if (reg >= 20 && reg <= 23) return kShadowBase + 4 + reg - 20;
    return reg;
  }

  // Requests that IER enables now, as ISUM shows them (HRM section 5.2.11).
  uint64_t PendingInterrupts() const;
  // Whether an interrupt must be taken at this boundary.
  bool InterruptDeliverable() const { return !pal_mode() && PendingInterrupts() != 0; }

  // What RPCC and HW_MFPR CC read: offset in <63:32>, counter in <31:0>.
  uint64_t CycleCounter() const;

  uint32_t index;  // number of the CPU, fixed

  std::array<uint64_t, 41> r{};
  std::array<uint64_t, 33> f{};
  uint64_t pc = 0;  // bit 0 set: PALmode
  uint64_t fpcr = 0;
  // Machine time. Each instruction adds its cost when it completes.
  uint64_t cycle = 0;
  uint64_t instructions = 0;  // retired

  bool lock_flag = false;
  uint64_t lock_address = 0;  // physical, aligned to kLockBlock
  bool rc_flag = false;       // the flag of RC and RS

  // External interrupt pins b_irq<5:0>, driven by the board.
  uint8_t irq_pins = 0;

  // Ibox.
  uint64_t itb_tag = 0;
  uint64_t exc_addr = 0;
  uint64_t exc_sum = 0;
  uint64_t iva = 0;  // the address that IVA_FORM formats: of the last ITB miss or IACV
  Mode mode = Mode::kKernel;
  uint64_t ier = 0;
  uint64_t sirr = 0;
  uint64_t internal_requests = 0;  // SL, CR and PC bits of ISUM
  uint64_t pal_base = 0;
  uint64_t i_ctl = 0;
  uint64_t i_stat = 0;
  uint64_t pctr_ctl = 0;  // SL0 and SL1; the counters are apart
  // The performance counters when what they count was `pctr_start`; see alpha/performance.h.
  std::array<uint32_t, 2> pctr_value{};
  std::array<uint64_t, 2> pctr_start{};
  uint8_t asn = 0;  // PCTX<ASN>: used by the ITB
  uint8_t aster = 0;
  uint8_t astrr = 0;
  bool fp_enable = false;
  bool ppc_enable = false;

  // Mbox.
  uint64_t dtb_tag = 0;
  uint8_t dtb_asn = 0;
  Mode alt_mode = Mode::kKernel;
  uint64_t mm_stat = 0;
  uint64_t m_ctl = 0;
  uint64_t dc_ctl = 0;
  uint64_t dc_stat = 0;

  // Cbox.
  uint64_t c_data = 0;
  uint64_t c_shft = 0;

  // Ebox.
  uint32_t cc_offset = 0;
  bool cc_enable = false;
  uint32_t cc_value = 0;  // the counter at `cc_start`
  uint64_t cc_start = 0;  // machine cycle
  uint64_t va = 0;
  uint64_t va_ctl = 0;

  Tlb itb;
  Tlb dtb;
  CpuCounters counters;

  // The block of memory that LDx_L locks, in bytes (HRM section 4.6: a cache block).
  static constexpr uint64_t kLockBlock = 64;

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);
};

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_CPU_H_
