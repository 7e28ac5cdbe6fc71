#include "machine/board.h"

#include <vector>

#include <gtest/gtest.h>

#include "alpha/cost.h"
#include "alpha/cpu.h"
#include "machine/bus/device_testing.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {
namespace {

// Addresses as PALcode uses them, and as Linux's 40-bit bias through KSEG gives them.
constexpr uint64_t kCchip = 0x801'a000'0000;
constexpr uint64_t kDchip = 0x801'b000'0000;
constexpr uint64_t kPchip0 = 0x801'8000'0000;
constexpr uint64_t kPchip1 = 0x803'8000'0000;
constexpr uint64_t kIack = 0x801'f800'0000;
constexpr uint64_t kPorts = 0x801'fc00'0000;
constexpr uint64_t kConfig = 0x801'fe00'0000;
constexpr uint64_t kPciMemory = 0x800'0000'0000;
constexpr uint64_t kTigBus = 0x801'0000'0000;
constexpr uint64_t kLinuxBias = 0xf00'0000'0000 - 0x800'0000'0000;
constexpr uint64_t kMisc = kCchip + 0x80;
constexpr uint64_t kDim0 = kCchip + 0x200;

constexpr uint64_t kMemory = 16 << 20;

// A board with its queue, driven by hand.
struct Rig {
  explicit Rig(uint64_t seed = 1) : seed(seed) { board.Reset(); }

  alpha::IoResult Read(uint64_t pa, int size) { return board.Read(cpu, pa, size); }
  void Write(uint64_t pa, int size, uint64_t data) { board.Write(cpu, pa, size, data); }
  uint8_t In(uint16_t port) { return static_cast<uint8_t>(Read(kPorts + port, 1).data); }
  void Out(uint16_t port, uint8_t value) { Write(kPorts + port, 1, value); }
  void RunTo(uint64_t cycle) {
    while (events.next() <= cycle) {
      events.SetNow(std::max(events.now(), events.next()));
      EventSlot slot;
      while (events.PopDue(slot)) EXPECT_TRUE(board.OnEvent(slot));
    }
    cpu.cycle = cycle;
    events.SetNow(cycle);
  }
  std::string State() { return Save(board) + Save(events); }

