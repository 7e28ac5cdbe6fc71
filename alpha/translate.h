// Virtual addresses: what the Mbox and the Ibox do with one.

#ifndef ISOCHRON_ALPHA_TRANSLATE_H_
#define ISOCHRON_ALPHA_TRANSLATE_H_

#include <cstdint>
#include <optional>

#include "alpha/cpu.h"

namespace isochron::alpha {

enum class TranslationStatus : uint8_t {
  kOk,
  kMiss,   // no TLB entry
  kFault,  // access violation, fault on read or write, or not a canonical address
};

struct Translation {
  TranslationStatus status = TranslationStatus::kOk;
  uint64_t pa = 0;       // kOk
  uint64_t mm_stat = 0;  // kFault, data: ACV, FOR and FOW bits
};

// What a data reference asks for.
enum class DataAccess : uint8_t {
  kRead,
  kWrite,
  kReadWriteCheck,  // HW_LD with write check: must be allowed to read and to write
};

// Whether an address is in the superpage that SPE[1] enables (HRM table 5-10): the one of kernels.
constexpr bool InSuperpage1(uint64_t va) { return (va >> 41 & 0x7f) == 0x7e; }

// Translates a data reference made in `mode`: superpages (M_CTL<SPE>), then the DTB.
Translation TranslateData(const Cpu& cpu, uint64_t va, DataAccess access, Mode mode);

// Translates an instruction fetch outside PALmode: superpages (I_CTL<SPE>), then the ITB.
// kFault means IACV.
Translation TranslateFetch(const Cpu& cpu, uint64_t va);

// Where one of the superpages that M_CTL<SPE> enables has a data address for kernel mode; nothing
// when it is in none of them.
std::optional<uint64_t> SuperpageAddress(const Cpu& cpu, uint64_t va);

// The address of the page table entry for `va` as VA_FORM and IVA_FORM give it (HRM sections
// 5.1.5 and 5.2.8).
uint64_t FormatVpte(uint64_t va, uint64_t vptb, bool va_48, bool form_32);

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_TRANSLATE_H_
