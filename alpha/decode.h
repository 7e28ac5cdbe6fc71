// From a 32-bit word to an instruction with its operands.

#ifndef ISOCHRON_ALPHA_DECODE_H_
#define ISOCHRON_ALPHA_DECODE_H_

#include <cstdint>

#include "alpha/fpcr.h"
#include "alpha/instruction.h"

namespace isochron::alpha {

// A decoded instruction. Which register fields are operands, and of which register file, is
// RolesOf(Info(op).shape); a field that is no operand still holds its bits of the word.
struct Instruction {
  Op op = Op::kReserved;
  uint8_t ra = 31;       // bits <25:21>; fa
  uint8_t rb = 31;       // bits <20:16>; fb. With `literal` set, part of the literal: do not use
  uint8_t rc = 31;       // bits <4:0>; fc
  bool literal = false;  // Operate format with bit <12>: `immediate` stands in for register Rb
  // HW_LD and HW_ST: bits <15:12> (the HwMemoryType enumerators and kHwQuadword). HW_RET: bits
  // <15:13> (kind of prediction and kHwStall). Else 0.
  uint8_t pal_type = 0;
  // Trapping and rounding qualifiers of a floating-point operate; `underflow` also stands for
  // /V. Meaningless where Info(op).qualifiers is kNone.
  FpQualifiers qualifiers = {};
  // By format:
  //   Operate      the literal, 0 to 255; else 0
  //   Memory       the displacement in bytes, signed; of LDAH already times 65536
  //   Branch       the displacement in bytes, signed, from the next instruction
  //   Jump         the hint, bits <13:0>, 0 to 0x3FFF: no operand, only a prediction
  //   Misc         0
  //   Pal          the CALL_PAL function, bits <25:0>
  //   HwMemory     the displacement in bytes, signed, 12 bits
  //   HwMxpr       bits <15:0>: IPR index << 8 | scoreboard mask
  //   HwReturn     bits <12:0>: the displacement of the prediction, no operand
  int64_t immediate = 0;
  uint32_t word = 0;  // the undecoded word
};

// HW_LD and HW_ST types: pal_type >> 1, that is bits <15:13> (HRM tables 6-3 and 6-4). The
// others (3 for HW_LD; 3, 4, 5 and 7 for HW_ST) do not exist and decode to Op::kReserved.
enum class HwLoadType : uint8_t {
  kPhysical = 0,
  kPhysicalLock = 1,
  kVirtualVpte = 2,
  kVirtual = 4,
  kVirtualWriteCheck = 5,
  kVirtualAlt = 6,
  kVirtualWriteCheckAlt = 7,
};
enum class HwStoreType : uint8_t {
  kPhysical = 0,
  kPhysicalConditional = 1,
  kVirtual = 2,
  kVirtualAlt = 6,
};
inline constexpr uint8_t kHwQuadword = 1;  // in pal_type of HW_LD and HW_ST: 8 bytes, else 4
inline constexpr uint8_t kHwStall = 1;     // in pal_type of HW_RET

// Decodes any word; one that is no instruction gives Op::kReserved with only the register fields
// and `word` set.
//
// What the architecture leaves open is decided so: a field that must be 31 (Ra of SEXTB, CVTxx,
// SQRTx, ECB; Rb of ITOFx and FTOIx) and is not makes the word reserved. MF_FPCR and MT_FPCR use Fa
// whatever Fb and Fc are. Bits <15:13> of an integer operate with a register Rb are ignored, as are
// Ra and Rb of Misc and PALcode instructions that do not use them.
Instruction Decode(uint32_t word);

// The registers that an instruction reads or writes: bit n for register n, never bit 31. The
// implicit operands of CALL_PAL (PALcode's shadow R23) are not counted.
uint32_t IntegerReads(const Instruction& instruction);
uint32_t IntegerWrites(const Instruction& instruction);
uint32_t FloatReads(const Instruction& instruction);
uint32_t FloatWrites(const Instruction& instruction);

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_DECODE_H_
