#include "machine/board.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "alpha/cost.h"
#include "alpha/cpu.h"
#include "alpha/lock_watch.h"
#include "alpha/state_list.h"
#include "machine/bus/device_testing.h"
#include "machine/devices/copier_testing.h"
#include "machine/disks/disk.h"
#include "machine/disks/disk_testing.h"
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
    RunEventsTo(events, cycle);
    cpu.cycle = cycle;
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
  rig.board.input(Port::Uart(0))->Receive("x");
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
    case 1: rig.board.input(Port::Uart(0))->Receive("key"); break;
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

TEST(BoardTest, InputGoesToTheDeviceOfItsPort) {
  Rig rig;
  EXPECT_EQ(rig.board.input(Port::Uart(2)), nullptr);
  EXPECT_EQ(rig.board.Waiting(Port::Uart(2)), 0u);
  rig.board.input(Port::Uart(1))->Receive("abc");
  EXPECT_EQ(rig.board.Waiting(Port::Uart(0)), 0u);
  EXPECT_EQ(rig.board.Waiting(Port::Uart(1)), 3u);
}

// The places of devices among events are part of the model: each is found where saved states have
// it.
TEST(BoardTest, EventsStandInTheOrderOfTheModel) {
  const auto due = [](const Rig& rig) {
    std::vector<int> slots;
    alpha::StateLister lister("events.due");
    lister.Whole(rig.events);
    for (size_t slot = 0; slot < lister.fields().size(); ++slot) {
      if (lister.fields()[slot].value != kNever) slots.push_back(static_cast<int>(slot));
    }
    return slots;
  };
  Rig rig;
  const std::vector<int> at_reset = due(rig);
  EXPECT_EQ(at_reset, (std::vector<int>{16})) << "the clock's next second";
  rig.Out(0x43, 0x34);
  rig.Out(0x40, 100);
  rig.Out(0x40, 0);
  rig.Out(0x3f8, 'x');
  rig.board.input(Port::Uart(1))->Receive("y");
  rig.Out(0x2fc, 0x0b);
  rig.Write(FW_PLATFORM_PA + FW_PLATFORM_WAIT, 8, 1);
  EXPECT_EQ(due(rig), (std::vector<int>{12, 16, 20, 25, 28}));
}

// A device that is no part of the board: docs/architecture.md, "A new device".
struct CopierRig : Rig {
  static constexpr int kSlot = 3;
  static constexpr uint64_t kFunction = kConfig + (kSlot << 11);
  static constexpr uint32_t kBase = 0x0900'0000;
  static constexpr uint64_t kDrirBit = uint64_t{1} << 16;  // INTA of slot 3
  static constexpr uint64_t kDrir = kCchip + 0x300;
  static constexpr uint64_t kDirect = 0x8000'0000;  // window 1 as the console leaves it
  static constexpr uint64_t kMapped = 0x0080'0000;  // window 0: 8 MiB by scatter-gather

  CopierRig() {
    board.AddPci<Copier>("copier", kSlot, 0, events);
    board.Reset();
  }

  // What an operating system does: finds the function, gives it an address, turns it on.
  void TurnOn() {
    Write(kFunction + 0x10, 4, kBase);
    Write(kFunction + 4, 2, 6);
    Write(kDim0, 8, kDrirBit);
  }
  uint64_t Register(uint64_t reg) { return Read(kPciMemory + kBase + reg, 8).data; }
  void SetRegister(uint64_t reg, uint64_t value) { Write(kPciMemory + kBase + reg, 8, value); }
  void Start(uint64_t source, uint64_t target, uint64_t size) {
    SetRegister(Copier::kSource, source);
    SetRegister(Copier::kTarget, target);
    SetRegister(Copier::kSize, size);
    SetRegister(Copier::kGo, 1);
  }
  std::string Ram(uint64_t pa, size_t size) const {
    return std::string(reinterpret_cast<const char*>(ram.data()) + pa, size);
  }
  bool Interrupted() { return irqs.levels[1] && (Read(kDrir, 8).data & kDrirBit) != 0; }
};

