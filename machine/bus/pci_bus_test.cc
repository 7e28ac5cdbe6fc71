#include "machine/bus/pci_bus.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "machine/bus/device_testing.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kFirst = 1 << 11;
constexpr uint64_t kSecond = 2 << 11;

// Memory that notes what is done to it.
struct FakeDma final : DmaPort {
  DmaResult ReadMemory(uint64_t address, void*, uint64_t size) override {
    log += absl::StrCat("r", address, "+", size, " ");
    return DmaResult::kOk;
  }
  DmaResult WriteMemory(uint64_t address, const void*, uint64_t size) override {
    log += absl::StrCat("w", address, "+", size, " ");
    return DmaResult::kOk;
  }
  std::string log;
};

// Registers that note how they are accessed: BAR 0 in memory, BAR 1 in I/O space.
class ProbeFunction final : public PciFunction {
 public:
  ProbeFunction() : PciFunction({.vendor = 0x1234, .device = 0x5678, .class_code = 0x020000}) {
    AddMemoryBar(0, 0x1000);
    AddIoBar(1, 8);
    SetInterruptPin(1);
  }
  void Reset() override {}
  uint64_t ReadBar(int bar, const Access& access) override {
    log += absl::StrCat("r", bar, ":", access.offset, "+", access.size, "@", access.cpu, " ");
    return AllOnes(access.size) & 0x8877665544332211;
  }
  void WriteBar(int bar, const Access& access, uint64_t value) override {
    log += absl::StrCat("w", bar, ":", access.offset, "+", access.size, "=", value, " ");
  }
  void OnConfigWrite(int reg, int size) override {
    configured += absl::StrCat(reg, "+", size, "=", Config(reg, size), " ");
  }
  void VisitState(alpha::StateVisitor&) const override {}
  void RestoreState(alpha::StateReader&) override {}

  using PciFunction::ReadMemory;
  using PciFunction::SetInterrupt;
  using PciFunction::WriteMemory;
  std::string Log() { return std::exchange(log, ""); }
  std::string log;
  std::string configured;
};

// INTA to INTD of all slots on four lines, as boards with few of them have it.
int Line(int device, int pin) { return device == 7 ? -1 : 40 + (device + pin) % 4; }

struct Bus {
  Bus() {
    bus.Attach(1, 0, first);
    bus.Attach(2, 0, second);
    bus.Reset();
  }
  uint64_t Config(uint64_t offset, int size) { return bus.config().Read({offset, size}); }
  void SetConfig(uint64_t offset, int size, uint64_t value) {
    bus.config().Write({offset, size}, value);
  }
  void Place(uint64_t function, uint32_t memory, uint32_t io) {
    SetConfig(function + 0x10, 4, memory);
    SetConfig(function + 0x14, 4, io);
    SetConfig(function + 4, 2, 3);
  }

  FakeDma dma;
  AbsentTarget ports;
  FakeIrqs irqs;
  PciBus bus{dma, ports, irqs, &Line};
  ProbeFunction first;
  ProbeFunction second;
};

class PciBusTest : public testing::Test {
 protected:
  Bus b_;
};

