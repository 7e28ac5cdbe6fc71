#include "alpha/decode.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "alpha/instruction.h"
#include "alpha/qualifiers.h"

namespace isochron::alpha {
namespace {

constexpr uint32_t Bits(uint32_t word, int high, int low) {
  return (word >> low) & ((1u << (high - low + 1)) - 1);
}

constexpr int64_t SignExtend(uint32_t value, int width) {
  const int64_t sign = int64_t{1} << (width - 1);
  return (static_cast<int64_t>(value) ^ sign) - sign;
}

// Opcode 0x18 functions are multiples of 0x400.
constexpr int kMiscShift = 10;
constexpr size_t kFloatFunctions = 1 << 11;
constexpr size_t kOperateFunctions = 1 << 7;

// What the opcode alone says. Where it does not select the instruction, `op` is one of the rows
// with that opcode, for its format.
using OpcodeTable = std::array<Op, 64>;

// By function code, for each opcode that has several instructions.
struct Functions {
  std::array<std::array<Op, kOperateFunctions>, 5> operate;  // 0x10 to 0x13, 0x1C
  std::array<std::array<Op, kFloatFunctions>, 4> floating;   // 0x14 to 0x17
  std::array<Op, kFloatFunctions> register_move;             // FloatOperate rows of 0x1C
  std::array<Op, 64> misc;                                   // 0x18
  std::array<Op, 4> jump;                                    // 0x1A
};

constexpr OpcodeTable MakeOpcodes() {
  OpcodeTable table;
  table.fill(Op::kReserved);
  for (size_t i = 0; i < static_cast<size_t>(Op::kReserved); ++i) {
    Op& entry = table[kInstructions[i].opcode];
    if (entry == Op::kReserved) entry = static_cast<Op>(i);
  }
  return table;
}

constexpr size_t OperateIndex(uint32_t opcode) { return opcode == 0x1C ? 4 : opcode - 0x10; }

constexpr void AddFloat(std::array<Op, kFloatFunctions>& table, const InstructionInfo& info,
                        Op op) {
  if (info.qualifiers == QualifierSet::kNone) {
    table[info.function] = op;
    return;
  }
  for (const QualifierVariant& variant : VariantsOf(info.qualifiers)) {
    table[variant.code << 6 | (info.function & 0x3F)] = op;
  }
}

constexpr Functions MakeFunctions() {
  Functions functions;
  for (auto& table : functions.operate) table.fill(Op::kReserved);
  for (auto& table : functions.floating) table.fill(Op::kReserved);
  functions.register_move.fill(Op::kReserved);
  functions.misc.fill(Op::kReserved);
  functions.jump.fill(Op::kReserved);
  for (size_t i = 0; i < static_cast<size_t>(Op::kReserved); ++i) {
    const InstructionInfo& info = kInstructions[i];
    const Op op = static_cast<Op>(i);
    if (info.format == Format::kOperate) {
      functions.operate[OperateIndex(info.opcode)][info.function] = op;
    } else if (info.format == Format::kFloatOperate && info.opcode == 0x1C) {
      AddFloat(functions.register_move, info, op);
    } else if (info.format == Format::kFloatOperate) {
      AddFloat(functions.floating[info.opcode - 0x14], info, op);
    } else if (info.format == Format::kMisc) {
      functions.misc[info.function >> kMiscShift] = op;
    } else if (info.format == Format::kJump) {
      functions.jump[info.function] = op;
    }
  }
  return functions;
}

constexpr OpcodeTable kOpcodes = MakeOpcodes();
constexpr Functions kFunctions = MakeFunctions();

static_assert(
    [] {
      for (size_t i = 0; i < static_cast<size_t>(Op::kReserved); ++i) {
        const InstructionInfo& info = kInstructions[i];
        if (info.format == Format::kMisc && info.function % (1 << kMiscShift) != 0) return false;
      }
      return true;
    }(),
    "the Misc table is indexed by function / 0x400");

// The row that opcode and function select, whatever the operand fields hold.
Op Select(uint32_t word) {
  const uint32_t opcode = word >> 26;
  switch (opcode) {
    case 0x10:
    case 0x11:
    case 0x12:
    case 0x13: return kFunctions.operate[opcode - 0x10][Bits(word, 11, 5)];
    case 0x14:
    case 0x15:
    case 0x16:
    case 0x17: return kFunctions.floating[opcode - 0x14][Bits(word, 15, 5)];
    case 0x18:
      if (Bits(word, kMiscShift - 1, 0) != 0) return Op::kReserved;
      return kFunctions.misc[Bits(word, 15, kMiscShift)];
    case 0x1A: return kFunctions.jump[Bits(word, 15, 14)];
    case 0x1C: {
      const Op op = kFunctions.operate[4][Bits(word, 11, 5)];
      return op != Op::kReserved ? op : kFunctions.register_move[Bits(word, 15, 5)];
    }
    default: return kOpcodes[opcode];
  }
}

bool HwLoadTypeExists(uint32_t type) { return type != 3; }
bool HwStoreTypeExists(uint32_t type) { return type <= 2 || type == 6; }

// Whether the fields that the architecture fixes hold what they must.
bool FixedFieldsHold(Shape shape, const Instruction& i) {
  switch (shape) {
    case Shape::kIntegerUnary: return i.ra == 31;
    case Shape::kIntegerUnaryRegister: return i.ra == 31 && !i.literal;
    case Shape::kIntegerOperateRegister: return !i.literal;
    case Shape::kImplver: return i.ra == 31 && i.literal && i.immediate == 1;
    case Shape::kFloatUnary:
    case Shape::kMemoryHint: return i.ra == 31;
    case Shape::kIntegerToFloat:
    case Shape::kFloatToInteger: return i.rb == 31;
    case Shape::kHwLoad: return HwLoadTypeExists(i.pal_type >> 1);
    case Shape::kHwStore: return HwStoreTypeExists(i.pal_type >> 1);
    default: return true;
  }
}

FpQualifiers QualifiersOf(QualifierSet set, uint32_t word) {
  if (set == QualifierSet::kNone) return {};
  FpQualifiers qualifiers = DecodeFpQualifiers(Bits(word, 15, 5));
  // Bit <14> is part of CVTST's function code: it tells it from CVTTS.
  if (set == QualifierSet::kCvtst) qualifiers.inexact = false;
  return qualifiers;
}

void SetFields(Format format, Instruction& i) {
  const uint32_t word = i.word;
  switch (format) {
    case Format::kMemory:
      i.immediate = SignExtend(Bits(word, 15, 0), 16);
      if (i.op == Op::kLdah) i.immediate *= 65536;
      break;
    case Format::kBranch: i.immediate = SignExtend(Bits(word, 20, 0), 21) * 4; break;
    case Format::kJump: i.immediate = Bits(word, 13, 0); break;
    case Format::kOperate:
      i.literal = Bits(word, 12, 12) != 0;
      if (i.literal) i.immediate = Bits(word, 20, 13);
      break;
    case Format::kPal: i.immediate = Bits(word, 25, 0); break;
    case Format::kHwMemory:
      i.pal_type = static_cast<uint8_t>(Bits(word, 15, 12));
      i.immediate = SignExtend(Bits(word, 11, 0), 12);
      break;
    case Format::kHwMxpr: i.immediate = Bits(word, 15, 0); break;
    case Format::kHwReturn:
      i.pal_type = static_cast<uint8_t>(Bits(word, 15, 13));
      i.immediate = Bits(word, 12, 0);
      break;
    case Format::kMisc:
    case Format::kFloatOperate: break;
  }
}

// Bits of the registers whose role in the given fields is one of two.
uint32_t RegistersWith(const Instruction& i, RegisterRole role, RegisterRole also) {
  const OperandRoles roles = RolesOf(Info(i.op).shape);
  uint32_t mask = 0;
  if (roles.ra == role || roles.ra == also) mask |= 1u << i.ra;
  if ((roles.rb == role || roles.rb == also) && !i.literal) mask |= 1u << i.rb;
  if (roles.rc == role || roles.rc == also) mask |= 1u << i.rc;
  return mask & 0x7FFFFFFF;
}

}  // namespace

Instruction Decode(uint32_t word) {
  Instruction i;
  i.word = word;
  i.ra = static_cast<uint8_t>(Bits(word, 25, 21));
  i.rb = static_cast<uint8_t>(Bits(word, 20, 16));
  i.rc = static_cast<uint8_t>(Bits(word, 4, 0));
  i.op = Select(word);
  if (i.op == Op::kReserved) return i;
  const InstructionInfo& info = Info(i.op);
  SetFields(info.format, i);
  i.qualifiers = QualifiersOf(info.qualifiers, word);
  if (!FixedFieldsHold(info.shape, i)) {
    i = Instruction{.op = Op::kReserved, .ra = i.ra, .rb = i.rb, .rc = i.rc, .word = word};
  }
  return i;
}

uint32_t IntegerReads(const Instruction& instruction) {
  return RegistersWith(instruction, RegisterRole::kIntegerRead, RegisterRole::kIntegerReadWrite);
}

uint32_t IntegerWrites(const Instruction& instruction) {
  const bool plain_store =
      instruction.op == Op::kHwSt &&
      instruction.pal_type >> 1 != static_cast<uint8_t>(HwStoreType::kPhysicalConditional);
  if (plain_store) return 0;
  return RegistersWith(instruction, RegisterRole::kIntegerWrite, RegisterRole::kIntegerReadWrite);
}

uint32_t FloatReads(const Instruction& instruction) {
  return RegistersWith(instruction, RegisterRole::kFloatRead, RegisterRole::kFloatReadWrite);
}

uint32_t FloatWrites(const Instruction& instruction) {
  return RegistersWith(instruction, RegisterRole::kFloatWrite, RegisterRole::kFloatReadWrite);
}

}  // namespace isochron::alpha
