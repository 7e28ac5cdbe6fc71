// From an operation to instruction words: what tests and generators of code need.

#ifndef ISOCHRON_ALPHA_ENCODE_H_
#define ISOCHRON_ALPHA_ENCODE_H_

#include <cstdint>

#include "alpha/decode.h"
#include "alpha/instruction.h"
#include "alpha/ipr.h"
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

// An assembler for tests and generators: whole words from an operation and its operands.
namespace words {

constexpr uint32_t Operate(Op op, uint32_t ra, uint32_t rb, uint32_t rc) {
  return WithRc(WithRb(WithRa(Skeleton(op), ra), rb), rc);
}
constexpr uint32_t OperateLiteral(Op op, uint32_t ra, uint32_t literal, uint32_t rc) {
  return WithRc(WithLiteral(WithRa(Skeleton(op), ra), literal), rc);
}
constexpr uint32_t MemoryOp(Op op, uint32_t ra, int displacement, uint32_t rb) {
  return WithRb(WithRa(Skeleton(op), ra), rb) | (static_cast<uint32_t>(displacement) & 0xffff);
}
// `words` is the distance from the next instruction.
constexpr uint32_t BranchOp(Op op, uint32_t ra, int words) {
  return WithRa(Skeleton(op), ra) | (static_cast<uint32_t>(words) & 0x1fffff);
}
constexpr uint32_t JumpOp(Op op, uint32_t ra, uint32_t rb) {
  return WithRb(WithRa(Skeleton(op), ra), rb);
}
constexpr uint32_t Misc(Op op, uint32_t ra = 0) { return WithRa(Skeleton(op), ra); }
constexpr uint32_t CallPal(uint32_t function) { return function; }
constexpr uint32_t Mfpr(uint32_t ra, Ipr ipr) {
  return WithRa(Skeleton(Op::kHwMfpr), ra) | static_cast<uint32_t>(ipr) << 8;
}
constexpr uint32_t Mtpr(uint32_t rb, Ipr ipr) {
  return WithRb(Skeleton(Op::kHwMtpr), rb) | static_cast<uint32_t>(ipr) << 8;
}
constexpr uint32_t HwRet(uint32_t rb) { return WithRb(Skeleton(Op::kHwRet), rb); }
constexpr uint32_t HwMemory(Op op, uint32_t type, uint32_t ra, int displacement, uint32_t rb) {
  return WithRb(WithRa(Skeleton(op), ra), rb) | type << 13 | uint32_t{kHwQuadword} << 12 |
         (static_cast<uint32_t>(displacement) & 0xfff);
}
constexpr uint32_t HwLoad(HwLoadType type, uint32_t ra, int displacement, uint32_t rb) {
  return HwMemory(Op::kHwLd, static_cast<uint32_t>(type), ra, displacement, rb);
}
constexpr uint32_t HwStore(HwStoreType type, uint32_t ra, int displacement, uint32_t rb) {
  return HwMemory(Op::kHwSt, static_cast<uint32_t>(type), ra, displacement, rb);
}
constexpr uint32_t Nop() { return Operate(Op::kBis, 31, 31, 31); }
constexpr uint32_t Move(uint32_t from, uint32_t to) { return Operate(Op::kBis, 31, from, to); }

// Page protection bits, for pages that generated code maps.
inline constexpr uint64_t kAllRead = 0x0f00;
inline constexpr uint64_t kAllWrite = 0xf000;
inline constexpr uint64_t kKernelRead = 0x0100;
inline constexpr uint64_t kKernelWrite = 0x1000;

}  // namespace words
}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_ENCODE_H_
