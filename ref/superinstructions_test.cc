#include "ref/superinstructions.h"

#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "ref/decode_block.h"
#include "ref/oracle.h"
#include "ref/testing.h"

namespace isochron::ref {
namespace {

using namespace testing;  // NOLINT: the assembler
using Random = std::mt19937_64;

// The rows of ref/superinstructions.inc as they are written there.
constexpr std::string_view kRows[] = {
#define ISOCHRON_SUPERINSTRUCTION(...) #__VA_ARGS__,
#include "ref/superinstructions.inc"
#undef ISOCHRON_SUPERINSTRUCTION
};

std::map<std::string, Op> Instructions() {
  constexpr std::string_view kNames[] = {
#define ISOCHRON_INSTRUCTION(Name, ...) #Name,
#include "alpha/instructions.inc"
  };
  std::map<std::string, Op> instructions = {{"Jump", Op::kJmp}};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    instructions[std::string(kNames[i])] = static_cast<Op>(i);
  }
  return instructions;
}

struct Part {
  Op op;
  bool literal = false;
  char reuse = 'N';
};

// The parts of a row.
std::vector<Part> Parse(std::string_view row) {
  static const std::map<std::string, Op> instructions = Instructions();
  constexpr std::string_view kLiteral = "Literal";
  std::vector<Part> parts;
  std::istringstream in{std::string(row)};
  for (std::string name; std::getline(in >> std::ws, name, ',');) {
    Part part;
    if (name.ends_with('>')) {
      part.reuse = name[name.size() - 2];
      name.resize(name.size() - 3);
    }
    part.literal = name.ends_with(kLiteral);
    if (part.literal) name.resize(name.size() - kLiteral.size());
    part.op = instructions.at(name);
    parts.push_back(part);
  }
  return parts;
}

// Registers: R1 to R7, from here on bases, and one with all bits set.
constexpr uint32_t kFirstBase = 8;
constexpr uint32_t kBases = 4;
constexpr uint32_t kOnes = 12;

uint32_t AnyBase(Random& random) { return static_cast<uint32_t>(kFirstBase + random() % kBases); }

// An instruction with this form where the one before it writes to register `before`.
uint32_t Encode(const Part& part, uint32_t before, Random& random) {
  const alpha::OperandRoles roles = alpha::RolesOf(alpha::Info(part.op).shape);
  const auto any = [&] {
    const auto reg = static_cast<uint32_t>(1 + random() % 6);
    return reg == before ? reg + 1 : reg;
  };
  const uint32_t ra = part.reuse == 'A' ? before : any();
  const auto displacement = static_cast<int32_t>(random() % 8 * 8);
  switch (alpha::Info(part.op).format) {
    case alpha::Format::kMemory: {
      const uint32_t rb = part.reuse == 'B' ? before : AnyBase(random);
      return MemoryOp(part.op, ra, displacement, rb);
    }
    case alpha::Format::kBranch: return BranchOp(part.op, ra, displacement);
    case alpha::Format::kJump: return JumpOp(part.op, 31, any());
    default: break;
  }
  const uint32_t rc = any();
  if (part.literal) return OperateLiteral(part.op, ra, random() % 64, rc);
  const bool reads_ra = roles.ra != alpha::RegisterRole::kNone;
  return Operate(part.op, reads_ra ? ra : 31, part.reuse == 'B' ? before : any(), rc);
}

// The register that an instruction leaves its result of; 0: none of those that are used here.
uint32_t ResultOf(uint32_t word) {
  const alpha::Instruction instruction = alpha::Decode(word);
  if (!LeavesResult(instruction.op)) return 0;
  return alpha::Info(instruction.op).format == alpha::Format::kOperate ? instruction.rc
                                                                       : instruction.ra;
}

// The words of a row, with one more before them, which no row has, when the first of them takes a
// result from it.
std::vector<uint32_t> Encode(std::string_view row, Random& random) {
  std::vector<uint32_t> words;
  uint32_t before = 0;
  if (Parse(row)[0].reuse != 'N') {
    before = static_cast<uint32_t>(1 + random() % 6);
    words.push_back(Operate(Op::kEqv, AnyBase(random), kOnes, before));
  }
  for (const Part& part : Parse(row)) {
    words.push_back(Encode(part, before, random));
    before = ResultOf(words.back());
  }
  return words;
}

BlockPtr Decode(const std::vector<uint32_t>& words) {
  return DecodeBlock(reinterpret_cast<const uint8_t*>(words.data()), 0, DecodeMode::kNative,
                     static_cast<int>(words.size()));
}

TEST(Superinstructions, EveryRowIsFound) {
  Random random(1);
  for (const std::string_view row : kRows) {
    const std::vector<uint32_t> words = Encode(row, random);
    const BlockPtr block = Decode(words);
    ASSERT_EQ(block->count, words.size()) << row;
    const auto first = static_cast<uint32_t>(words.size() - Parse(row).size());
    for (uint32_t i = 0; i < block->count; ++i) {
      const Handler handler = block->operations()[i].handler;
      EXPECT_EQ(HandlerBeforeJoining(handler) != handler, i == first) << row << ", operation " << i;
    }
  }
}

// A machine that stands before the words of a row.
class RowMachine {
 public:
  RowMachine() : oracle_(machine_.memory, machine_.io), start_(machine_.cpu) {}