  uint64_t seed;
  std::vector<uint8_t> ram = std::vector<uint8_t>(kMemory);
  alpha::Memory memory{ram.data(), kMemory};
  alpha::Deadline deadline{kNever};
  EventQueue events{kTestHz, deadline};
  FakeIrqs irqs;
  FakeConsole console;
  alpha::Cpu cpu{0, 128, 128};
  Board board{{.rtc_base_seconds = 1262304000, .seed = seed}, memory, events, &console, irqs};
};

TEST(BoardTest, DecodesEveryRegionAndCharges) {
  Rig rig;
  const auto cost = [](alpha::CostClass c) { return alpha::InstructionCost(c); };
  const struct {
    uint64_t pa;
    int size;
    uint64_t data;
    alpha::CostClass cost;
  } kReads[] = {
      {kCchip + 0x100, 8, 0x1000, alpha::CostClass::kChipsetCsr},
      {kDchip + 0x880, 8, 0x0101010101010101, alpha::CostClass::kChipsetCsr},
      {kPchip0 + 0x300, 8, 0x0000104401440081, alpha::CostClass::kChipsetCsr},
      {kConfig + (7 << 11), 4, 0x04848086, alpha::CostClass::kPciConfig},
      {kConfig + (6 << 11), 4, 0xffffffff, alpha::CostClass::kPciConfig},
      {kPorts + 0x3fd, 1, 0x60, alpha::CostClass::kIsaPort},
      {kPorts + 0x300, 2, 0xffff, alpha::CostClass::kIsaPort},
      {kPciMemory + 0xa0000, 4, 0xffffffff, alpha::CostClass::kIoMemoryMapped},
      {kTigBus, 8, ~uint64_t{0}, alpha::CostClass::kIoMemoryMapped},
      {kIack, 4, 7, alpha::CostClass::kIsaPort},
  };
  for (const auto& read : kReads) {
    for (uint64_t bias : {uint64_t{0}, kLinuxBias}) {
      const alpha::IoResult result = rig.Read(read.pa + bias, read.size);
      EXPECT_EQ(result.data, read.data) << std::hex << read.pa;
      EXPECT_EQ(result.cycles, cost(read.cost)) << std::hex << read.pa;
      EXPECT_FALSE(result.nonexistent);
    }
  }
  EXPECT_EQ(rig.Read(kMisc, 8).data >> 28 & 1, 0u);
}

TEST(BoardTest, NothingThereIsAnError) {
  for (uint64_t pa :
       {kMemory, uint64_t{1} << 40, kPchip1, uint64_t{0x801'4000'2000}, uint64_t{0x801'c000'0000},
        uint64_t{0x801'ff00'0000}, uint64_t{0x807'ffff'fff8}}) {
    Rig rig;
    EXPECT_TRUE(rig.Read(pa, 8).nonexistent) << std::hex << pa;
    EXPECT_EQ(rig.Read(kMisc, 8).data >> 28 & 1, 1u);
    rig.Write(kMisc, 8, 1 << 28);
    EXPECT_FALSE(rig.board.Write(rig.cpu, pa, 8, 0).nonexistent);  // only latched
    EXPECT_EQ(rig.Read(kMisc, 8).data >> 28 & 1, 1u);
  }
}

TEST(BoardTest, UartInterruptReachesTheCpuAndIsAcknowledged) {
  Rig rig;
  rig.Write(kDim0, 8, uint64_t{1} << 55);
  rig.Out(0x21, 0xef);  // unmask IRQ 4
  rig.Out(0x3fc, 0x0b);
  rig.Out(0x3f9, 0x01);
  EXPECT_FALSE(rig.irqs.levels[1]);
  rig.board.uart(0).Receive("x");
  rig.RunTo(kTestHz / 1000);
  EXPECT_TRUE(rig.irqs.levels[1]);
  EXPECT_EQ(rig.Read(kIack, 8).data, 4u);
  EXPECT_FALSE(rig.irqs.levels[1]);
  EXPECT_EQ(rig.In(0x3f8), 'x');
  rig.Out(0x20, 0x64);
  EXPECT_FALSE(rig.irqs.levels[1]);
}

TEST(BoardTest, SecondUartIsIrqThree) {
  Rig rig;
  rig.Out(0x21, 0xf7);
  rig.Out(0x2fc, 0x08);
  rig.Out(0x2f9, 0x02);
  EXPECT_EQ(rig.Read(kIack, 4).data, 3u);
  rig.Out(0x2f8, 'z');
  rig.RunTo(kTestHz / 1000);
  EXPECT_EQ(rig.console.bytes[1], "z");
}

TEST(BoardTest, ClockTicksThroughTheCchip) {
  Rig rig;
  rig.Out(0x70, 0x0b);
  rig.Out(0x71, 0x42);
  uint64_t ticks = 0;
  for (uint64_t cycle = 0; cycle < kTestHz; cycle += 100'000) {
    rig.RunTo(cycle);
    if (!rig.irqs.levels[2]) continue;
    ++ticks;
    rig.Write(kMisc, 8, 0x10);
    EXPECT_FALSE(rig.irqs.levels[2]);
  }
  EXPECT_EQ(ticks, 1023u);  // the last of the second is at its end
}

TEST(BoardTest, TimerIsIrqZero) {
  Rig rig;
  rig.Out(0x21, 0xfe);
  rig.Out(0x43, 0x34);
  rig.Out(0x40, 100);
  rig.Out(0x40, 0);
  EXPECT_EQ(rig.Read(kIack, 4).data, 0u);  // mode 2: the output is high at once
  rig.Out(0x20, 0x20);
  rig.RunTo(kTestHz / 1000);
  EXPECT_EQ(rig.Read(kIack, 4).data, 0u);
}

TEST(BoardTest, PchipErrorIsDrir62) {
  Rig rig;
  rig.Write(kDim0, 8, uint64_t{1} << 62);
  rig.Write(kPchip0 + 0x400, 8, 1);
  rig.Write(kPchip0 + 0x440, 8, 1);
  EXPECT_TRUE(rig.irqs.levels[0]);
}

TEST(BoardTest, MiscShowsTheReadingCpu) {
  Rig rig;
  alpha::Cpu second(1, 128, 128);
  EXPECT_EQ(rig.board.Read(second, kMisc, 8).data & 3, 1u);
  EXPECT_EQ(rig.Read(kMisc, 8).data & 3, 0u);
}

TEST(BoardTest, PowerOffMovesTheDeadlineToNow) {
  Rig rig;
  rig.RunTo(5000);
  rig.Write(FW_PLATFORM_PA + FW_PLATFORM_POWER, 8, 1);
  EXPECT_EQ(rig.board.platform().power_request(), PowerRequest::kOff);
  EXPECT_LE(rig.deadline.cycle, 5000u);
  rig.RunTo(5001);
}

TEST(BoardTest, EventsOfOthersAreNotTaken) {
  Rig rig;
  EXPECT_FALSE(rig.board.OnEvent({DeviceId::kSequencer, 0}));
}

TEST(BoardTest, ResetGivesThePowerOnStateOfItsCycle) {
  Rig used;
  used.Out(0x3fb, 0x83);
  used.Write(kDim0, 8, 5);
  used.Out(0x21, 0);
  used.Out(0x43, 0x34);
  used.Out(0x40, 100);
  used.Out(0x40, 0);
  used.Read(FW_PLATFORM_PA + FW_PLATFORM_ENTROPY, 8);
  used.RunTo(123456);
  used.board.Reset();
  Rig fresh;
  fresh.RunTo(123456);
  fresh.board.Reset();
  EXPECT_EQ(used.State(), fresh.State());
}

// Does something with every device, the same for the same step.
void Disturb(Rig& rig, int step) {
  switch (step % 8) {
    case 0: rig.Out(0x3f8, static_cast<uint8_t>('a' + step % 26)); break;
    case 1: rig.board.uart(0).Receive("key"); break;
    case 2:
      rig.Out(0x70, 0x0b);
      rig.Out(0x71, 0x72);
      break;
    case 3:
      rig.Out(0x43, 0x34);
      rig.Out(0x40, 0x80);
      rig.Out(0x40, 0x02);
      break;
    case 4:
      rig.Out(0x21, 0);
      rig.Read(kIack, 4);
      rig.Out(0x20, 0x20);
      break;
    case 5:
      rig.Write(kMisc, 8, 0x10);
      rig.Write(kDim0, 8, ~uint64_t{0});
      break;
    case 6:
      rig.Read(FW_PLATFORM_PA + FW_PLATFORM_ENTROPY, 8);
      rig.Write(kPchip0, 8, 0x800003);
      break;
    case 7:
      rig.Out(0x3fc, 0x0b);
      rig.Out(0x3fa, 0x41);
      rig.Out(0x3f9, 0x0f);
      rig.In(0x3f8);
      break;
  }
}

TEST(BoardTest, RestoredBoardGoesOnAlike) {
  Rig first;
  for (int step = 0; step < 100; ++step) {
    first.RunTo(first.cpu.cycle + 12347);
    Disturb(first, step * 5);
  }
  const std::string board = Save(first.board);
  const std::string events = Save(first.events);
  Rig second(99);  // another seed: the state counts
  ASSERT_TRUE(Restore(second.events, events).ok());
  ASSERT_TRUE(Restore(second.board, board).ok());
  second.cpu.cycle = first.cpu.cycle;
  second.irqs.levels = first.irqs.levels;
  EXPECT_EQ(first.State(), second.State());
  for (int step = 100; step < 400; ++step) {
    for (Rig* rig : {&first, &second}) {
      rig->RunTo(rig->cpu.cycle + 12347);
      Disturb(*rig, step * 3);
    }
    ASSERT_EQ(first.State(), second.State()) << step;
    ASSERT_EQ(first.irqs.levels, second.irqs.levels) << step;
  }
}

TEST(BoardTest, EventsAtOneCycleHappenInDeviceOrder) {
  Rig rig;
  rig.RunTo(kTestHz);
  for (DeviceId id : {DeviceId::kUart1, DeviceId::kPit, DeviceId::kUart0}) {
    rig.events.Schedule({id, 1}, kTestHz + 10);
    rig.events.Schedule({id, 0}, kTestHz + 10);
  }
  rig.events.Schedule({DeviceId::kPlatform, 0}, kTestHz + 9);
  rig.events.SetNow(kTestHz + 10);
  std::vector<std::pair<DeviceId, int>> order;
  EventSlot slot;
  while (rig.events.PopDue(slot)) order.push_back({slot.device, slot.kind});
  EXPECT_EQ(order, (std::vector<std::pair<DeviceId, int>>{{DeviceId::kPlatform, 0},
                                                          {DeviceId::kPit, 0},
                                                          {DeviceId::kPit, 1},
                                                          {DeviceId::kUart0, 0},
                                                          {DeviceId::kUart0, 1},
                                                          {DeviceId::kUart1, 0},
                                                          {DeviceId::kUart1, 1}}));
}

}  // namespace
}  // namespace isochron::machine
