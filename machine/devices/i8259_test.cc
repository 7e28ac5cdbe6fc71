#include "machine/devices/i8259.h"

#include <gtest/gtest.h>

#include "machine/bus/device_testing.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kMaster = 0, kMasterData = 1, kSlave = 2, kSlaveData = 3, kElcr1 = 4, kElcr2 = 5;

class PicPairTest : public testing::Test {
 protected:
  PicPairTest() { pics_.Reset(); }

  void Write(uint64_t offset, uint8_t value) { pics_.Write({offset, 1}, value); }
  uint8_t Read(uint64_t offset) { return static_cast<uint8_t>(pics_.Read({offset, 1})); }
  void UnmaskAll() {
    Write(kMasterData, 0);
    Write(kSlaveData, 0);
  }
  uint8_t InService(uint64_t chip) {
    Write(chip, 0x0b);
    return Read(chip);
  }
  uint8_t Requests(uint64_t chip) {
    Write(chip, 0x0a);
    return Read(chip);
  }
  // ICW1 to ICW4 for both chips.
  void Initialise(uint8_t icw1, uint8_t master_icw4, uint8_t slave_icw4) {
    for (uint64_t chip : {kMaster, kSlave}) {
      Write(chip, icw1);
      Write(chip + 1, chip == kMaster ? 0x20 : 0x28);
      Write(chip + 1, chip == kMaster ? 0x04 : 0x02);
      Write(chip + 1, chip == kMaster ? master_icw4 : slave_icw4);
    }
    UnmaskAll();
  }
  bool interrupting() { return irqs_.levels[0]; }

  FakeIrqs irqs_;
  PicPair pics_{IrqLine{&irqs_, 0}};
};

TEST_F(PicPairTest, FirmwareLeavesItInitialisedAndMasked) {
  EXPECT_EQ(Read(kMasterData), 0xff);
  EXPECT_EQ(Read(kSlaveData), 0xff);
  pics_.SetIrq(4, true);
  EXPECT_FALSE(interrupting());
  EXPECT_EQ(Requests(kMaster), 0x10);
  Write(kMasterData, 0xef);
  EXPECT_TRUE(interrupting());
  EXPECT_EQ(pics_.Acknowledge(), 4);
  EXPECT_FALSE(interrupting());
}

TEST_F(PicPairTest, SlaveInterruptsComeThroughInputTwo) {
  UnmaskAll();
  pics_.SetIrq(10, true);
  EXPECT_TRUE(interrupting());
  EXPECT_EQ(Requests(kMaster), 0x04);
  EXPECT_EQ(pics_.Acknowledge(), 10);
  EXPECT_EQ(InService(kMaster), 0x04);
  EXPECT_EQ(InService(kSlave), 0x04);
  EXPECT_FALSE(interrupting());
}

TEST_F(PicPairTest, HigherPriorityNestsLowerWaits) {
  UnmaskAll();
  pics_.SetIrq(4, true);
  EXPECT_EQ(pics_.Acknowledge(), 4);
  pics_.SetIrq(6, true);
  EXPECT_FALSE(interrupting());
  pics_.SetIrq(1, true);
  EXPECT_TRUE(interrupting());
  EXPECT_EQ(pics_.Acknowledge(), 1);
  EXPECT_EQ(InService(kMaster), 0x12);
  Write(kMaster, 0x20);  // non-specific EOI ends input 1
  EXPECT_EQ(InService(kMaster), 0x10);
  EXPECT_FALSE(interrupting());
  Write(kMaster, 0x64);  // specific EOI of 4
  EXPECT_TRUE(interrupting());
  EXPECT_EQ(pics_.Acknowledge(), 6);
}

TEST_F(PicPairTest, EdgeInputsRequestOncePerEdge) {
  UnmaskAll();
  pics_.SetIrq(3, true);
  EXPECT_EQ(pics_.Acknowledge(), 3);
  Write(kMaster, 0x20);
  EXPECT_FALSE(interrupting());
  pics_.SetIrq(3, true);  // no edge
  EXPECT_FALSE(interrupting());
  pics_.SetIrq(3, false);
  pics_.SetIrq(3, true);
  EXPECT_TRUE(interrupting());
}

TEST_F(PicPairTest, LevelInputsRequestAsLongAsTheyAreHigh) {
  UnmaskAll();
  Write(kElcr2, 0xff);
  EXPECT_EQ(Read(kElcr2), 0xde);
  Write(kElcr1, 0xff);
  EXPECT_EQ(Read(kElcr1), 0xf8);
  pics_.SetIrq(11, true);
  EXPECT_EQ(pics_.Acknowledge(), 11);
  Write(kSlave, 0x20);
  Write(kMaster, 0x20);
  EXPECT_TRUE(interrupting());
  pics_.SetIrq(11, false);
  EXPECT_FALSE(interrupting());
}

TEST_F(PicPairTest, RequestThatVanishesIsSpurious) {
  UnmaskAll();
  EXPECT_EQ(pics_.Acknowledge(), 7);
  EXPECT_EQ(InService(kMaster), 0);
  // The master believes the slave, whose request has gone: a level input that fell between.
  Initialise(0x19, 0x01, 0x01);  // LTIM: the master's request stays only while the slave's does
  pics_.SetIrq(12, true);
  pics_.SetIrq(12, false);
  EXPECT_EQ(pics_.Acknowledge(), 0x27);
}

