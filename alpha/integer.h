// Golden semantics of the integer operate instructions: pure functions of the operands Rav and
// Rbv, named for the instruction and in the order of the Alpha Architecture Handbook, sections
// 4.4 (arithmetic), 4.5 (logical and shift) and 4.6 (byte manipulation).

#ifndef ISOCHRON_ALPHA_INTEGER_H_
#define ISOCHRON_ALPHA_INTEGER_H_

#include <bit>
#include <cstdint>

namespace isochron::alpha {

constexpr uint64_t SignExtendLongword(uint64_t value) {
  return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(value)));
}

// A result and whether the /V form of the instruction traps. The result is written either way.
struct OverflowResult {
  uint64_t value;
  bool overflow;
};

// 4.4 Integer arithmetic.
constexpr uint64_t Addl(uint64_t a, uint64_t b) { return SignExtendLongword(a + b); }
constexpr uint64_t S4addl(uint64_t a, uint64_t b) { return SignExtendLongword(a * 4 + b); }
constexpr uint64_t S8addl(uint64_t a, uint64_t b) { return SignExtendLongword(a * 8 + b); }
constexpr uint64_t Addq(uint64_t a, uint64_t b) { return a + b; }
constexpr uint64_t S4addq(uint64_t a, uint64_t b) { return a * 4 + b; }
constexpr uint64_t S8addq(uint64_t a, uint64_t b) { return a * 8 + b; }
constexpr uint64_t Subl(uint64_t a, uint64_t b) { return SignExtendLongword(a - b); }
constexpr uint64_t S4subl(uint64_t a, uint64_t b) { return SignExtendLongword(a * 4 - b); }
constexpr uint64_t S8subl(uint64_t a, uint64_t b) { return SignExtendLongword(a * 8 - b); }
constexpr uint64_t Subq(uint64_t a, uint64_t b) { return a - b; }
constexpr uint64_t S4subq(uint64_t a, uint64_t b) { return a * 4 - b; }
constexpr uint64_t S8subq(uint64_t a, uint64_t b) { return a * 8 - b; }
constexpr uint64_t Mull(uint64_t a, uint64_t b) { return SignExtendLongword(a * b); }
constexpr uint64_t Mulq(uint64_t a, uint64_t b) { return a * b; }
constexpr uint64_t Umulh(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b >> 64);
}

constexpr OverflowResult AddlV(uint64_t a, uint64_t b) {
  const int64_t sum = int64_t{static_cast<int32_t>(a)} + static_cast<int32_t>(b);
  return {Addl(a, b), sum != static_cast<int32_t>(sum)};
}
constexpr OverflowResult SublV(uint64_t a, uint64_t b) {
  const int64_t difference = int64_t{static_cast<int32_t>(a)} - static_cast<int32_t>(b);
  return {Subl(a, b), difference != static_cast<int32_t>(difference)};
}
constexpr OverflowResult MullV(uint64_t a, uint64_t b) {
  const int64_t product = int64_t{static_cast<int32_t>(a)} * static_cast<int32_t>(b);
  return {Mull(a, b), product != static_cast<int32_t>(product)};
}
constexpr OverflowResult AddqV(uint64_t a, uint64_t b) {
  int64_t sum = 0;
  const bool overflow =
      __builtin_add_overflow(static_cast<int64_t>(a), static_cast<int64_t>(b), &sum);
  return {Addq(a, b), overflow};
}
constexpr OverflowResult SubqV(uint64_t a, uint64_t b) {
  int64_t difference = 0;
  const bool overflow =
      __builtin_sub_overflow(static_cast<int64_t>(a), static_cast<int64_t>(b), &difference);
  return {Subq(a, b), overflow};
}
constexpr OverflowResult MulqV(uint64_t a, uint64_t b) {
  int64_t product = 0;
  const bool overflow =
      __builtin_mul_overflow(static_cast<int64_t>(a), static_cast<int64_t>(b), &product);
  return {Mulq(a, b), overflow};
}

