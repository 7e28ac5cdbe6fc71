// HW_MFPR and HW_MTPR.

#ifndef ISOCHRON_ALPHA_IPR_ACCESS_H_
#define ISOCHRON_ALPHA_IPR_ACCESS_H_

#include <cstdint>

#include "alpha/cpu.h"

namespace isochron::alpha {

// What a write changed that an engine may have derived something from.
enum class IprEffect : uint8_t {
  kNone,
  kDtbInsert,  // an entry was written; Tlb::replaced() is what it overwrote
  kDtbSingle,  // the entries for the address written are gone
  kDtb,        // several data translations are gone
  kItb,        // instruction translations are gone or mean something else
  kItbInsert,  // one has been added, by Tlb::Insert
  kItbSingle,  // those for the page of the value are gone
  kContext,    // mode, ASN, FP enable, I_CTL, M_CTL or VA_CTL
  kCounters,   // what a performance counter counts, or whether; perhaps what kContext says, too
  kIcFlush,    // the instruction cache is flushed (memory is coherent: nothing to do)
};

// Reads the IPR with this number, bits <15:8> of the instruction. For both, `cpu.cycle` and
// `cpu.instructions` are exact: what stood before the instruction. A number that names none,
// or a write-only register, reads as zero.
uint64_t ReadIpr(const Cpu& cpu, uint8_t number);

// Writes it. A number that names none, or a read-only register, ignores the write. Every
// write takes effect before the next instruction: there are no hazards to pad.
IprEffect WriteIpr(Cpu& cpu, uint8_t number, uint64_t value);

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_IPR_ACCESS_H_
