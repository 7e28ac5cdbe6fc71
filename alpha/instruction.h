// What the instruction table (alpha/instructions.inc) says, as types: operations, formats, operand
// shapes, floating-point qualifiers and what an instruction can raise.

#ifndef ISOCHRON_ALPHA_INSTRUCTION_H_
#define ISOCHRON_ALPHA_INSTRUCTION_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alpha/cost.h"
#include "alpha/qualifiers.h"

namespace isochron::alpha {

// One enumerator a table row, in table order, then kReserved: a word that is no instruction and
// raises OPCDEC. An array of handlers in the order of the table plus one for kReserved therefore
// has kOpCount entries.
enum class Op : uint16_t {
#define ISOCHRON_INSTRUCTION(Name, ...) k##Name,
#include "alpha/instructions.inc"
  kReserved,
  kCount,
};

inline constexpr size_t kOpCount = static_cast<size_t>(Op::kCount);

// How an instruction word is cut into fields (Alpha Architecture Handbook 3.3; HRM 6.4 for Hw*).
enum class Format : uint8_t {
  kMemory,        // Ra<25:21> Rb<20:16> displacement<15:0>
  kMisc,          // Ra Rb function<15:0>
  kBranch,        // Ra displacement<20:0>
  kJump,          // Ra Rb function<15:14> hint<13:0>
  kOperate,       // Ra Rb or literal<20:13> with <12> set, function<11:5> Rc<4:0>
  kFloatOperate,  // Fa Fb function<15:5> Fc
  kPal,           // function<25:0>
  kHwMemory,      // Ra Rb type<15:13> quadword<12> displacement<11:0>
  kHwMxpr,        // Ra Rb index<15:8> scoreboard<7:0>
  kHwReturn,      // Ra Rb type<15:14> stall<13> displacement<12:0>
};

// The part of the architecture an instruction came with.
enum class Extension : uint8_t {
  kBase,
  kBwx,        // byte and word memory access (AMASK bit 0)
  kFix,        // square root, moves between the register files (AMASK bit 1)
  kCix,        // counts of bits (AMASK bit 2)
  kMvi,        // multimedia (AMASK bit 8)
  kFloat,      // floating point of no particular data format
  kVaxFloat,   // F_floating, G_floating and D_floating
  kIeeeFloat,  // S_floating and T_floating
  kPal,        // the opcodes reserved for PALcode
};

// What an instruction does with its register fields. See RolesOf.
enum class Shape : uint8_t {
  kNone,
  kAddress,                 // ra := f(rb)
  kLoad,                    // ra := memory at rb
  kStore,                   // memory at rb := ra
  kStoreConditional,        // memory at rb := ra, ra := success
  kBranch,                  // tests ra
  kBranchLink,              // ra := return address
  kJump,                    // ra := return address, target rb
  kIntegerOperate,          // rc := f(ra, rb or literal)
  kIntegerOperateRegister,  // rc := f(ra, rb), no literal form
  kConditionalMove,         // rc := f(ra, rb or literal, rc)
  kIntegerUnary,            // rc := f(rb or literal), ra must be R31
  kIntegerUnaryRegister,    // rc := f(rb), ra must be R31, no literal form
  kImplver,                 // rc := constant; ra must be R31 and the literal 1
  kIntegerToFloat,          // fc := f(ra), rb must be R31
  kFloatToInteger,          // rc := f(fa), fb must be F31
  kFloatLoad,               // fa := memory at rb
  kFloatStore,              // memory at rb := fa
  kFloatBranch,             // tests fa
  kFloatOperate,            // fc := f(fa, fb)
  kFloatConditionalMove,    // fc := f(fa, fb, fc)
  kFloatUnary,              // fc := f(fb), fa must be F31
  kFpcrWrite,               // FPCR := fa; fb and fc should be fa, and are ignored
  kFpcrRead,                // fa := FPCR; fb and fc should be fa, and are ignored
  kMemoryHint,              // address rb, ra must be R31
  kReadCounter,             // ra := cycle counter; rb is ignored
  kReadFlag,                // ra := interrupt flag; rb is ignored
  kHwMfpr,                  // ra := IPR; rb is ignored
  kHwMtpr,                  // IPR := rb; ra is ignored
  kHwLoad,                  // ra := memory at rb
  kHwStore,                 // memory at rb := ra; ra := success in the conditional type
  kHwReturn,                // target rb; ra is ignored
};

enum class RegisterRole : uint8_t {
  kNone,  // not an operand: ignored, or fixed by the encoding
  kIntegerRead,
  kIntegerWrite,
  kIntegerReadWrite,
  kFloatRead,
  kFloatWrite,
  kFloatReadWrite,
};

struct OperandRoles {
  RegisterRole ra = RegisterRole::kNone;
  RegisterRole rb = RegisterRole::kNone;
  RegisterRole rc = RegisterRole::kNone;
  bool literal = false;  // Rb may be replaced by an 8-bit literal
};

// The roles of the three register fields. kHwStore says kIntegerReadWrite for ra, which is exact
// only for the conditional type: IntegerWrites (alpha/decode.h) answers for a given word.
constexpr OperandRoles RolesOf(Shape shape) {
  using enum RegisterRole;
  switch (shape) {
    case Shape::kNone: return {};
    case Shape::kAddress:
    case Shape::kLoad:
    case Shape::kHwLoad: return {kIntegerWrite, kIntegerRead, kNone, false};
    case Shape::kStore: return {kIntegerRead, kIntegerRead, kNone, false};
    case Shape::kStoreConditional:
    case Shape::kHwStore: return {kIntegerReadWrite, kIntegerRead, kNone, false};
    case Shape::kBranch: return {kIntegerRead, kNone, kNone, false};
    case Shape::kBranchLink: return {kIntegerWrite, kNone, kNone, false};
    case Shape::kJump: return {kIntegerWrite, kIntegerRead, kNone, false};
    case Shape::kIntegerOperate: return {kIntegerRead, kIntegerRead, kIntegerWrite, true};
    case Shape::kIntegerOperateRegister: return {kIntegerRead, kIntegerRead, kIntegerWrite, false};
    case Shape::kConditionalMove: return {kIntegerRead, kIntegerRead, kIntegerReadWrite, true};
    case Shape::kIntegerUnary: return {kNone, kIntegerRead, kIntegerWrite, true};
    case Shape::kIntegerUnaryRegister: return {kNone, kIntegerRead, kIntegerWrite, false};
    case Shape::kImplver: return {kNone, kNone, kIntegerWrite, false};
    case Shape::kIntegerToFloat: return {kIntegerRead, kNone, kFloatWrite, false};
    case Shape::kFloatToInteger: return {kFloatRead, kNone, kIntegerWrite, false};
    case Shape::kFloatLoad: return {kFloatWrite, kIntegerRead, kNone, false};
    case Shape::kFloatStore: return {kFloatRead, kIntegerRead, kNone, false};
    case Shape::kFloatBranch: return {kFloatRead, kNone, kNone, false};
    case Shape::kFloatOperate: return {kFloatRead, kFloatRead, kFloatWrite, false};
    case Shape::kFloatConditionalMove: return {kFloatRead, kFloatRead, kFloatReadWrite, false};
    case Shape::kFloatUnary: return {kNone, kFloatRead, kFloatWrite, false};
    case Shape::kFpcrWrite: return {kFloatRead, kNone, kNone, false};
    case Shape::kFpcrRead: return {kFloatWrite, kNone, kNone, false};
    case Shape::kMemoryHint:
    case Shape::kHwMtpr:
    case Shape::kHwReturn: return {kNone, kIntegerRead, kNone, false};
    case Shape::kReadCounter:
    case Shape::kReadFlag:
    case Shape::kHwMfpr: return {kIntegerWrite, kNone, kNone, false};
  }
  return {};
}

// What an instruction can raise after a successful fetch: a union of the bits in namespace raises.
using ExceptionSet = uint8_t;

// One row of the table.
struct InstructionInfo {
  std::string_view name;      // "AddlV"
  std::string_view mnemonic;  // "addl/v"
  Format format;
  uint8_t opcode;
  uint16_t function;
  Extension extension;
  Shape shape;
  QualifierSet qualifiers;
  ExceptionSet raises;
  CostClass cost;
};

namespace raises {

inline constexpr ExceptionSet kNone = 0;
inline constexpr ExceptionSet kIntegerOverflow = 1 << 0;  // ARITH, with EXC_SUM[IOV]
inline constexpr ExceptionSet kArithmetic = 1 << 1;       // ARITH, floating point
inline constexpr ExceptionSet kMemory = 1 << 2;     // DTB miss, access violation, FOR, FOW, NXM
inline constexpr ExceptionSet kUnaligned = 1 << 3;  // UNALIGN
inline constexpr ExceptionSet kFen = 1 << 4;        // floating point disabled
inline constexpr ExceptionSet kOpcdec = 1 << 5;     // no instruction, or not in this mode
inline constexpr ExceptionSet kPal = 1 << 6;        // enters PALcode by design

// All rows, indexed by Op, and a last one for Op::kReserved (raises kOpcdec).
inline constexpr InstructionInfo kInstructions[kOpCount] = {
#define ISOCHRON_INSTRUCTION(Name, Mnemonic, Fmt, Opcode, Function, Ext, Shp, Quals, Raises, Cst) \
  {#Name,    Mnemonic,          Format::k##Fmt, Opcode,                                           \
   Function, Extension::k##Ext, Shape::k##Shp,  QualifierSet::k##Quals,                           \
   (Raises), CostClass::k##Cst},
#include "alpha/instructions.inc"
    {"Reserved", "reserved", Format::kPal, 0, 0, Extension::kBase, Shape::kNone,
     QualifierSet::kNone, kOpcdec, CostClass::kReserved},
};

}  // namespace raises

using raises::kInstructions;

constexpr const InstructionInfo& Info(Op op) { return kInstructions[static_cast<size_t>(op)]; }

// Names for documents and messages.
std::string_view ToString(Format format);
std::string_view ToString(Extension extension);
std::string_view ToString(Op op);  // Info(op).name

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_INSTRUCTION_H_
