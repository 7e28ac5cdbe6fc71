#include "machine/devices/virtio/virtio_rng.h"

#include <cstdint>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "machine/devices/virtio/virtio_testing.h"

namespace isochron::machine {
namespace {

constexpr uint16_t kWrite = VirtioDescriptor::kWrite;
constexpr uint64_t kCyclesPerByte = kTestHz / VirtioRng::kBytesPerSecond;

class RngRig : public VirtioRig<VirtioRng> {
 public:
  explicit RngRig(uint64_t seed = 1) : VirtioRig(seed) {}

  std::string Bytes(uint32_t size, uint64_t at = kBuffers) {
    return std::string(memory.ram.begin() + static_cast<ptrdiff_t>(at),
                       memory.ram.begin() + static_cast<ptrdiff_t>(at + size));
  }
  // What the device makes of a buffer of `size` bytes.
  std::string Get(uint32_t size) {
    Add(0, {{kBuffers, size, kWrite, 0}});
    Kick(0);
    bench.RunFor(10'000'000);
    return Bytes(size);
  }
};

TEST(VirtioRngTest, TellsWhatItIs) {
  RngRig rig;
  EXPECT_EQ(rig.Config(0, 4), 0x10051af4u);
  EXPECT_EQ(rig.Config(PciRegister::kSubsystem, 2), 4u);
  // Linux refuses a device with a capability for a structure of no bytes.
  for (auto at = static_cast<int>(rig.Config(PciRegister::kCapabilities, 1)); at != 0;
       at = static_cast<int>(rig.Config(at + 1, 1))) {
    EXPECT_NE(rig.Config(at + 3, 1), 4u) << "it has no configuration of its own";
  }
}

TEST(VirtioRngTest, EverySeedHasItsSequenceAndKeepsIt) {
  std::set<std::string> sequences;
  for (const uint64_t seed : {0, 1, 2}) {
    RngRig rig(seed);
    rig.Start(0);
    const std::string first = rig.Get(64);
    const std::string second = rig.Get(64);
    EXPECT_NE(first, second);
    EXPECT_EQ(rig.UsedEntry(0, 1).written, 64u);
    EXPECT_TRUE(rig.Interrupted());
    sequences.insert(first);
    rig.device.Reset();
    rig.StartLegacy(0);
    EXPECT_EQ(rig.Get(64), first) << "the machine was reset";
  }
  EXPECT_EQ(sequences.size(), 3u);
}

TEST(VirtioRngTest, ADriverThatResetsItGetsOtherNumbers) {
  RngRig rig;
  rig.Start(0);
  const std::string first = rig.Get(32);
  rig.Start(0);
  EXPECT_NE(rig.Get(32), first);
}

TEST(VirtioRngTest, FillsNoMoreThanItsMeasureAndNotAtOnce) {
  RngRig rig;
  rig.Start(0);
  rig.Add(0,
          {{RngRig::kBuffers, 100, kWrite, 0}, {RngRig::kBuffers + 0x1000, 0xffffffff, kWrite, 0}});
  rig.Kick(0);
  rig.bench.RunFor(VirtioRng::kMaxBytes * kCyclesPerByte - 1);
  EXPECT_EQ(rig.UsedIndex(0), 0);
  rig.bench.RunFor(1);
  EXPECT_EQ(rig.UsedIndex(0), 1);
  EXPECT_EQ(rig.UsedEntry(0, 0).written, VirtioRng::kMaxBytes);
  EXPECT_EQ(rig.Bytes(8, RngRig::kBuffers + 0x1000 + 156), std::string(8, '\0'));
  EXPECT_NE(rig.Bytes(8, RngRig::kBuffers + 0x1000 + 148), std::string(8, '\0'));
}

TEST(VirtioRngTest, BuffersWithoutRoomTakeTheirTimeToo) {
  RngRig rig;
  rig.Start(0);
  for (int i = 0; i < 8; ++i) rig.Add(0, {{RngRig::kBuffers, 0, kWrite, 0}});
  rig.Kick(0);
  rig.bench.RunFor(8 * kCyclesPerByte - 1);
  EXPECT_EQ(rig.UsedIndex(0), 7);
  rig.bench.RunFor(1);
  EXPECT_EQ(rig.UsedIndex(0), 8);
}

TEST(VirtioRngTest, ABufferOutsideMemoryStopsIt) {
  RngRig rig;
  rig.Start(0);
  rig.Add(0, {{TestRam::kSize - 8, 16, kWrite, 0}});
  rig.Kick(0);
  rig.bench.RunFor(1'000'000);
  EXPECT_NE(rig.Status() & VirtioStatus::kNeedsReset, 0);
  EXPECT_EQ(rig.bench.events().next(), kNever);
}

TEST(VirtioRngTest, IsRestoredWhileItFills) {
  RngRig rig;
  rig.Start(0);
  rig.Get(16);
  rig.Add(0, {{RngRig::kBuffers, 64, kWrite, 0}});
  rig.Add(0, {{RngRig::kBuffers + 64, 64, kWrite, 0}});
  rig.Kick(0);
  rig.bench.RunFor(100);
  RngRig other(1);
  ASSERT_TRUE(rig.CopyTo(other).ok());
  EXPECT_EQ(other.Save(), rig.Save());
  rig.bench.RunFor(1'000'000);
  other.bench.RunFor(1'000'000);
  EXPECT_EQ(other.UsedIndex(0), 3);
  EXPECT_EQ(other.Bytes(128), rig.Bytes(128));
  EXPECT_EQ(other.Save(), rig.Save());
  RngRig idle;
  EXPECT_FALSE(Restore(idle.device,
                       [] {
                         RngRig busy;
                         busy.Start(0);
                         busy.Add(0, {{RngRig::kBuffers, 64, kWrite, 0}});
                         busy.Kick(0);
                         busy.bench.RunFor(1);
                         return Save(busy.device);
                       }())
                   .ok())
      << "a buffer that is never full";
}

}  // namespace
}  // namespace isochron::machine
