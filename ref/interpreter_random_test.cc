// Random programs from random states: nothing crashes, and the state at a boundary does not
// depend on how the way to it was cut.

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "alpha/exceptions.h"
#include "alpha/qualifiers.h"
#include "gtest/gtest.h"
#include "ref/testing.h"

namespace isochron::ref {
namespace {

using alpha::Ipr;
using alpha::Op;
using alpha::PalEntry;
using testing::FakeIo;
using testing::HwRet;
using testing::Mfpr;
using testing::Move;
using testing::Mtpr;
using testing::Operate;
using testing::OperateLiteral;
using testing::TestMachine;

using Random = std::mt19937_64;

uint64_t Mix(uint64_t x) {
  x = (x ^ x >> 31) * 0x9e37'79b9'7f4a'7c15;
  return x ^ x >> 29;
}

// A word of a random row of the table with random operands, or any word.
uint32_t RandomWord(Random& random) {
  const auto bits = static_cast<uint32_t>(random());
  if (random() % 16 == 0) return bits;
  const Op op = static_cast<Op>(random() % static_cast<uint64_t>(Op::kReserved));
  const alpha::InstructionInfo& info = alpha::Info(op);
  if (info.format == alpha::Format::kPal) return random() % 2 == 0 ? bits & 0xff : 0x83;
  const auto variants = alpha::VariantsOf(info.qualifiers);
  uint32_t word = alpha::Skeleton(op, variants[random() % variants.size()]);
  switch (info.format) {
    case alpha::Format::kOperate:
      word |= bits & (31u << 21 | 31u);
      word = random() % 2 == 0 ? word | (bits & 31u << 16)
                               : alpha::WithLiteral(word, bits >> 13 & 0xff);
      break;
    case alpha::Format::kFloatOperate: word |= bits & (31u << 21 | 31u << 16 | 31u); break;
    case alpha::Format::kMemory: word |= bits & (31u << 21 | 31u << 16 | 0x8138); break;
    case alpha::Format::kBranch: word |= bits & (31u << 21 | 0x1f'003f); break;
    default: word |= bits & 0x03ff'ffff; break;
  }
  // Short distances stay in the program.
  if (info.format == alpha::Format::kBranch) {
    word = (word & ~0x1fffffu) | ((bits % 48 - 16) & 0x1fffff);
  }
  return word;
}

// Registers that addresses are made from: RAM, its edges, I/O space, unmapped, anything.
uint64_t RandomValue(Random& random) {
  switch (random() % 10) {
    case 0: return random() % 256;
    case 1: return random();
    case 2: return TestMachine::kKseg + TestMachine::kIo + random() % 64 * 8;
    case 3: return 0x4000'0000 + random() % 0x20000;  // through the DTB
    case 4: return TestMachine::kKseg + TestMachine::kCode + random() % 0x400 * 8;
    case 5: return TestMachine::kKseg + TestMachine::kCode + random() % 0x4000;
    case 6: return uint64_t{0xffff'ffff'ffff'ffff} << (random() % 64);
    default: return TestMachine::kKseg + TestMachine::kData + random() % 0x1000 * 8;
  }
}

// PALcode that lets programs go on: exceptions skip the instruction, misses load a mapping.
void InstallPalcode(TestMachine& machine) {
  const std::vector<uint32_t> skip = {Mfpr(22, Ipr::kExcAddr), OperateLiteral(Op::kAddq, 22, 4, 22),
                                      HwRet(22)};
  for (const PalEntry entry : {PalEntry::kFen, PalEntry::kUnalign, PalEntry::kDfault,
                               PalEntry::kOpcdec, PalEntry::kMchk, PalEntry::kArith}) {
    machine.Put(TestMachine::kPalBase + static_cast<uint64_t>(entry), skip);
  }
  // Double misses, and fetches that fail: go on at the start of the program, R16.
  for (const PalEntry entry : {PalEntry::kDtbmDouble3, PalEntry::kDtbmDouble4, PalEntry::kIacv}) {
    machine.Put(TestMachine::kPalBase + static_cast<uint64_t>(entry), {HwRet(16)});
  }
  // A data miss maps the page to one of RAM: PFN bits from the address, all rights.
  machine.Put(TestMachine::kPalBase + static_cast<uint64_t>(PalEntry::kDtbmSingle),
              {Mfpr(4, Ipr::kVa), Mtpr(4, Ipr::kDtbTag0), OperateLiteral(Op::kSrl, 4, 13, 5),
               OperateLiteral(Op::kAnd, 5, 31, 5), OperateLiteral(Op::kSll, 5, 32, 5),
               OperateLiteral(Op::kZapnot, 4, 2, 6), OperateLiteral(Op::kOrnot, 31, 0, 7),
               OperateLiteral(Op::kZapnot, 7, 2, 7), Operate(Op::kBis, 5, 7, 5),
               Mtpr(5, Ipr::kDtbPte0), Mfpr(22, Ipr::kExcAddr), HwRet(22)});
  // A fetch miss maps the program's page.
  machine.Put(TestMachine::kPalBase + static_cast<uint64_t>(PalEntry::kItbMiss),
              {Mfpr(4, Ipr::kExcAddr), Mtpr(4, Ipr::kItbTag), OperateLiteral(Op::kOrnot, 31, 0, 7),
               OperateLiteral(Op::kZapnot, 7, 2, 7), OperateLiteral(Op::kAnd, 4, 1, 5),
               alpha::WithRb(alpha::WithRa(alpha::Skeleton(Op::kLdah), 6), 31) | 1,
               Operate(Op::kBis, 6, 7, 5), Mtpr(5, Ipr::kItbPte), HwRet(4)});
  // Interrupts acknowledge the pins at the bus.
  machine.Put(TestMachine::kPalBase + static_cast<uint64_t>(PalEntry::kInterrupt),
              {testing::HwStore(alpha::HwStoreType::kPhysical, 31, -16, 31), Mtpr(31, Ipr::kSirr),
               Mfpr(22, Ipr::kExcAddr), HwRet(22)});
  for (uint64_t function = 0; function < 0x80; ++function) {
    machine.Put(TestMachine::kPalBase + 0x2000 + function * 64, {HwRet(23)});
  }
}

constexpr uint64_t kAcknowledge = 0xfff'ffff'fff0;

// A bus whose answers depend on address and time, raises and drops pins, moves the deadline
// and writes memory.
alpha::IoResult Answer(TestMachine& machine, alpha::Cpu& cpu, const FakeIo::Access& access) {
  if (access.pa == kAcknowledge) {
    cpu.irq_pins = 0;
    return {};
  }
  const uint64_t mixed = Mix(access.pa ^ access.cycle << 20 ^ access.data);
  alpha::IoResult result;
  result.cycles = static_cast<uint32_t>(mixed % 97);
  result.nonexistent = mixed >> 8 % 32 == 0;
  if (!access.write) {
    result.data = mixed >> (64 - 8 * access.size);
    return result;
  }
  switch (mixed >> 16 & 7) {
    case 0: cpu.irq_pins = mixed >> 32 & 0x3f; break;
    case 1: machine.deadline.MoveNearer(access.cycle + (mixed >> 32 & 127)); break;
    case 2: {
      const uint64_t target = TestMachine::kCode + (mixed >> 32 & 0xfff) * 4;
      const auto word = static_cast<uint32_t>(
          testing::OperateLiteral(Op::kAddq, mixed >> 44 & 31, mixed >> 50 & 255, 1));
      machine.memory.Write(target, &word, sizeof word);
      break;
    }
    default: break;
  }
  return result;
}

struct Scenario {
  uint64_t seed;
  bool random_palcode;
};

std::unique_ptr<TestMachine> Prepare(const Scenario& scenario) {
  auto machine = std::make_unique<TestMachine>(8);
  Random random(scenario.seed);
  TestMachine* raw = machine.get();
  raw->on_io = [raw](alpha::Cpu& cpu, const FakeIo::Access& access) {
    return Answer(*raw, cpu, access);
  };
  std::vector<uint32_t> words(0x4000 / 4);
  for (uint32_t& word : words) word = RandomWord(random);
  machine->Program(words);
  if (scenario.random_palcode) {
    for (uint32_t& word : words) word = RandomWord(random);
    machine->Put(TestMachine::kPalBase, words);
  } else {
    InstallPalcode(*machine);
  }
  alpha::Cpu& cpu = machine->cpu;
  for (int i = 0; i < alpha::Cpu::kIntegerSink; ++i) cpu.r[i] = RandomValue(random);
  for (int i = 0; i < alpha::Cpu::kFloatSink; ++i) {
    cpu.f[i] = random() % 3 == 0 ? random() : (random() % 5 + 0x3fe) << 52;
  }
  cpu.r[16] = TestMachine::kKseg + TestMachine::kCode;
  cpu.r[31] = cpu.f[31] = 0;
  cpu.ier = random() & alpha::interrupt::kEnableMask;
  cpu.fpcr = random() & alpha::fpcr::kImplementedMask;
  cpu.i_ctl |= alpha::i_ctl::kShadowEnable * (random() % 4 != 0);
  cpu.i_ctl |= alpha::i_ctl::kHwe * (random() % 4 == 0);
  cpu.fp_enable = random() % 8 != 0;
  cpu.asn = cpu.dtb_asn = static_cast<uint8_t>(random());
  if (random() % 4 == 0) cpu.pc |= 1;
  if (cpu.pal_mode()) cpu.pc = TestMachine::kCode | 1;
  return machine;
}

constexpr uint64_t kEnd = 20'000;

// Runs to kEnd as a sequencer does; `cut` gives the cycles until the next stop.
template <typename Cut>
std::string RunAll(TestMachine& machine, Cut cut) {
  while (machine.cpu.cycle < kEnd) {
    const uint64_t to = std::min(kEnd, machine.cpu.cycle + cut());
    const alpha::RunResult result = machine.RunTo(to);
    if (result.reason == alpha::StopReason::kFatal) return result.message;
    if (machine.cpu.InterruptDeliverable()) alpha::EnterInterrupt(machine.cpu);
  }
  return "";
}

void ExpectCutsDoNotMatter(const Scenario& scenario) {
  SCOPED_TRACE(::testing::Message() << "seed " << scenario.seed);
  auto whole = Prepare(scenario);
  const std::string whole_end = RunAll(*whole, [] { return kEnd; });
  EXPECT_EQ(whole->cpu.r[31], 0u);
  EXPECT_EQ(whole->cpu.f[31], 0u);

  auto steps = Prepare(scenario);
  const std::string steps_end = RunAll(*steps, [] { return uint64_t{1}; });
  EXPECT_EQ(steps_end, whole_end);
  EXPECT_EQ(steps->cpu.pc, whole->cpu.pc);
  EXPECT_EQ(steps->cpu.cycle, whole->cpu.cycle);
  EXPECT_EQ(steps->cpu.instructions, whole->cpu.instructions);
  ASSERT_TRUE(steps->CpuState() == whole->CpuState());
  ASSERT_TRUE(steps->MemoryState() == whole->MemoryState());

  // Cut at random; in between, what checkpoints and restores do to the engine.
  auto cuts = Prepare(scenario);
  Random random(scenario.seed + 1);
  const std::string cuts_end = RunAll(*cuts, [&] {
    if (random() % 16 == 0) cuts->memory.ClearDirty();
    if (random() % 64 == 0) cuts->engine.Invalidate();
    return random() % 4 == 0 ? 1 + random() % 2000 : 1 + random() % 60;
  });
  EXPECT_EQ(cuts_end, whole_end);
  EXPECT_EQ(cuts->cpu.cycle, whole->cpu.cycle);
  ASSERT_TRUE(cuts->CpuState() == whole->CpuState());
  ASSERT_TRUE(cuts->MemoryState() == whole->MemoryState());
}

TEST(InterpreterRandom, StateDoesNotDependOnDeadlines) {
  uint64_t instructions = 0;
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    ASSERT_NO_FATAL_FAILURE(ExpectCutsDoNotMatter({seed, false}));
    auto machine = Prepare({seed, false});
    RunAll(*machine, [] { return kEnd; });
    instructions += machine->cpu.instructions;
  }
  EXPECT_GT(instructions, 120 * 1000u) << "the programs end too early to show anything";
}

TEST(InterpreterRandom, StateDoesNotDependOnDeadlinesWithRandomPalcode) {
  for (uint64_t seed = 1001; seed <= 1120; ++seed) {
    ASSERT_NO_FATAL_FAILURE(ExpectCutsDoNotMatter({seed, true}));
  }
}

TEST(InterpreterRandom, AnyWordsRun) {
  for (uint64_t seed = 2001; seed <= 2040; ++seed) {
    auto machine = Prepare({seed, false});
    Random random(seed);
    std::vector<uint32_t> words(0x2000 / 4);
    for (uint32_t& word : words) word = static_cast<uint32_t>(random());
    machine->Program(words);
    RunAll(*machine, [] { return kEnd; });
    EXPECT_EQ(machine->cpu.r[31], 0u);
    EXPECT_EQ(machine->cpu.f[31], 0u);
  }
}

}  // namespace
}  // namespace isochron::ref
