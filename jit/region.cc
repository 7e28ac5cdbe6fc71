#include "jit/region.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

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
    case Op::kMinub8:
    case Op::kMinsb8:
    case Op::kMinuw4:
    case Op::kMinsw4:
    case Op::kMaxub8:
    case Op::kMaxsb8:
    case Op::kMaxuw4:
    case Op::kMaxsw4: return true;
    default:
      return info.extension != alpha::Extension::kMvi && info.extension != alpha::Extension::kCix;
  }
}

// Some of the instructions of a page, by offset.
class Places {
 public:
  // False when it was there.
  bool Insert(uint32_t offset) {
    uint64_t& word = words_[offset / 256];
    const uint64_t bit = uint64_t{1} << (offset / 4 % 64);
    if ((word & bit) != 0) return false;
    word |= bit;
    ++size_;
    return true;
  }
  uint32_t size() const { return size_; }
  // The first one from `offset` on; the page's size: none.
  uint32_t From(uint32_t offset) const {
    for (uint32_t i = offset / 256; i < words_.size(); ++i) {
      const uint64_t first = i == offset / 256 ? ~uint64_t{0} << (offset / 4 % 64) : ~uint64_t{0};
      const uint64_t word = words_[i] & first;
      if (word != 0) return 256 * i + 4 * static_cast<uint32_t>(std::countr_zero(word));
    }
    return alpha::kPageSize;
  }
  // Calls `use` with each, in their order.
  template <typename Use>
  void ForEach(Use use) const {
    for (uint32_t i = From(0); i < alpha::kPageSize; i = From(i + 4)) use(i);
  }

 private:
  std::array<uint64_t, alpha::kPageSize / 256> words_{};
  uint32_t size_ = 0;
};

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

// The offset of the last instruction of the block at `start`.
uint32_t LastOf(const ref::CodePage& page, const uint8_t* code, uint32_t start) {
  if (const ref::Block* block = page.Find(start)) return start + 4 * (block->count - 1);
  const uint32_t limit = std::min(static_cast<uint32_t>(alpha::kPageSize),
                                  start + 4 * static_cast<uint32_t>(ref::kMaxBlockLength));
  uint32_t offset = start;
  while (offset + 4 < limit && !ref::EndsBlock(DecodeAt(code, offset).op)) offset += 4;
  return offset;
}

// The same, when the block does not run into `leaders`.
uint32_t LastOf(const ref::CodePage& page, const uint8_t* code, uint32_t start,
                const Places& leaders) {
  return std::min(LastOf(page, code, start), leaders.From(start + 4) - 4);
}

Places FindLeaders(const ref::CodePage& page, const uint8_t* code, uint32_t entry) {
  Places leaders;
  std::vector<uint32_t> open = {entry};
  uint32_t instructions = 0;
  for (size_t next = 0; next < open.size() && leaders.size() < Region::kMaxBlocks &&
                        instructions < Region::kMaxInstructions - ref::kMaxBlockLength;
       ++next) {
    const uint32_t start = open[next];
    if (!leaders.Insert(start)) continue;
    const uint32_t last = LastOf(page, code, start);
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
bool IsMidBlock(const ref::CodePage& page, const uint8_t* code, const Places& leaders,
                uint32_t entry) {
  Places others;
  leaders.ForEach([&](uint32_t start) {
    if (start != entry) others.Insert(start);
  });
  bool inside = false;
  bool reached = false;
  leaders.ForEach([&](uint32_t start) {
    const uint32_t last = LastOf(page, code, start, others);
    const Successors successors = SuccessorsOf(DecodeAt(code, last), last);
    reached = reached || successors.taken == entry || successors.next == entry;
    inside = inside || (start < entry && entry <= last);
  });
  return inside && !reached;
}

GuestBlock MakeBlock(const ref::CodePage& page, const uint8_t* code, uint32_t start,
                     const Places& leaders, bool shadow, uint32_t limit) {
  GuestBlock block;
  block.start = start;
  uint32_t last = LastOf(page, code, start, leaders);
  if (limit != 0) last = std::min(last, start + 4 * (limit - 1));
  block.code.reserve((last - start) / 4 + 1);
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
  Places leaders;
  leaders.Insert(offset);
  if (limit == 0) {
    const Places reached = FindLeaders(page, code, offset);
    // Else it is the rest of that block, which then goes on in the region that has it whole.
    if (!IsMidBlock(page, code, reached, offset)) leaders = reached;
  }
  const bool shadow =
      page.mode() == ref::DecodeMode::kPalShadow && !Planted(Bug::kShadowBankIgnored);
  Region region;
  region.blocks.reserve(leaders.size());
  leaders.ForEach([&](uint32_t start) {
    if (start == offset) region.entry = static_cast<int>(region.blocks.size());
    region.blocks.push_back(MakeBlock(page, code, start, leaders, shadow, limit));
    const GuestBlock& block = region.blocks.back();
    region.instructions += static_cast<uint32_t>(block.code.size());
    for (const GuestInstruction& instruction : block.code) {
      region.uses_float =
          region.uses_float || (alpha::Info(instruction.word.op).raises & alpha::raises::kFen) != 0;
    }
  });
  if (Planted(Bug::kFenIgnored)) region.uses_float = false;
  ConnectBlocks(region);
  CountLoops(region);
  return region;
}

}  // namespace isochron::jit
