// From an operation to instruction words: what tests and generators of code need.

#ifndef ISOCHRON_ALPHA_ENCODE_H_
#define ISOCHRON_ALPHA_ENCODE_H_

#include <cstdint>

#include "alpha/instruction.h"
#include "alpha/qualifiers.h"

namespace isochron::alpha {

// The word of `op` with every operand field zero and every field that the architecture fixes (see
// Decode) as it must be. `variant` is the `code` of one of VariantsOf(Info(op).qualifiers) and is
// ignored without qualifiers. Put operands in with WithRa and the like, or OR them in. `op` is
// not Op::kReserved.
constexpr uint32_t Skeleton(Op op, const QualifierVariant& variant) {
  const InstructionInfo& info = Info(op);
  uint32_t word = uint32_t{info.opcode} << 26;
  switch (info.format) {
    case Format::kOperate: word |= uint32_t{info.function} << 5; break;
    case Format::kFloatOperate:
      word |= info.qualifiers == QualifierSet::kNone
                  ? uint32_t{info.function} << 5
                  : uint32_t{variant.code} << 11 | (uint32_t{info.function} & 0x3F) << 5;
      break;
    case Format::kMisc: word |= info.function; break;
    case Format::kJump: word |= uint32_t{info.function} << 14; break;
    default: break;
  }
  constexpr uint32_t kRa31 = 31u << 21;
  constexpr uint32_t kRb31 = 31u << 16;
  switch (info.shape) {
    case Shape::kIntegerUnary:
    case Shape::kIntegerUnaryRegister:
    case Shape::kFloatUnary:
    case Shape::kMemoryHint:
    case Shape::kHwMtpr:
    case Shape::kHwReturn: return word | kRa31;
    case Shape::kImplver: return word | kRa31 | 1u << 13 | 1u << 12;
    case Shape::kIntegerToFloat:
    case Shape::kFloatToInteger:
    case Shape::kReadCounter:
    case Shape::kReadFlag:
    case Shape::kHwMfpr: return word | kRb31;
    default: return word;
  }
}

// The same without qualifiers.
constexpr uint32_t Skeleton(Op op) { return Skeleton(op, VariantsOf(Info(op).qualifiers).front()); }

// `word` with a field replaced. Registers are 0 to 31, the literal 0 to 255.
constexpr uint32_t WithRa(uint32_t word, uint32_t ra) { return (word & ~(31u << 21)) | ra << 21; }
constexpr uint32_t WithRb(uint32_t word, uint32_t rb) { return (word & ~(31u << 16)) | rb << 16; }
constexpr uint32_t WithRc(uint32_t word, uint32_t rc) { return (word & ~31u) | rc; }
constexpr uint32_t WithLiteral(uint32_t word, uint32_t literal) {
  return (word & ~(0x1FFu << 12)) | literal << 13 | 1u << 12;
}

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_ENCODE_H_
