#include "engines/faulty_engine.h"

#include <cstdint>
#include <memory>
#include <string>

#include "alpha/encode.h"
#include "gtest/gtest.h"
#include "ref/testing.h"

namespace isochron::engines {
namespace {

using alpha::Op;
using namespace alpha::words;  // NOLINT: an assembler
using ref::testing::TestMachine;

// A loop that counts in R1 and writes to a device in each turn.
void Load(TestMachine& machine) {
  machine.Program({OperateLiteral(Op::kAddl, 1, 1, 1), MemoryOp(Op::kStq, 1, 0, 16),
                   BranchOp(Op::kBr, 31, -3)});
  machine.cpu.r[16] = TestMachine::kKseg + TestMachine::kIo;
}

// It stops where every engine does: at the first boundary past the deadline, which a device may
// move nearer, and nowhere before.
TEST(FaultyEngine, StopsAtTheBoundariesOfTheInterpreter) {
  for (const char* fault : {"cmovlbs", "cycle@1000000", "register@200"}) {
    TestMachine sound;
    TestMachine faulty;
    const auto engine = (*FaultyInterpreter(fault))(faulty.memory, faulty.io);
    ASSERT_TRUE(engine.ok()) << engine.status();
    for (TestMachine* machine : {&sound, &faulty}) {
      Load(*machine);
      machine->on_io = [machine](alpha::Cpu& cpu, const ref::testing::FakeIo::Access&) {
        if (cpu.r[1] % 8 == 0) machine->deadline.MoveNearer(cpu.cycle + 20);
        return alpha::IoResult{};
      };
    }
    for (uint64_t cycle = 0; cycle < 3'000; cycle += 97) {
      sound.deadline.cycle = faulty.deadline.cycle = cycle;
      sound.engine.Run(sound.cpu, sound.deadline);
      (*engine)->Run(faulty.cpu, faulty.deadline);
      ASSERT_EQ(faulty.cpu.cycle, sound.cpu.cycle) << fault;
      ASSERT_EQ(faulty.cpu.pc, sound.cpu.pc) << fault;
      ASSERT_EQ(faulty.deadline.cycle, sound.deadline.cycle) << fault;
    }
  }
}

TEST(FaultyEngine, DoesWhatItsNameSays) {
  TestMachine machine;
  Load(machine);
  const auto engine = (*FaultyInterpreter("addl"))(machine.memory, machine.io);
  ASSERT_TRUE(engine.ok()) << engine.status();
  machine.cpu.r[1] = 0xffff'ffff'8000'0000;
  machine.deadline.cycle = machine.cpu.cycle + 1;
  (*engine)->Run(machine.cpu, machine.deadline);
  EXPECT_EQ(machine.cpu.r[1], 0x8000'0001u) << "no sign";
  EXPECT_FALSE(FaultyInterpreter("no-such-fault").ok());
}

}  // namespace
}  // namespace isochron::engines
