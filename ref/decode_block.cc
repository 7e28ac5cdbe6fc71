#include "ref/decode_block.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <new>

#include "alpha/cpu.h"
#include "alpha/instruction.h"
#include "alpha/memory.h"
#include "ref/superinstructions.h"

namespace isochron::ref {
namespace {

using alpha::Cpu;
using alpha::Format;
using alpha::Instruction;
using alpha::Op;
using alpha::RegisterRole;

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

constexpr int kNoPlace = -1;

// Which operand of `op` is in `place`, where the instruction before it has left its result.
Reuse ReuseOf(const alpha::OperandRoles& roles, const Operation& op, int place) {
  if (roles.ra == RegisterRole::kIntegerRead && op.ra == place) return Reuse::kA;
  if (roles.rb == RegisterRole::kIntegerRead && op.rb == place) return Reuse::kB;
  return Reuse::kNothing;
}

// `place`: of the result that the instruction before it has left, or kNoPlace.
Operation MakeOperation(const Instruction& instruction, bool shadow, int place) {
  const alpha::OperandRoles roles = alpha::RolesOf(alpha::Info(instruction.op).shape);
  Operation op;
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
  op.handler = SelectHandler(instruction, ReuseOf(roles, op, place));
  return op;
}

// The place of the integer register that an instruction leaves its result of, or kNoPlace.
int ResultPlace(Op instruction, const Operation& op) {
  if (!LeavesResult(instruction)) return kNoPlace;
  return alpha::Info(instruction).format == Format::kOperate ? op.rc : op.ra;
}

// A block in the making. What is behind `block.count` is not there yet.
struct Decoded {
  Block block;
  std::array<Operation, kMaxBlockLength + 1> operations;
  std::array<uint16_t, kMaxBlockLength + 1> cost_before;
};

// Sets `place`, that of the result before, to that of the result of what it appends.
void Append(Decoded& decoded, const uint8_t* code, bool shadow, int& place) {
  uint32_t word = 0;
  std::memcpy(&word, code, sizeof word);
  const Instruction instruction = alpha::Decode(word);
  Block& block = decoded.block;
  Operation& op = decoded.operations[block.count++];
  op = MakeOperation(instruction, shadow, place);
  place = ResultPlace(instruction.op, op);
  block.last_boundary = block.cost;
  block.cost += alpha::InstructionCost(alpha::Info(instruction.op).cost);
  decoded.cost_before[block.count] = static_cast<uint16_t>(block.cost);
  block.pure = block.pure && IsPure(instruction.op);
  block.ends = EndsBlock(instruction.op);
}

void Decode(const uint8_t* code, uint64_t pa, DecodeMode mode, uint64_t most, Decoded& decoded) {
  const bool shadow = mode == DecodeMode::kPalShadow;
  Block& block = decoded.block;
  block.pa = pa;
  decoded.cost_before[0] = 0;
  int place = kNoPlace;
  for (uint64_t i = 0; i < most && !block.ends; ++i) Append(decoded, code + 4 * i, shadow, place);
  decoded.operations[block.count] = {EndOfBlockHandler(), 0, 0, 0, 0, 0};
}

size_t SizeOf(uint32_t count) {
  return sizeof(Block) + (count + size_t{1}) * (sizeof(Operation) + sizeof(uint16_t));
}

// Makes `block` of `decoded`, which it has room for.
void Fill(const Decoded& decoded, void* block) {
  const size_t entries = decoded.block.count + size_t{1};
  auto* to = static_cast<uint8_t*>(block);
  std::memcpy(to, &decoded.block, sizeof(Block));
  std::memcpy(to += sizeof(Block), decoded.operations.data(), entries * sizeof(Operation));
  std::memcpy(to += entries * sizeof(Operation), decoded.cost_before.data(),
              entries * sizeof(uint16_t));
}

BlockPtr Allocate(uint32_t count) {
  return BlockPtr(static_cast<Block*>(::operator new(SizeOf(count), Block::kAlignment)));
}

}  // namespace

BlockPtr DecodeBlock(const uint8_t* code, uint64_t pa, DecodeMode mode, int limit) {
  const uint64_t to_page_end = (alpha::kPageSize - (pa & alpha::kPageMask)) / 4;
  Decoded decoded;
  Decode(code, pa, mode,
         std::min({to_page_end, uint64_t{kMaxBlockLength}, static_cast<uint64_t>(limit)}), decoded);
  JoinOperations({decoded.operations.data(), decoded.block.count});
  BlockPtr block = Allocate(decoded.block.count);
  Fill(decoded, block.get());
  return block;
}

void DecodeOne(const uint8_t* code, uint64_t pa, DecodeMode mode, BlockPtr& block) {
  Decoded decoded;
  Decode(code, pa, mode, 1, decoded);
  if (block == nullptr) block = Allocate(1);
  Fill(decoded, block.get());
}

}  // namespace isochron::ref
