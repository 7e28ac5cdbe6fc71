// The floating-point control register, the qualifiers of floating-point operates and what such
// an instruction reports. Handbook: Alpha Architecture Handbook, version 4; HRM: 21264/EV67
// Hardware Reference Manual.

#ifndef ISOCHRON_ALPHA_FPCR_H_
#define ISOCHRON_ALPHA_FPCR_H_

#include <cstdint>

namespace isochron::alpha {

// Bits of the FPCR (Handbook 4.7.8, HRM table 2-14).
namespace fpcr {

inline constexpr uint64_t kDenormalToZero = uint64_t{1} << 48;       // DNZ
inline constexpr uint64_t kInvalidDisable = uint64_t{1} << 49;       // INVD
inline constexpr uint64_t kDivideByZeroDisable = uint64_t{1} << 50;  // DZED
inline constexpr uint64_t kOverflowDisable = uint64_t{1} << 51;      // OVFD
inline constexpr uint64_t kInvalid = uint64_t{1} << 52;              // INV
inline constexpr uint64_t kDivideByZero = uint64_t{1} << 53;         // DZE
inline constexpr uint64_t kOverflow = uint64_t{1} << 54;             // OVF
inline constexpr uint64_t kUnderflow = uint64_t{1} << 55;            // UNF
inline constexpr uint64_t kInexact = uint64_t{1} << 56;              // INE
inline constexpr uint64_t kIntegerOverflow = uint64_t{1} << 57;      // IOV
inline constexpr int kDynamicRoundingShift = 58;                     // DYN, two bits
inline constexpr uint64_t kUnderflowToZero = uint64_t{1} << 60;      // UNDZ
inline constexpr uint64_t kUnderflowDisable = uint64_t{1} << 61;     // UNFD
inline constexpr uint64_t kInexactDisable = uint64_t{1} << 62;       // INED
inline constexpr uint64_t kSummary = uint64_t{1} << 63;              // SUM

inline constexpr uint64_t kStatusMask = uint64_t{0x3F} << 52;

// The bits that exist. DNOD, bit 47 of the architecture, does not on the 21264.
inline constexpr uint64_t kImplementedMask = uint64_t{0xFFFF} << 48;

// What the FPCR holds after MT_FPCR of `value`: unimplemented bits read as zero, and SUM is
// the OR of the status bits whatever was written to it.
constexpr uint64_t Written(uint64_t value) {
  value &= kImplementedMask & ~kSummary;
  return (value & kStatusMask) != 0 ? value | kSummary : value;
}

}  // namespace fpcr

// Causes of an arithmetic trap, at their places in EXC_SUM (HRM table 5-9) and in the exception
// summary that PALcode hands to the operating system.
namespace fp_exception {

inline constexpr uint32_t kSoftwareCompletion = 1 << 0;  // SWC: all causes came with /S
inline constexpr uint32_t kInvalid = 1 << 1;             // INV
inline constexpr uint32_t kDivideByZero = 1 << 2;        // DZE
inline constexpr uint32_t kOverflow = 1 << 3;            // FOV
inline constexpr uint32_t kUnderflow = 1 << 4;           // UNF
inline constexpr uint32_t kInexact = 1 << 5;             // INE
inline constexpr uint32_t kIntegerOverflow = 1 << 6;     // IOV

// The FPCR status bits, SUM included, that record `causes`. SWC has none.
constexpr uint64_t FpcrStatus(uint32_t causes) {
  const uint64_t status = uint64_t{causes & ~kSoftwareCompletion} << 51;
  return status != 0 ? status | fpcr::kSummary : 0;
}
static_assert(FpcrStatus(kInvalid) == (fpcr::kInvalid | fpcr::kSummary));
static_assert(FpcrStatus(kIntegerOverflow) == (fpcr::kIntegerOverflow | fpcr::kSummary));

}  // namespace fp_exception

// The rounding field of a floating-point operate, instruction bits <12:11>. VAX instructions
// know kChopped and kNearest only; for them kNearest rounds halves away from zero.
enum class Rounding : uint8_t { kChopped = 0, kMinusInfinity = 1, kNearest = 2, kDynamic = 3 };

// Trapping and rounding of one instruction, decoded from its function field.
struct FpQualifiers {
  Rounding rounding;
  bool underflow;  // /U; /V of a conversion to an integer
  bool software;   // /S, exception completion by software
  bool inexact;    // /I
};

// The qualifiers in a function field, instruction bits <15:5> (Handbook 4.7.9).
constexpr FpQualifiers DecodeFpQualifiers(uint32_t function) {
  return {.rounding = static_cast<Rounding>((function >> 6) & 3),
          .underflow = ((function >> 8) & 1) != 0,
          .software = ((function >> 10) & 1) != 0,
          .inexact = ((function >> 9) & 1) != 0};
}

// What a floating-point operate did.
//
// An instruction that traps with SWC never writes its destination: the operating system's
// completion handler executes it again from its source registers, one of which may be the
// destination. An instruction that traps without SWC writes what the architecture defines
// for the trap: the true zero of an underflow, the low bits of an integer overflow
// (Handbook 4.7.7.7 and 4.7.7.9); after any other trap nothing is written.
struct FpResult {
  uint64_t value;     // register format; meaningful when `write` is true
  bool write;         // the destination register is written
  uint32_t trap;      // EXC_SUM bits of the arithmetic trap to raise; 0: none
  uint64_t fpcr_set;  // FPCR status bits to set, SUM included, trap or not
};

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_FPCR_H_