constexpr uint64_t Cmpeq(uint64_t a, uint64_t b) { return a == b; }
constexpr uint64_t Cmplt(uint64_t a, uint64_t b) {
  return static_cast<int64_t>(a) < static_cast<int64_t>(b);
}
constexpr uint64_t Cmple(uint64_t a, uint64_t b) {
  return static_cast<int64_t>(a) <= static_cast<int64_t>(b);
}
constexpr uint64_t Cmpult(uint64_t a, uint64_t b) { return a < b; }
constexpr uint64_t Cmpule(uint64_t a, uint64_t b) { return a <= b; }

constexpr uint64_t Ctlz(uint64_t, uint64_t b) { return std::countl_zero(b); }
constexpr uint64_t Ctpop(uint64_t, uint64_t b) { return std::popcount(b); }
constexpr uint64_t Cttz(uint64_t, uint64_t b) { return std::countr_zero(b); }

// Conditions of branches and conditional moves, on Rav.
constexpr bool IsLowBitClear(uint64_t a) { return (a & 1) == 0; }
constexpr bool IsLowBitSet(uint64_t a) { return (a & 1) != 0; }
constexpr bool IsEqual(uint64_t a) { return a == 0; }
constexpr bool IsNotEqual(uint64_t a) { return a != 0; }
constexpr bool IsLess(uint64_t a) { return static_cast<int64_t>(a) < 0; }
constexpr bool IsLessOrEqual(uint64_t a) { return static_cast<int64_t>(a) <= 0; }
constexpr bool IsGreater(uint64_t a) { return static_cast<int64_t>(a) > 0; }
constexpr bool IsGreaterOrEqual(uint64_t a) { return static_cast<int64_t>(a) >= 0; }

// 4.5 Logical and shift.
constexpr uint64_t And(uint64_t a, uint64_t b) { return a & b; }
constexpr uint64_t Bis(uint64_t a, uint64_t b) { return a | b; }
constexpr uint64_t Xor(uint64_t a, uint64_t b) { return a ^ b; }
constexpr uint64_t Bic(uint64_t a, uint64_t b) { return a & ~b; }
constexpr uint64_t Ornot(uint64_t a, uint64_t b) { return a | ~b; }
constexpr uint64_t Eqv(uint64_t a, uint64_t b) { return a ^ ~b; }
constexpr uint64_t Sll(uint64_t a, uint64_t b) { return a << (b & 63); }
constexpr uint64_t Srl(uint64_t a, uint64_t b) { return a >> (b & 63); }
constexpr uint64_t Sra(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>(static_cast<int64_t>(a) >> (b & 63));
}

// AMASK clears the bits of the extensions that an EV67 has: BWX (0), FIX (1), CIX (2), MVI (8)
// and precise arithmetic traps (9) (4.11 and appendix D).
inline constexpr uint64_t kAmaskFeatures = 0x307;
constexpr uint64_t Amask(uint64_t, uint64_t b) { return b & ~kAmaskFeatures; }
// IMPLVER: 2 is the 21264 family.
constexpr uint64_t Implver(uint64_t, uint64_t) { return 2; }

// 4.6 Byte manipulation, little-endian addressing.

