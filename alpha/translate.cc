#include "alpha/translate.h"

namespace isochron::alpha {
namespace {

int64_t SignExtend(uint64_t value, int bits) {
  return static_cast<int64_t>(value << (64 - bits)) >> (64 - bits);
}

bool IsCanonical(uint64_t va, bool va_48) {
  return static_cast<uint64_t>(SignExtend(va, va_48 ? 48 : 43)) == va;
}

enum class Superpage : uint8_t { kNone, kMapped, kDenied };

// The three superpages (HRM table 5-10, I_CTL<SPE>); `spe` has bit n for SPE[n].
Superpage TranslateSuperpage(uint64_t va, uint64_t spe, Mode mode, uint64_t& pa) {
  if ((spe & 4) != 0 && (va >> 46 & 3) == 2) {
    pa = va & kPhysicalMask;
  } else if ((spe & 2) != 0 && InSuperpage1(va)) {
    pa = static_cast<uint64_t>(SignExtend(va, 41)) & kPhysicalMask;
  } else if ((spe & 1) != 0 && (va >> 30 & 0x3ffff) == 0x3fffe) {
    pa = va & ((uint64_t{1} << 30) - 1);
  } else {
    return Superpage::kNone;
  }
  return mode == Mode::kKernel ? Superpage::kMapped : Superpage::kDenied;
}

// M_CTL<SPE>.
uint64_t DataSuperpages(const Cpu& cpu) { return cpu.m_ctl >> 1 & 7; }

}  // namespace

Translation TranslateData(const Cpu& cpu, uint64_t va, DataAccess access, Mode mode) {
  if (!IsCanonical(va, (cpu.va_ctl & va_ctl::kVa48) != 0)) {
    return {TranslationStatus::kFault, 0, mm_stat::kAcv};
  }
  uint64_t pa = 0;
  switch (TranslateSuperpage(va, DataSuperpages(cpu), mode, pa)) {
    case Superpage::kMapped: return {TranslationStatus::kOk, pa, 0};
    case Superpage::kDenied: return {TranslationStatus::kFault, 0, mm_stat::kAcv};
    case Superpage::kNone: break;
  }
  const TlbEntry* entry = cpu.dtb.Find(va, cpu.dtb_asn);
  if (entry == nullptr) return {TranslationStatus::kMiss, 0, 0};

  const bool reads = access != DataAccess::kWrite;
  const bool writes = access != DataAccess::kRead;
  uint64_t fault = 0;
  if ((reads && !entry->CanRead(mode)) || (writes && !entry->CanWrite(mode))) {
    fault |= mm_stat::kAcv;
  }
  if (reads && (entry->permissions & pte::kFor) != 0) fault |= mm_stat::kFor;
  if (writes && (entry->permissions & pte::kFow) != 0) fault |= mm_stat::kFow;
  if (fault != 0) return {TranslationStatus::kFault, 0, fault};
  return {TranslationStatus::kOk, entry->base | (va & entry->offset_mask()), 0};
}

Translation TranslateFetch(const Cpu& cpu, uint64_t va) {
  if (!IsCanonical(va, (cpu.i_ctl & i_ctl::kVa48) != 0)) {
    return {TranslationStatus::kFault, 0, 0};
  }
  uint64_t pa = 0;
  switch (TranslateSuperpage(va, cpu.i_ctl >> i_ctl::kSpeShift & 7, cpu.mode, pa)) {
    case Superpage::kMapped: return {TranslationStatus::kOk, pa, 0};
    case Superpage::kDenied: return {TranslationStatus::kFault, 0, 0};
    case Superpage::kNone: break;
  }
  const TlbEntry* entry = cpu.itb.Find(va, cpu.asn);
  if (entry == nullptr) return {TranslationStatus::kMiss, 0, 0};
  if (!entry->CanRead(cpu.mode)) return {TranslationStatus::kFault, 0, 0};
  return {TranslationStatus::kOk, entry->base | (va & entry->offset_mask()), 0};
}

std::optional<uint64_t> SuperpageAddress(const Cpu& cpu, uint64_t va) {
  uint64_t pa = 0;
  if (!IsCanonical(va, (cpu.va_ctl & va_ctl::kVa48) != 0)) return std::nullopt;
  if (TranslateSuperpage(va, DataSuperpages(cpu), Mode::kKernel, pa) == Superpage::kNone) {
    return std::nullopt;
  }
  return pa;
}

uint64_t FormatVpte(uint64_t va, uint64_t vptb, bool va_48, bool form_32) {
  if (form_32) {
    return (vptb & ~((uint64_t{1} << 30) - 1)) | (va >> 13 & 0x7ffff) << 3;
  }
  if (va_48) {
    const uint64_t extended = static_cast<uint64_t>(SignExtend(va, 48));
    return (vptb & ~((uint64_t{1} << 43) - 1)) | (extended >> 10 & 0x7ff'ffff'fff8);
  }
  return (vptb & ~((uint64_t{1} << 33) - 1)) | (va >> 13 & 0x3fff'ffff) << 3;
}

}  // namespace isochron::alpha
