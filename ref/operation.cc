#include "ref/operation.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "alpha/instruction.h"
#include "alpha/memory.h"
#include "ref/select.h"

namespace isochron::ref {
namespace {

using alpha::Cpu;
using alpha::Format;
using alpha::Instruction;
using alpha::Op;
using alpha::RegisterRole;

using Selector = Handler (*)(const Instruction&);
constexpr std::array<Selector, alpha::kOpCount> kSelectors = {
#define ISOCHRON_INSTRUCTION(Name, ...) Select##Name,
#include "alpha/instructions.inc"
    SelectReserved,
};

bool IsFloat(RegisterRole role) {
  return role == RegisterRole::kFloatRead || role == RegisterRole::kFloatWrite ||
         role == RegisterRole::kFloatReadWrite;
}

bool IsWrite(RegisterRole role) {
  return role == RegisterRole::kIntegerWrite || role == RegisterRole::kIntegerReadWrite ||
         role == RegisterRole::kFloatWrite || role == RegisterRole::kFloatReadWrite;
}

uint8_t SourcePlace(RegisterRole role, int reg, bool shadow) {
  return static_cast<uint8_t>(IsFloat(role) ? reg : Cpu::IntegerPlace(reg, shadow));
}

uint8_t DestinationPlace(RegisterRole role, int reg, bool shadow) {
  if (reg == 31) return static_cast<uint8_t>(IsFloat(role) ? Cpu::kFloatSink : Cpu::kIntegerSink);
  return SourcePlace(role, reg, shadow);
}

uint8_t Place(RegisterRole role, int reg, bool shadow) {
  return IsWrite(role) ? DestinationPlace(role, reg, shadow) : SourcePlace(role, reg, shadow);
}

uint8_t Detail(const Instruction& instruction) {
  switch (alpha::Info(instruction.op).format) {
    case Format::kFloatOperate: {
      const alpha::FpQualifiers& q = instruction.qualifiers;
      return static_cast<uint8_t>(static_cast<int>(q.rounding) | q.underflow << 2 |
                                  q.software << 3 | q.inexact << 4);
    }
    case Format::kHwMemory: return instruction.pal_type;
    default: return 0;
  }
}

Operation MakeOperation(const Instruction& instruction, bool shadow) {
  const alpha::OperandRoles roles = alpha::RolesOf(alpha::Info(instruction.op).shape);
  Operation op;
  op.handler = SelectHandler(instruction);
  if (roles.ra == RegisterRole::kIntegerReadWrite) {
    op.ra = SourcePlace(roles.ra, instruction.ra, shadow);
    op.rc = DestinationPlace(roles.ra, instruction.ra, shadow);
  } else {
    op.ra = Place(roles.ra, instruction.ra, shadow);
    op.rc = Place(roles.rc, instruction.rc, shadow);
  }
  op.rb = Place(roles.rb, instruction.rb, shadow);
  op.detail = Detail(instruction);
  op.immediate = static_cast<int32_t>(instruction.immediate);
  return op;
}

}  // namespace

Handler SelectHandler(const Instruction& instruction) {
  return kSelectors[static_cast<size_t>(instruction.op)](instruction);
}

bool EndsBlock(Op op) {
  switch (alpha::Info(op).format) {
    case Format::kBranch:
    case Format::kJump:
    case Format::kPal:
    case Format::kHwReturn: return true;
    default: return op == Op::kReserved;
  }
}

bool IsPure(Op op) {
  switch (alpha::Info(op).format) {
    case Format::kBranch:
    case Format::kOperate: return true;
    case Format::kJump: return true;
    case Format::kMemory:
      return alpha::Info(op).shape == alpha::Shape::kAddress || op == Op::kLdbu ||
             op == Op::kLdwu || op == Op::kLdl || op == Op::kLdq || op == Op::kLdqU;
    case Format::kMisc: return op != Op::kRpcc && op != Op::kRc && op != Op::kRs;
    default: return false;
  }
}

namespace {

void Append(Block& block, const uint8_t* code, bool shadow) {
  uint32_t word = 0;
  std::memcpy(&word, code, sizeof word);
  const Instruction instruction = alpha::Decode(word);
  block.operations.push_back(MakeOperation(instruction, shadow));
  block.last_boundary = block.cost;
  block.cost += alpha::InstructionCost(alpha::Info(instruction.op).cost);
  block.cost_before.push_back(static_cast<uint16_t>(block.cost));
  block.pure = block.pure && IsPure(instruction.op);
  block.ends = EndsBlock(instruction.op);
}

void Finish(Block& block) {
  block.count = static_cast<uint32_t>(block.operations.size());
  block.operations.push_back(Operation{EndOfBlockHandler(), 0, 0, 0, 0, 0});
}

}  // namespace

Block DecodeBlock(const uint8_t* code, uint64_t pa, DecodeMode mode, int limit) {
  const bool shadow = mode == DecodeMode::kPalShadow;
  const uint64_t to_page_end = (alpha::kPageSize - (pa & alpha::kPageMask)) / 4;
  const uint64_t most =
      std::min({to_page_end, uint64_t{kMaxBlockLength}, static_cast<uint64_t>(limit)});
  Block block;
  block.pa = pa;
  block.cost_before.push_back(0);
  for (uint64_t i = 0; i < most && !block.ends; ++i) Append(block, code + 4 * i, shadow);
  Finish(block);
  block.operations.shrink_to_fit();
  block.cost_before.shrink_to_fit();
  return block;
}

void DecodeOne(const uint8_t* code, uint64_t pa, DecodeMode mode, Block& block) {
  block.pa = pa;
  block.operations.clear();
  block.cost_before.assign(1, 0);
  block.cost = 0;
  Append(block, code, mode == DecodeMode::kPalShadow);
  Finish(block);
}

}  // namespace isochron::ref
