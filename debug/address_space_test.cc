#include "debug/address_space.h"

#include <memory>

#include "gtest/gtest.h"
#include "machine/firmware/elf_image.h"
#include "machine/firmware/firmware_layout.h"
#include "machine/stop_condition.h"
#include "timeline/machine_testing.h"

namespace isochron::debug {
namespace {

using machine::PhysicalToKseg;

class AddressSpaceTest : public ::testing::Test {
 protected:
  void EnterKernel() {
    const uint64_t entry = PhysicalToKseg(0x310000);
    ASSERT_FALSE(machine_->RunUntil(machine::StopCondition::AtPcs({entry})).has_value());
    ASSERT_EQ(machine_->cpu().pc, entry);
  }
  std::optional<Place> Find(uint64_t va) { return FindPlace(*machine_, 0, va); }
  std::string Read(uint64_t va, uint64_t size) { return ReadVirtual(*machine_, 0, va, size); }

  std::unique_ptr<machine::Machine> machine_ = timeline::MakeMachine();
};

TEST_F(AddressSpaceTest, IsPhysicalInPalmode) {
  ASSERT_TRUE(machine_->cpu().pal_mode());
  EXPECT_EQ(Find(0x8780), (Place{Place::By::kPalmode, 0x8780, 0}));
  EXPECT_EQ(Read(0x8780, 16), ReadPhysical(*machine_, 0x8780, 16));
  // PALcode has not set up anything else.
  EXPECT_FALSE(Find(PhysicalToKseg(0x310000)).has_value());
  EXPECT_FALSE(Find(machine_->memory().size()).has_value());
  EXPECT_EQ(PageTableBase(*machine_, 0), 0u);
}

TEST_F(AddressSpaceTest, FindsWhatTheKernelIsGiven) {
  EnterKernel();
  EXPECT_EQ(Find(PhysicalToKseg(0x310004)), (Place{Place::By::kSuperpage, 0x310004, 0}));
  EXPECT_EQ(Read(PhysicalToKseg(0x310000), 4), "\xff\xff\xff\xc3");
  EXPECT_EQ(ReadInstruction(*machine_, 0), 0xc3ffffffu);

  const std::optional<Place> hwrpb = Find(FW_HWRPB_VA + 0x2008);
  ASSERT_TRUE(hwrpb.has_value());
  EXPECT_EQ(hwrpb->by, Place::By::kPageTables);
  EXPECT_EQ(hwrpb->pa, uint64_t{FW_HWRPB_PA} + 0x2008);
  EXPECT_EQ(hwrpb->pte >> 32, (uint64_t{FW_HWRPB_PA} + 0x2000) >> 13);
  EXPECT_EQ(Read(FW_HWRPB_VA, 0x3000), ReadPhysical(*machine_, FW_HWRPB_PA, 0x3000));
  // The page tables map themselves.
  EXPECT_EQ(Find(FW_VPTB_VA | (uint64_t{FW_HWRPB_VA} >> 13 << 3))->by, Place::By::kPageTables);

  EXPECT_FALSE(Find(0x8780).has_value());
  EXPECT_FALSE(Find(0x40000000).has_value());
  EXPECT_FALSE(Find(uint64_t{1} << 62).has_value());
}

TEST_F(AddressSpaceTest, ReadsAsFarAsThereIsAnything) {
  EnterKernel();
  const uint64_t mapped = FW_BOOTSTRAP_VA + FW_BOOTSTRAP_SIZE;
  EXPECT_EQ(Read(mapped - 4, 100).size(), 4u);
  EXPECT_EQ(Read(mapped, 100), "");
  EXPECT_EQ(Read(PhysicalToKseg(machine_->memory().size()) - 8, ~uint64_t{0}).size(), 8u);
  // COM1: the superpage has it, but a read would take a byte away from the guest.
  const uint64_t port = 0xfffffd01fc0003f8;
  EXPECT_EQ(Find(port)->by, Place::By::kSuperpage);
  EXPECT_EQ(Read(port, 1), "");
  // The last byte of the level 1 page table.
  EXPECT_EQ(Read(~uint64_t{0}, 2).size(), 1u);
  EXPECT_EQ(ReadQuadword(*machine_, 4), std::nullopt);
  EXPECT_EQ(ReadQuadword(*machine_, ~uint64_t{7}), std::nullopt);
}

TEST_F(AddressSpaceTest, KnowsTheProcess) {
  EnterKernel();
  EXPECT_EQ(ProcessControlBlock(*machine_, 0), uint64_t{FW_HWPCB_PA});
  EXPECT_EQ(PageTableBase(*machine_, 0), uint64_t{FW_PAGE_TABLES_PA});
}

TEST_F(AddressSpaceTest, LeavesTheMachineAsItIs) {
  EnterKernel();
  const machine::Digest before = machine_->StateDigest();
  Read(FW_HWRPB_VA, 0x8000);
  Find(0x40000000);
  Read(FW_BOOTSTRAP_VA, 8);
  EXPECT_EQ(machine_->StateDigest(), before);
}

}  // namespace
}  // namespace isochron::debug
