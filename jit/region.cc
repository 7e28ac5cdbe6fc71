#include "jit/region.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <set>
#include <utility>

#include "jit/planted_bugs.h"

namespace isochron::jit {
namespace {

using alpha::Format;
using alpha::Instruction;
using alpha::Op;
using alpha::RegisterRole;

Instruction DecodeAt(const uint8_t* code, uint32_t offset) {
  uint32_t word = 0;
  std::memcpy(&word, code + offset, sizeof word);
  return alpha::Decode(word);
}

bool IsFloat(RegisterRole role) {
  return role == RegisterRole::kFloatRead || role == RegisterRole::kFloatWrite ||
         role == RegisterRole::kFloatReadWrite;
}

uint8_t Place(RegisterRole role, int reg, bool shadow) {
  return static_cast<uint8_t>(IsFloat(role) ? reg : alpha::Cpu::IntegerPlace(reg, shadow));
}

void NotePlace(GuestInstruction& instruction, RegisterRole role, int place) {
  if (place == 31) return;
  const uint64_t bit = uint64_t{1} << place;
  if (role == RegisterRole::kIntegerRead || role == RegisterRole::kIntegerReadWrite) {
    instruction.reads |= bit;
  }
  if (role == RegisterRole::kIntegerWrite || role == RegisterRole::kIntegerReadWrite) {
    instruction.writes |= bit;
  }
  if (role == RegisterRole::kFloatWrite || role == RegisterRole::kFloatReadWrite) {
    instruction.float_writes |= static_cast<uint32_t>(bit);
  }
}

bool IsPlain(const Instruction& instruction) {
  const alpha::InstructionInfo& info = alpha::Info(instruction.op);
  if (info.raises != alpha::raises::kNone) return false;
  if (info.shape == alpha::Shape::kAddress) return true;
  if (info.format != Format::kOperate) return false;
  switch (instruction.op) {
    case Op::kAmask:
    case Op::kImplver: return false;
    case Op::kZap:
    case Op::kZapnot: return instruction.literal;
    default:
      return info.extension != alpha::Extension::kMvi && info.extension != alpha::Extension::kCix;
  }
}

// Whether a direct branch to `target` stays in its page.
bool InPage(int64_t target) {
  return target >= 0 && target < static_cast<int64_t>(alpha::kPageSize);
}

// Where a block that ends with `last` at `offset` may go on by itself.
struct Successors {
  std::optional<uint32_t> taken;
  std::optional<uint32_t> next;
};

Successors SuccessorsOf(const Instruction& last, uint32_t offset) {
  Successors successors;
  if (InPage(offset + 4)) successors.next = offset + 4;
  if (!ref::EndsBlock(last.op)) return successors;
  if (alpha::Info(last.op).format != Format::kBranch) return {};
  const bool conditional = last.op != Op::kBr && last.op != Op::kBsr;
  if (!conditional) successors.next.reset();
  // What a subroutine returns to is reached by an indirect jump: translating it with its
  // callers gains nothing.
  if (last.op == Op::kBsr) return {};
  const int64_t target = static_cast<int64_t>(offset) + 4 + last.immediate;
  if (InPage(target)) successors.taken = static_cast<uint32_t>(target);
  return successors;
}

// The offset of the last instruction of the block at `start`, which does not run into `leaders`.
uint32_t LastOf(const uint8_t* code, uint32_t start, const std::set<uint32_t>& leaders) {
  const auto next = leaders.upper_bound(start);
  const auto page_end = static_cast<uint32_t>(alpha::kPageSize);
  const uint32_t limit =
      std::min({page_end, start + 4 * static_cast<uint32_t>(ref::kMaxBlockLength),
                next == leaders.end() ? page_end : *next});
  uint32_t offset = start;
  while (offset + 4 < limit && !ref::EndsBlock(DecodeAt(code, offset).op)) offset += 4;
  return offset;
}

std::set<uint32_t> FindLeaders(const ref::CodePage& page, const uint8_t* code, uint32_t entry) {
  std::set<uint32_t> leaders;
  std::deque<uint32_t> open = {entry};
  uint32_t instructions = 0;
  while (!open.empty() && leaders.size() < Region::kMaxBlocks &&
         instructions < Region::kMaxInstructions - ref::kMaxBlockLength) {
    const uint32_t start = open.front();
    open.pop_front();
    if (!leaders.insert(start).second) continue;
    const uint32_t last = LastOf(code, start, {});
    instructions += (last - start) / 4 + 1;
    const Successors successors = SuccessorsOf(DecodeAt(code, last), last);
    for (const std::optional<uint32_t>& successor : {successors.next, successors.taken}) {
      if (successor && page.Find(*successor) != nullptr) open.push_back(*successor);
    }
  }
  return leaders;
}

// Whether `entry` lies in the middle of a block of what is reached from it, and no branch of that
// leads there: an interrupt or a fault came from there.
bool IsMidBlock(const uint8_t* code, const std::set<uint32_t>& leaders, uint32_t entry) {
  std::set<uint32_t> others = leaders;
  others.erase(entry);
  bool inside = false;
  for (const uint32_t start : leaders) {
    const uint32_t last = LastOf(code, start, others);
    const Successors successors = SuccessorsOf(DecodeAt(code, last), last);
    if (successors.taken == entry || successors.next == entry) return false;
    inside = inside || (start < entry && entry <= last);
  }
  return inside;
}

GuestBlock MakeBlock(const uint8_t* code, uint32_t start, const std::set<uint32_t>& leaders,
                     bool shadow, uint32_t limit) {
  GuestBlock block;
  block.start = start;
  uint32_t last = LastOf(code, start, leaders);
  if (limit != 0) last = std::min(last, start + 4 * (limit - 1));
  for (uint32_t offset = start; offset <= last; offset += 4) {
    GuestInstruction instruction;
    instruction.word = DecodeAt(code, offset);
    const alpha::InstructionInfo& info = alpha::Info(instruction.word.op);
    const alpha::OperandRoles roles = alpha::RolesOf(info.shape);
    instruction.ra = Place(roles.ra, instruction.word.ra, shadow);
    instruction.rb = Place(roles.rb, instruction.word.rb, shadow);
    instruction.rc = Place(roles.rc, instruction.word.rc, shadow);
    instruction.plain = IsPlain(instruction.word);
    NotePlace(instruction, roles.ra, instruction.ra);
    if (!instruction.word.literal) NotePlace(instruction, roles.rb, instruction.rb);
    NotePlace(instruction, roles.rc, instruction.rc);
    instruction.cost_before = static_cast<uint16_t>(block.cost);
    block.cost += alpha::InstructionCost(info.cost);
    if (Planted(Bug::kBranchCostsTooMuch) && info.format == Format::kBranch) ++block.cost;
    block.code.push_back(instruction);
  }
  return block;
}

void ConnectBlocks(Region& region) {
  const auto find = [&region](const std::optional<uint32_t>& offset) {
    if (!offset) return GuestBlock::kNoBlock;
    for (size_t i = 0; i < region.blocks.size(); ++i) {
      if (region.blocks[i].start == *offset) return static_cast<int>(i);
    }
    return GuestBlock::kNoBlock;
  };
  for (GuestBlock& block : region.blocks) {
    const Successors successors = SuccessorsOf(block.last(), block.end() - 4);
    block.taken = find(successors.taken);
    block.next = find(successors.next);
  }
}

// Everything between a branch backwards and its target is taken for a loop.
void CountLoops(Region& region) {
  for (size_t from = 0; from < region.blocks.size(); ++from) {
    const int to = region.blocks[from].taken;
    if (to == GuestBlock::kNoBlock || static_cast<size_t>(to) > from) continue;
    for (size_t i = static_cast<size_t>(to); i <= from; ++i) ++region.blocks[i].depth;
  }
}

}  // namespace

uint32_t GuestBlock::needed() const {
  if (Planted(Bug::kBlockAtDeadline)) return cost;
  return std::max(cost, static_cast<uint32_t>(code.back().cost_before) + 1);
}

Region FormRegion(const ref::CodePage& page, const uint8_t* code, uint32_t offset, uint32_t limit) {
  std::set<uint32_t> leaders = {offset};
  if (limit == 0) {
    std::set<uint32_t> reached = FindLeaders(page, code, offset);
    // Else it is the rest of that block, which then goes on in the region that has it whole.
    if (!IsMidBlock(code, reached, offset)) leaders = std::move(reached);
  }
  const bool shadow =
      page.mode() == ref::DecodeMode::kPalShadow && !Planted(Bug::kShadowBankIgnored);
  Region region;
  for (const uint32_t start : leaders) {
    if (start == offset) region.entry = static_cast<int>(region.blocks.size());
    region.blocks.push_back(MakeBlock(code, start, leaders, shadow, limit));
    const GuestBlock& block = region.blocks.back();
    region.instructions += static_cast<uint32_t>(block.code.size());
    for (const GuestInstruction& instruction : block.code) {
      region.uses_float =
          region.uses_float || (alpha::Info(instruction.word.op).raises & alpha::raises::kFen) != 0;
    }
  }
  if (Planted(Bug::kFenIgnored)) region.uses_float = false;
  ConnectBlocks(region);
  CountLoops(region);
  return region;
}

}  // namespace isochron::jit