TEST_F(PciBusTest, OnlyWritableBitsChange) {
  b_.SetConfig(kFirst, 8, ~uint64_t{0});
  EXPECT_EQ(b_.Config(kFirst, 8), 0x0000'0547'5678'1234u);
  b_.SetConfig(kFirst + 0x3c, 4, 0xffffffff);
  EXPECT_EQ(b_.Config(kFirst + 0x3c, 4), 0x01ffu) << "the line is the system's, the pin is fixed";
}

TEST_F(PciBusTest, AFunctionIsToldOfWritesToItsConfiguration) {
  b_.SetConfig(kFirst + 0x3c, 2, 0x0505);
  EXPECT_EQ(b_.first.configured, absl::StrCat("60+2=", 0x0105, " "));
  EXPECT_EQ(b_.second.configured, "");
}

TEST_F(PciBusTest, AbsentFunctionsReadAllOnes) {
  EXPECT_EQ(b_.Config(6 << 11, 4), 0xffffffffu);
  EXPECT_EQ(b_.Config(kFirst | 1 << 8, 2), 0xffffu);
  EXPECT_EQ(b_.Config(1 << 16 | kFirst, 1), 0xffu);
  EXPECT_EQ(b_.Config(6 << 11, 8), ~uint64_t{0});
  b_.SetConfig(6 << 11, 4, 0);
}

TEST_F(PciBusTest, BarsTellTheirSizes) {
  b_.SetConfig(kFirst + 0x10, 4, 0xffffffff);
  b_.SetConfig(kFirst + 0x14, 4, 0xffffffff);
  b_.SetConfig(kFirst + 0x18, 4, 0xffffffff);
  EXPECT_EQ(b_.Config(kFirst + 0x10, 4), 0xfffff000u);
  EXPECT_EQ(b_.Config(kFirst + 0x14, 4), 0xfffffff9u);
  EXPECT_EQ(b_.Config(kFirst + 0x18, 4), 0u) << "there is none";
}

TEST_F(PciBusTest, AFunctionAnswersWhereItsBarsAndCommandSay) {
  const Access memory{0x8000'0010, 4, 3};
  EXPECT_EQ(b_.bus.memory().Read(memory), 0xffffffffu);
  b_.Place(kFirst, 0x8000'0000, 0x9000);
  EXPECT_EQ(b_.bus.memory().Read(memory), 0x44332211u);
  EXPECT_EQ(b_.bus.io().Read({0x9004, 2, 1}), 0x2211u);
  b_.bus.memory().Write({0x8000'0ff8, 8}, 5);
  b_.bus.io().Write({0x9000, 1}, 6);
  EXPECT_EQ(b_.first.Log(), "r0:16+4@3 r1:4+2@1 w0:4088+8=5 w1:0+1=6 ");
  EXPECT_EQ(b_.bus.memory().Read({0x8000'1000, 4}), 0xffffffffu) << "behind it";
  EXPECT_EQ(b_.bus.io().Read({0x9008, 1}), 0xffu);
  b_.SetConfig(kFirst + 4, 2, 1);
  EXPECT_EQ(b_.bus.memory().Read(memory), 0xffffffffu) << "memory space is off";
  EXPECT_EQ(b_.bus.io().Read({0x9000, 1}), 0x11u);
  EXPECT_EQ(b_.first.Log(), "r1:0+1@0 ");
  EXPECT_EQ(b_.second.Log(), "");
}

TEST_F(PciBusTest, WhatIsPartlyElsewhereOrTooWideIsMadeInHalves) {
  b_.Place(kFirst, 0x8000'0000, 0x9004);
  // BAR 1 is at 0x9000: it keeps no address bits below its size.
  EXPECT_EQ(b_.bus.io().Read({0x9000, 8}), 0x4433221144332211u);
  EXPECT_EQ(b_.first.Log(), "r1:0+4@0 r1:4+4@0 ");
  b_.bus.io().Write({0x9000, 8}, 0x8877665544332211);
  EXPECT_EQ(b_.first.Log(), absl::StrCat("w1:0+4=", 0x44332211, " w1:4+4=", 0x88776655u, " "));
}

TEST_F(PciBusTest, WhereTwoOverlapTheFirstAnswers) {
  b_.Place(kSecond, 0x8000'0000, 0x9000);
  b_.Place(kFirst, 0x8000'0000, 0x9000);
  b_.bus.memory().Read({0x8000'0000, 4});
  EXPECT_EQ(b_.first.Log(), "r0:0+4@0 ");
  b_.SetConfig(kFirst + 0x10, 4, 0xa000'0000);
  b_.bus.memory().Read({0x8000'0000, 4});
  EXPECT_EQ(b_.first.Log(), "");
  EXPECT_EQ(b_.second.Log(), "r0:0+4@0 ");
}

TEST_F(PciBusTest, FunctionsShareAWire) {
  b_.first.SetInterrupt(true);
  EXPECT_TRUE(b_.irqs.levels[41]);
  EXPECT_FALSE(b_.irqs.levels[42]);
  ProbeFunction third;
  b_.bus.Attach(5, 0, third);
  third.SetInterrupt(true);
  b_.first.SetInterrupt(false);
  EXPECT_TRUE(b_.irqs.levels[41]) << "the third still asks";
  EXPECT_EQ(b_.Config((5 << 11) + 6, 2) & 8, 8u);
  b_.SetConfig((5 << 11) + 4, 2, 0x400);
  EXPECT_FALSE(b_.irqs.levels[41]) << "interrupts are disabled";
  b_.SetConfig((5 << 11) + 4, 2, 0);
  EXPECT_TRUE(b_.irqs.levels[41]);
  b_.bus.Reset();
  EXPECT_FALSE(b_.irqs.levels[41]);
}

TEST_F(PciBusTest, OnlyAMasterTransfers) {
  uint8_t byte = 0;
  EXPECT_EQ(b_.first.ReadMemory(16, &byte, 1), DmaResult::kNotMaster);
  EXPECT_EQ(b_.first.WriteMemory(16, &byte, 1), DmaResult::kNotMaster);
  b_.SetConfig(kFirst + 4, 2, 4);
  EXPECT_EQ(b_.first.ReadMemory(16, &byte, 1), DmaResult::kOk);
  EXPECT_EQ(b_.first.WriteMemory(32, &byte, 1), DmaResult::kOk);
  EXPECT_EQ(b_.dma.log, "r16+1 w32+1 ");
}

TEST_F(PciBusTest, ADeviceTellsThatItHasSeveralFunctions) {
  ProbeFunction more;
  b_.bus.Attach(1, 3, more);
  b_.bus.Reset();
  EXPECT_EQ(b_.Config(kFirst + 0x0e, 1), 0x80u);
  EXPECT_EQ(b_.Config(kFirst + 0x300, 4), 0x56781234u);
  EXPECT_EQ(b_.Config(kSecond + 0x0e, 1), 0u);
}

TEST_F(PciBusTest, StateIsTheConfigurationAndWhatFollowsFromIt) {
  b_.SetConfig(kFirst + 4, 2, 4);
  b_.Place(kSecond, 0x8000'0000, 0x9000);
  Bus other;
  ASSERT_TRUE(Restore(other.bus, Save(b_.bus)).ok());
  EXPECT_EQ(other.Config(kFirst + 4, 2), 4u);
  other.bus.memory().Read({0x8000'0004, 1});
  EXPECT_EQ(other.second.Log(), "r0:4+1@0 ");
  other.bus.Reset();
  EXPECT_EQ(other.Config(kFirst + 4, 2), 0u);
  other.bus.memory().Read({0x8000'0004, 1});
  EXPECT_EQ(other.second.Log(), "");
}

}  // namespace
}  // namespace isochron::machine