  // With registers and memory that depend on the seed alone.
  void Prepare(const std::vector<uint32_t>& words, uint64_t seed) {
    Random random(seed);
    alpha::Cpu& cpu = machine_.cpu;
    cpu = start_;
    machine_.Program(words);
    for (uint64_t i = 0; i < kDataBytes; i += 8) {
      machine_.memory.Store(TestMachine::kData + i, Value(random));
    }
    for (int i = 1; i <= 7; ++i) cpu.r[i] = Value(random);
    for (uint32_t i = 0; i < kBases; ++i) cpu.r[kFirstBase + i] = Address(random);
    cpu.r[kOnes] = ~uint64_t{0};
    for (int i = 1; i <= 7; ++i)
      cpu.f[i] = random() % 4 == 0 ? random() : (random() % 5 + 0x3fe) << 52;
    cpu.fp_enable = seed % 4 != 0;
  }
  void RunTo(uint64_t cycle, bool by_oracle) {
    machine_.deadline.cycle = cycle;
    alpha::Engine& engine = by_oracle ? static_cast<alpha::Engine&>(oracle_) : machine_.engine;
    engine.Run(machine_.cpu, machine_.deadline);
  }
  std::string State() const {
    std::string data(kDataBytes, '\0');
    std::memcpy(data.data(), machine_.memory.host(TestMachine::kData), data.size());
    return machine_.CpuState() + data;
  }
  const alpha::Cpu& cpu() const { return machine_.cpu; }

 private:
  static constexpr uint64_t kDataBytes = 1024;

  static uint64_t Address(Random& random) {
    const uint64_t address = TestMachine::kKseg + TestMachine::kData + kDataBytes / 2;
    switch (random() % 8) {
      case 0: return address + random() % 64;  // unaligned, more often than not
      case 1: return 0x4000'0000;              // not mapped
      default: return address + random() % 16 * 8;
    }
  }
  static uint64_t Value(Random& random) {
    switch (random() % 4) {
      case 0: return random();
      case 1: return Address(random);
      default: return random() % 32;
    }
  }

  TestMachine machine_;
  Oracle oracle_;
  const alpha::Cpu start_;
};

// What a row does is what its instructions do one by one, wherever it is cut.
TEST(Superinstructions, EveryRowDoesWhatItsInstructionsDo) {
  constexpr int kDraws = 24;
  constexpr int kMostDraws = 1000;
  RowMachine joined, single;
  Random random(2);
  for (const std::string_view row : kRows) {
    SCOPED_TRACE(row);
    int whole = 0;
    for (int draw = 0; draw < (whole == 0 ? kMostDraws : kDraws); ++draw) {
      const std::vector<uint32_t> words = Encode(row, random);
      const BlockPtr block = Decode(words);
      const uint64_t seed = random();
      for (uint32_t cut = 1; cut <= block->count; ++cut) {
        const uint64_t cycle = block->cost_before()[cut];
        for (RowMachine* machine : {&joined, &single}) {
          machine->Prepare(words, seed);
          machine->RunTo(cycle, machine == &single);
        }
        ASSERT_EQ(joined.cpu().pc, single.cpu().pc) << "after " << cut << " of draw " << draw;
        ASSERT_TRUE(joined.State() == single.State()) << "after " << cut << " of draw " << draw;
      }
      if (joined.cpu().instructions == block->count) ++whole;
    }
    EXPECT_GT(whole, 0) << "always cut short by a fault";
  }
}

}  // namespace
}  // namespace isochron::ref
