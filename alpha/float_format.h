// Floating-point data in registers and memory, and the instructions that only move bits.
//
// A floating-point register holds F, G, S and T values in one 64-bit shape: sign <63>, exponent
// <62:52>, fraction <51:0>. A longword integer lies in <63:62> and <58:29> (Handbook 2.2, 4.7.1).

#ifndef ISOCHRON_ALPHA_FLOAT_FORMAT_H_
#define ISOCHRON_ALPHA_FLOAT_FORMAT_H_

#include <cstdint>

#include "alpha/fpcr.h"

namespace isochron::alpha {

inline constexpr uint64_t kSignBit = uint64_t{1} << 63;
inline constexpr int kFractionBits = 52;
inline constexpr uint64_t kFractionMask = (uint64_t{1} << kFractionBits) - 1;
inline constexpr uint64_t kExponentMask = uint64_t{0x7FF} << kFractionBits;

// What a compare writes for true: 2.0 in T_floating, 0.5 in G_floating.
inline constexpr uint64_t kCompareTrue = 0x4000'0000'0000'0000;

// The exponent of a VAX single in a register, from the 8 bits in memory (MAP_F, table 2-1).
constexpr uint64_t MapF(uint32_t exponent) {
  if (exponent == 0) return 0;
  return exponent + (1024 - 128);
}

// The exponent of an IEEE single in a register, from the 8 bits in memory (MAP_S, table 2-2).
constexpr uint64_t MapS(uint32_t exponent) {
  if (exponent == 0) return 0;
  if (exponent == 0xFF) return 0x7FF;
  return exponent + (1023 - 127);
}

// A longword with its halves exchanged: VAX memory order and back.
constexpr uint32_t SwapWords(uint32_t longword) { return longword << 16 | longword >> 16; }

// ITOFS, ITOFF, ITOFT: the register image of an integer register (Handbook 4.10). ITOFF takes
// the fields in IEEE order, not in the word order of VAX memory.
constexpr uint64_t Itofs(uint64_t ra) {
  return (ra & 0x8000'0000) << 32 | MapS((ra >> 23) & 0xFF) << kFractionBits |
         (ra & 0x7F'FFFF) << 29;
}
constexpr uint64_t Itoff(uint64_t ra) {
  return (ra & 0x8000'0000) << 32 | MapF((ra >> 23) & 0xFF) << kFractionBits |
         (ra & 0x7F'FFFF) << 29;
}
constexpr uint64_t Itoft(uint64_t ra) { return ra; }

// FTOIS, FTOIT: the integer image of a floating-point register; FTOIS sign-extends.
constexpr uint64_t Ftois(uint64_t fa) {
  const uint32_t longword = ((fa >> 32) & 0xC000'0000) | ((fa >> 29) & 0x3FFF'FFFF);
  return static_cast<uint64_t>(int64_t{static_cast<int32_t>(longword)});
}
constexpr uint64_t Ftoit(uint64_t fa) { return fa; }

// LDS, LDF, LDG: memory image to register. LDT and STT move all bits as they are.
constexpr uint64_t LoadS(uint32_t memory) { return Itofs(memory); }
constexpr uint64_t LoadF(uint32_t memory) { return Itoff(SwapWords(memory)); }
constexpr uint64_t LoadG(uint64_t memory) {
  return uint64_t{SwapWords(static_cast<uint32_t>(memory))} << 32 |
         SwapWords(static_cast<uint32_t>(memory >> 32));
}

// STS, STF, STG: register to memory image, without any check of the register.
constexpr uint32_t StoreS(uint64_t fa) { return static_cast<uint32_t>(Ftois(fa)); }
constexpr uint32_t StoreF(uint64_t fa) { return SwapWords(StoreS(fa)); }
constexpr uint64_t StoreG(uint64_t fa) { return LoadG(fa); }

// The conditions of FBxx and FCMOVxx on a register; minus zero equals zero.
constexpr bool Fbeq(uint64_t fa) { return (fa & ~kSignBit) == 0; }
constexpr bool Fbne(uint64_t fa) { return !Fbeq(fa); }
constexpr bool Fblt(uint64_t fa) { return fa > kSignBit; }
constexpr bool Fbge(uint64_t fa) { return !Fblt(fa); }
constexpr bool Fble(uint64_t fa) { return fa >= kSignBit || fa == 0; }
constexpr bool Fbgt(uint64_t fa) { return !Fble(fa); }

// The operates of opcode 17 (Handbook 4.10.1, 4.10.2), with the signature that all
// floating-point operates share. CPYSx and CVTLQ raise nothing and ignore `q` and `fpcr`.
FpResult Cpys(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cpysn(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cpyse(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cvtlq(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);

// CVTQL. A quadword that does not fit a longword sets FPCR IOV and INE and traps under /V;
// FPCR cannot disable that trap. The value is the low 32 bits.
FpResult Cvtql(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_FLOAT_FORMAT_H_