TEST_F(PicPairTest, LinuxEoiRotatesPriority) {
  UnmaskAll();
  pics_.SetIrq(4, true);
  EXPECT_EQ(pics_.Acknowledge(), 4);
  Write(kMaster, 0xe4);  // rotate on specific EOI: 4 becomes the lowest, 5 the highest
  pics_.SetIrq(4, false);
  pics_.SetIrq(4, true);
  pics_.SetIrq(5, true);
  EXPECT_EQ(pics_.Acknowledge(), 5);
  Write(kMaster, 0xa0);  // rotate on non-specific EOI: now 5 is the lowest
  pics_.SetIrq(0, true);
  EXPECT_EQ(pics_.Acknowledge(), 0);  // order: 6 7 0 1 2 3 4 5
  Write(kMaster, 0x20);
  Write(kMaster, 0xc3);  // set priority: 3 the lowest, 4 the highest
  pics_.SetIrq(1, true);
  EXPECT_EQ(pics_.Acknowledge(), 4);
}

TEST_F(PicPairTest, AutomaticEoiKeepsNothingInService) {
  Initialise(0x11, 0x03, 0x03);
  pics_.SetIrq(8, true);
  pics_.SetIrq(9, true);
  EXPECT_EQ(pics_.Acknowledge(), 0x28);
  EXPECT_EQ(InService(kMaster), 0);
  EXPECT_TRUE(interrupting());  // the slave's second request makes its own edge
  EXPECT_EQ(pics_.Acknowledge(), 0x29);
  EXPECT_FALSE(interrupting());

  Write(kMaster, 0x80);  // rotate in automatic EOI mode
  pics_.SetIrq(3, true);
  EXPECT_EQ(pics_.Acknowledge(), 0x23);
  pics_.SetIrq(3, false);
  pics_.SetIrq(3, true);
  pics_.SetIrq(5, true);
  EXPECT_EQ(pics_.Acknowledge(), 0x25);
  Write(kMaster, 0x00);  // and off again
}

TEST_F(PicPairTest, SpecialMaskLetsOthersThrough) {
  UnmaskAll();
  pics_.SetIrq(1, true);
  EXPECT_EQ(pics_.Acknowledge(), 1);
  pics_.SetIrq(5, true);
  EXPECT_FALSE(interrupting());
  Write(kMasterData, 0x02);
  EXPECT_FALSE(interrupting());
  Write(kMaster, 0x68);  // set special mask
  EXPECT_TRUE(interrupting());
  Write(kMaster, 0x48);  // reset it
  EXPECT_FALSE(interrupting());
}

TEST_F(PicPairTest, SpecialFullyNestedModeNestsSlaveInterrupts) {
  UnmaskAll();
  pics_.SetIrq(12, true);
  EXPECT_EQ(pics_.Acknowledge(), 12);
  pics_.SetIrq(9, true);
  EXPECT_FALSE(interrupting());  // input 2 is in service
  pics_.Reset();
  pics_.SetIrq(12, false);
  pics_.SetIrq(9, false);
  Initialise(0x11, 0x11, 0x01);
  pics_.SetIrq(12, true);
  EXPECT_EQ(pics_.Acknowledge(), 0x2c);
  pics_.SetIrq(9, true);
  EXPECT_TRUE(interrupting());
  EXPECT_EQ(pics_.Acknowledge(), 0x29);
}

TEST_F(PicPairTest, PollAcknowledges) {
  UnmaskAll();
  Write(kMaster, 0x0c);
  EXPECT_EQ(Read(kMaster), 0x00);
  pics_.SetIrq(6, true);
  Write(kMaster, 0x0c);
  EXPECT_EQ(Read(kMaster), 0x86);
  EXPECT_FALSE(interrupting());
  EXPECT_EQ(InService(kMaster), 0x40);
}

TEST_F(PicPairTest, InitialisationClearsRequestsAndMask) {
  pics_.SetIrq(1, true);
  Write(kMaster, 0x13);  // single, ICW4 needed
  Write(kMasterData, 0x40);
  Write(kMasterData, 0x01);  // no ICW3 in single mode
  EXPECT_EQ(Read(kMasterData), 0);
  EXPECT_EQ(Requests(kMaster), 0);
  pics_.SetIrq(1, false);
  pics_.SetIrq(1, true);
  EXPECT_EQ(pics_.Acknowledge(), 0x41);
  Write(kMaster, 0x20);
  Write(kSlaveData, 0);
  pics_.SetIrq(8, true);
  EXPECT_EQ(pics_.Acknowledge(), 0x42);  // a single master answers for input 2 itself
}

TEST_F(PicPairTest, RestoredPairGoesOnAlike) {
  UnmaskAll();
  pics_.SetIrq(4, true);
  pics_.SetIrq(10, true);
  pics_.Acknowledge();
  Write(kMaster, 0x11);  // in the middle of initialisation
  FakeIrqs other_irqs;
  PicPair other{IrqLine{&other_irqs, 0}};
  ASSERT_TRUE(Restore(other, Save(pics_)).ok());
  for (PicPair* pics : {&pics_, &other}) {
    for (uint8_t icw : {0x30, 0x04, 0x01}) pics->Write({kMasterData, 1}, icw);
    pics->Write({kMaster, 1}, 0xe2);
    pics->SetIrq(10, false);
    pics->SetIrq(3, true);
  }
  EXPECT_EQ(Save(pics_), Save(other));
  EXPECT_EQ(pics_.Acknowledge(), other.Acknowledge());
  EXPECT_EQ(Save(pics_), Save(other));
}

}  // namespace
}  // namespace isochron::machine