TEST(NewDeviceTest, IsFoundAndSized) {
  CopierRig rig;
  EXPECT_EQ(rig.Read(CopierRig::kFunction, 4).data, 0xc0b11234u);
  EXPECT_EQ(rig.Read(CopierRig::kFunction + 0x3c, 2).data, 0x0100u) << "INTA";
  rig.Write(CopierRig::kFunction + 0x10, 4, 0xffffffff);
  EXPECT_EQ(rig.Read(CopierRig::kFunction + 0x10, 4).data, 0xffffff00u);
  EXPECT_EQ(rig.Read(kPciMemory + CopierRig::kBase, 8).data, ~uint64_t{0}) << "nobody is there yet";
  rig.TurnOn();
  const alpha::IoResult status = rig.Read(kPciMemory + CopierRig::kBase + Copier::kStatus, 8);
  EXPECT_EQ(status.data, Copier::kIdle);
  EXPECT_EQ(status.cycles, alpha::InstructionCost(alpha::CostClass::kIoMemoryMapped));
  EXPECT_EQ(rig.Read(kPciMemory + CopierRig::kBase + Copier::kBarSize, 8).data, ~uint64_t{0});
}

TEST(NewDeviceTest, TransfersAndInterrupts) {
  CopierRig rig;
  rig.TurnOn();
  rig.memory.Write(0x4000, "direct", 6);
  rig.RunTo(1000);
  rig.Start(CopierRig::kDirect + 0x4000, CopierRig::kDirect + 0x8000, 6);
  EXPECT_EQ(rig.deadline.cycle, 1000 + Copier::kCycles);
  rig.RunTo(1000 + Copier::kCycles - 1);
  EXPECT_EQ(rig.Register(Copier::kStatus), Copier::kBusy);
  EXPECT_FALSE(rig.Interrupted());
  EXPECT_EQ(rig.Ram(0x8000, 6), std::string(6, '\0'));
  rig.RunTo(1000 + Copier::kCycles);
  EXPECT_EQ(rig.Register(Copier::kStatus), Copier::kDone);
  EXPECT_TRUE(rig.Interrupted());
  EXPECT_EQ(rig.Ram(0x8000, 6), "direct");
  rig.SetRegister(Copier::kStatus, 0);
  EXPECT_FALSE(rig.Interrupted());
}

TEST(NewDeviceTest, TransfersThroughAScatterGatherMap) {
  CopierRig rig;
  rig.TurnOn();
  constexpr uint64_t kTable = 0x10000;
  rig.Write(kPchip0 + 0x200, 8, kTable);
  rig.memory.Store<uint64_t>(kTable, (uint64_t{0x4000} >> 12) | 1);
  rig.memory.Store<uint64_t>(kTable + 8, (uint64_t{0x20000} >> 12) | 1);
  rig.memory.Write(0x4000, "mapped", 6);
  rig.memory.ClearDirty();
  rig.Start(CopierRig::kMapped, CopierRig::kMapped + 0x2000, 6);
  rig.RunTo(Copier::kCycles);
  EXPECT_EQ(rig.Register(Copier::kStatus), Copier::kDone);
  EXPECT_EQ(rig.Ram(0x20000, 6), "mapped");
  EXPECT_TRUE(rig.memory.IsDirty(0x20000)) << "digests look at the page again";
  rig.Start(CopierRig::kMapped, CopierRig::kMapped + 0x4000, 6);
  rig.RunTo(2 * Copier::kCycles);
  EXPECT_EQ(rig.Register(Copier::kStatus), Copier::kFailed) << "the entry is not valid";
  EXPECT_EQ(rig.Read(kPchip0 + 0x3c0, 8).data & 0xfff, 0x10u);
}

TEST(NewDeviceTest, TakesTheLockOfACpu) {
  CopierRig rig;
  rig.TurnOn();
  alpha::LockWatch locks(rig.memory);
  locks.Add(rig.cpu);
  rig.cpu.lock_flag = true;
  rig.cpu.lock_address = 0x8000;
  rig.Start(CopierRig::kDirect, CopierRig::kDirect + 0x8038, 8);
  EXPECT_TRUE(rig.cpu.lock_flag);
  rig.RunTo(Copier::kCycles);
  EXPECT_FALSE(rig.cpu.lock_flag);
}

