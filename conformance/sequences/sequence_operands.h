// Operands on which arithmetic goes wrong, and random instructions.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_OPERANDS_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_OPERANDS_H_

#include <cstdint>
#include <span>

#include "alpha/decode.h"
#include "alpha/instruction.h"
#include "conformance/sequences/sequence_palcode.h"

namespace isochron::conformance {

// Integers at which carries, signs and widths change.
std::span<const uint64_t> HardIntegers();
// Registers that hold zeros, denormals, halfway cases, infinities, NaNs with payloads, numbers at
// the edges of S, T, F and G range and of integer conversion.
std::span<const uint64_t> HardFloats();

// In the words of HW_LD and HW_ST: of a quadword, not of a longword.
inline constexpr uint32_t kQuadword = uint32_t{alpha::kHwQuadword} << 12;

// One of the above, or something near one, or any number.
uint64_t RandomInteger(Random& random);
uint64_t RandomFloat(Random& random);

// Registers by their use in sequences. All others may be written by anything.
struct SequenceRegisters {
  static constexpr uint32_t kInnerCount = 8;
  static constexpr uint32_t kOuterCount = 9;
  static constexpr uint32_t kData = 10;  // kDataOffset into the data pages
  static constexpr uint32_t kEdge = 11;  // at a page boundary in the data pages
  static constexpr uint32_t kChunk = 12;
  static constexpr uint32_t kIo = 14;
  static constexpr uint32_t kAliases = 15;  // the start of alias page 4
  static constexpr uint32_t kReturn = 26;
  static constexpr uint32_t kScratch = 28;  // addresses that a few instructions need
};
// Where kData points, from SequenceLayout::kData: tables of hard operands lie below and above.
inline constexpr int kDataOffset = 0x4000;

// A register that anything may write: R0 to R7, R16 to R25, R27, R31 now and then.
uint32_t RandomTarget(Random& random);
// Any register.
uint32_t RandomSource(Random& random);

// `op` with random operands, qualifiers and displacement. Loads and stores go to data, branches
// skip up to 3 instructions, jumps go to R28. Not for Hw* and CALL_PAL, which need a mode.
uint32_t RandomInstruction(Random& random, alpha::Op op);

// A random row of the table whose format, shape and extension suit straight code: everything but
// branches, jumps and PALcode.
alpha::Op RandomStraightOp(Random& random);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_OPERANDS_H_