// The quadword whose byte n is 0xff where bit n of `mask` is set: multiplying places a copy of the
// eight bits in each byte, the AND keeps a different one in each, and the rest widens it.
constexpr uint64_t ByteMask(uint64_t mask) {
  const uint64_t spread = (mask & 0xff) * 0x0101'0101'0101'0101 & 0x8040'2010'0804'0201;
  const uint64_t high = ((spread + 0x7f7f'7f7f'7f7f'7f7f) | spread) & 0x8080'8080'8080'8080;
  return (high >> 7) * 0xff;
}

constexpr uint64_t Zap(uint64_t a, uint64_t b) { return a & ~ByteMask(b); }
constexpr uint64_t Zapnot(uint64_t a, uint64_t b) { return a & ByteMask(b); }

constexpr uint64_t Cmpbge(uint64_t a, uint64_t b) {
  uint64_t result = 0;
  for (int i = 0; i < 8; ++i) {
    result |= uint64_t{(a >> 8 * i & 0xff) >= (b >> 8 * i & 0xff)} << i;
  }
  return result;
}

// Datatypes by their byte mask: byte 0x01, word 0x03, longword 0x0f, quadword 0xff.
template <uint64_t kType>
constexpr uint64_t ExtractLow(uint64_t a, uint64_t b) {
  return a >> 8 * (b & 7) & ByteMask(kType);
}
template <uint64_t kType>
constexpr uint64_t ExtractHigh(uint64_t a, uint64_t b) {
  return a << ((64 - 8 * (b & 7)) & 63) & ByteMask(kType);
}
template <uint64_t kType>
constexpr uint64_t InsertLow(uint64_t a, uint64_t b) {
  return a << 8 * (b & 7) & ByteMask(kType << (b & 7));
}
template <uint64_t kType>
constexpr uint64_t InsertHigh(uint64_t a, uint64_t b) {
  return a >> ((64 - 8 * (b & 7)) & 63) & ByteMask(kType << (b & 7) >> 8);
}
template <uint64_t kType>
constexpr uint64_t MaskLow(uint64_t a, uint64_t b) {
  return a & ~ByteMask(kType << (b & 7));
}
template <uint64_t kType>
constexpr uint64_t MaskHigh(uint64_t a, uint64_t b) {
  return a & ~ByteMask(kType << (b & 7) >> 8);
}

constexpr uint64_t Extbl(uint64_t a, uint64_t b) { return ExtractLow<0x01>(a, b); }
constexpr uint64_t Extwl(uint64_t a, uint64_t b) { return ExtractLow<0x03>(a, b); }
constexpr uint64_t Extll(uint64_t a, uint64_t b) { return ExtractLow<0x0f>(a, b); }
constexpr uint64_t Extql(uint64_t a, uint64_t b) { return ExtractLow<0xff>(a, b); }
constexpr uint64_t Extwh(uint64_t a, uint64_t b) { return ExtractHigh<0x03>(a, b); }
constexpr uint64_t Extlh(uint64_t a, uint64_t b) { return ExtractHigh<0x0f>(a, b); }
constexpr uint64_t Extqh(uint64_t a, uint64_t b) { return ExtractHigh<0xff>(a, b); }
constexpr uint64_t Insbl(uint64_t a, uint64_t b) { return InsertLow<0x01>(a, b); }
constexpr uint64_t Inswl(uint64_t a, uint64_t b) { return InsertLow<0x03>(a, b); }
constexpr uint64_t Insll(uint64_t a, uint64_t b) { return InsertLow<0x0f>(a, b); }
constexpr uint64_t Insql(uint64_t a, uint64_t b) { return InsertLow<0xff>(a, b); }
constexpr uint64_t Inswh(uint64_t a, uint64_t b) { return InsertHigh<0x03>(a, b); }
constexpr uint64_t Inslh(uint64_t a, uint64_t b) { return InsertHigh<0x0f>(a, b); }
constexpr uint64_t Insqh(uint64_t a, uint64_t b) { return InsertHigh<0xff>(a, b); }
constexpr uint64_t Mskbl(uint64_t a, uint64_t b) { return MaskLow<0x01>(a, b); }
constexpr uint64_t Mskwl(uint64_t a, uint64_t b) { return MaskLow<0x03>(a, b); }
constexpr uint64_t Mskll(uint64_t a, uint64_t b) { return MaskLow<0x0f>(a, b); }
constexpr uint64_t Mskql(uint64_t a, uint64_t b) { return MaskLow<0xff>(a, b); }
constexpr uint64_t Mskwh(uint64_t a, uint64_t b) { return MaskHigh<0x03>(a, b); }
constexpr uint64_t Msklh(uint64_t a, uint64_t b) { return MaskHigh<0x0f>(a, b); }
constexpr uint64_t Mskqh(uint64_t a, uint64_t b) { return MaskHigh<0xff>(a, b); }

constexpr uint64_t Sextb(uint64_t, uint64_t b) {
  return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(b)));
}
constexpr uint64_t Sextw(uint64_t, uint64_t b) {
  return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int16_t>(b)));
}

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_INTEGER_H_