TEST(NewDeviceTest, IsSavedAndRestored) {
  CopierRig first;
  first.TurnOn();
  first.memory.Write(0x4000, "saved", 5);
  first.Start(CopierRig::kDirect + 0x4000, CopierRig::kDirect + 0x8000, 5);
  CopierRig second;
  ASSERT_TRUE(Restore(second.events, Save(first.events)).ok());
  ASSERT_TRUE(Restore(second.board, Save(first.board)).ok());
  second.memory.Write(0x4000, "saved", 5);
  for (CopierRig* rig : {&first, &second}) {
    rig->RunTo(Copier::kCycles);
    EXPECT_TRUE(rig->Interrupted());
    EXPECT_EQ(rig->Ram(0x8000, 5), "saved");
  }
  EXPECT_EQ(first.State(), second.State());
}

TEST(NewDeviceTest, ComesAfterTheBoardsOwnInStateAndEvents) {
  Rig plain;
  CopierRig rig;
  const std::string state = Save(rig.board);
  const std::string before = Save(plain.board);
  // Its configuration space follows that of the ISA bridge, its own state that of all others.
  EXPECT_EQ(state.size(), before.size() + PciFunction::kConfigSize + 4 + 6 + 4 * 8);
  alpha::StateLister lister("events.due");
  rig.Write(CopierRig::kFunction + 0x10, 4, CopierRig::kBase);
  rig.TurnOn();
  rig.SetRegister(Copier::kGo, 1);
  lister.Whole(rig.events);
  EXPECT_EQ(lister.fields()[32].value, Copier::kCycles);
}

TEST(VirtioDevicesTest, AreThereWhenTheyAreAskedFor) {
  std::vector<uint8_t> ram(kMemory);
  alpha::Memory memory(ram.data(), kMemory);
  alpha::Deadline deadline{kNever};
  EventQueue events(kTestHz, deadline);
  FakeIrqs irqs;
  Disk disk(std::make_shared<ZeroContents>(kSectorSize), false);
  const auto at = [](uint64_t slot, uint64_t function) {
    return kConfig + (slot << 11) + (function << 8);
  };
  BoardOptions options{
      .disks = {{DiskConfig::Interface::kVirtio, &disk}, {DiskConfig::Interface::kVirtio, &disk}},
      .entropy_device = true,
      .network = NetworkConfig()};
  Board board(options, memory, events, nullptr, irqs);
  board.Reset();
  alpha::Cpu cpu{0, 128, 128};
  for (const uint64_t function : {0, 1}) {
    EXPECT_EQ(board.Read(cpu, at(1, function), 4).data, 0x10011af4u);
    EXPECT_EQ(board.Read(cpu, at(1, function) + 0x3d, 1).data, function + 1) << "INTA, INTB";
  }
  EXPECT_EQ(board.Read(cpu, at(1, 0) + 0x0e, 1).data, 0x80u) << "several functions";
  EXPECT_EQ(board.Read(cpu, at(1, 2), 4).data, 0xffffffffu);
  EXPECT_EQ(board.Read(cpu, at(2, 0), 4).data, 0x10051af4u);
  EXPECT_EQ(board.Read(cpu, at(3, 0), 4).data, 0x10001af4u);
  EXPECT_NE(board.input(Port::Network()), nullptr);
  Rig without;
  EXPECT_EQ(without.Read(at(1, 0), 4).data, 0xffffffffu);
  EXPECT_EQ(without.Read(at(2, 0), 4).data, 0xffffffffu);
  EXPECT_EQ(without.Read(at(3, 0), 4).data, 0xffffffffu);
  EXPECT_EQ(without.board.input(Port::Network()), nullptr);
  EXPECT_EQ(Save(without.board).find("virtio"), std::string::npos);
}

TEST(NetworkDeviceTest, IsOfTheModelThatIsAskedFor) {
  std::vector<uint8_t> ram(kMemory);
  alpha::Memory memory(ram.data(), kMemory);
  alpha::Deadline deadline{kNever};
  EventQueue events(kTestHz, deadline);
  FakeIrqs irqs;
  BoardOptions options;
  options.network.emplace().model = NetworkConfig::Model::kTulip;
  Board board(options, memory, events, nullptr, irqs);
  board.Reset();
  alpha::Cpu cpu{0, 128, 128};
  EXPECT_EQ(board.Read(cpu, kConfig + (3 << 11), 4).data, 0x00191011u);
  EXPECT_NE(board.input(Port::Network()), nullptr);
}

}  // namespace
}  // namespace isochron::machine
