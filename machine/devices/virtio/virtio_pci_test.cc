#include "machine/devices/virtio/virtio_pci.h"

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "machine/devices/virtio/virtio_testing.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kFeature = uint64_t{1} << 5;
constexpr uint16_t kWrite = VirtioDescriptor::kWrite;

// A device with two queues that gives back what it gets at once, and notes what it is told.
class Probe final : public VirtioPci {
 public:
  explicit Probe(EventQueue&)
      : VirtioPci({.type = 26,
                   .pci_id = 0x103f,
                   .class_code = 0x020000,
                   .features = kFeature,
                   .queues = 2,
                   .queue_size = 16,
                   .config_size = 6}) {
    SetDeviceConfig(0, 4, 0x44332211);
  }
  void OnNotify(int queue) override {
    log += absl::StrCat("notify ", queue, " ");
    VirtChain chain;
    while (Take(queue, chain)) Give(queue, chain.head, 7);
  }
  void OnStop(int queue) override { log += absl::StrCat("stop ", queue, " "); }
  void OnDeviceConfigWrite(const Access& access, uint64_t value) override {
    log += absl::StrCat("write ", access.offset, "+", access.size, "=", value, " ");
  }
  void VisitState(alpha::StateVisitor& visitor) const override { Walk(visitor, *this); }
  void RestoreState(alpha::StateReader& reader) override {
    Walk(reader, *this);
    CheckTransport(reader);
  }
  using VirtioPci::Has;
  std::string Log() { return std::exchange(log, ""); }
  std::string log;

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Section("probe");
    WalkTransport(visitor, self);
  }
};

class VirtioPciTest : public testing::Test {
 protected:
  VirtioRig<Probe> rig_;
  Probe& probe_ = rig_.device;
};

using Layout = VirtioLayout;

TEST_F(VirtioPciTest, IsATransitionalDevice) {
  EXPECT_EQ(rig_.Config(0, 4), 0x103f1af4u);
  EXPECT_EQ(rig_.Config(PciRegister::kRevision, 1), 0u);
  EXPECT_EQ(rig_.Config(PciRegister::kSubsystemVendor, 4), 0x001a1af4u);
  EXPECT_EQ(rig_.Config(PciRegister::kInterruptPin, 1), 1u);
  EXPECT_EQ(rig_.Config(PciRegister::kStatus, 2) & 0x10, 0x10u);
  rig_.Config(PciRegister::kBar0, 8, ~uint64_t{0});
  EXPECT_EQ(rig_.Config(PciRegister::kBar0, 8), 0xffffc000'ffffffe1u);
}

TEST_F(VirtioPciTest, CapabilitiesSayWhereTheStructuresAre) {
  std::string seen;
  for (auto at = static_cast<int>(rig_.Config(PciRegister::kCapabilities, 1)); at != 0;
       at = static_cast<int>(rig_.Config(at + 1, 1))) {
    EXPECT_EQ(rig_.Config(at, 1), 9u);
    EXPECT_GE(rig_.Config(at + 2, 1), 16u);
    seen += absl::StrCat(rig_.Config(at + 3, 1), ":", rig_.Config(at + 4, 1), ":",
                         absl::Hex(rig_.Config(at + 8, 4)), "+", absl::Hex(rig_.Config(at + 12, 4)),
                         " ");
  }
  EXPECT_EQ(seen, "1:1:0+38 3:1:1000+1 4:1:2000+6 2:1:3000+8 5:0:0+0 ");
  EXPECT_EQ(rig_.Config(0x70 + 16, 4), 4u) << "from queue to queue";
}

TEST_F(VirtioPciTest, FeaturesAreNegotiated) {
  rig_.Write(0x14, 1, 3);
  rig_.Write(0x00, 4, 0);
  EXPECT_EQ(rig_.Read(0x04, 4), 0x30000020u);
  rig_.Write(0x00, 4, 1);
  EXPECT_EQ(rig_.Read(0x04, 4), 3u) << "VERSION_1 and ACCESS_PLATFORM";
  rig_.Write(0x00, 4, 2);
  EXPECT_EQ(rig_.Read(0x04, 4), 0u);
  rig_.Write(0x08, 4, 2);
  rig_.Write(0x0c, 4, 1);
  EXPECT_EQ(rig_.Read(0x0c, 4), 0u) << "there are 64";
  rig_.Write(0x08, 4, 0);
  rig_.Write(0x0c, 4, kFeature);
  rig_.Write(0x14, 1, VirtioStatus::kFeaturesOk);
  EXPECT_EQ(rig_.Status(), 3) << "not without VERSION_1";
  rig_.Write(0x08, 4, 1);
  rig_.Write(0x0c, 4, 0x11);
  rig_.Write(0x14, 1, VirtioStatus::kFeaturesOk);
  EXPECT_EQ(rig_.Status(), 3) << "not with what is not offered";
  rig_.Write(0x0c, 4, 0x01);
  rig_.Write(0x14, 1, VirtioStatus::kFeaturesOk);
  EXPECT_EQ(rig_.Status(), 11);
  rig_.Write(0x08, 4, 0);
  rig_.Write(0x0c, 4, 0);
  EXPECT_TRUE(probe_.Has(kFeature)) << "they are agreed on";
  rig_.Write(0x14, 1, 0);
  EXPECT_EQ(rig_.Status(), 0);
  EXPECT_FALSE(probe_.Has(kFeature));
}

TEST_F(VirtioPciTest, ALegacyDriverSeesTheLowerHalf) {
  EXPECT_EQ(rig_.In(0x00, 4), 0x38000020u);
  rig_.Out(0x04, 4, 0xffffffff);
  EXPECT_EQ(rig_.In(0x04, 4), 0x38000020u);
  rig_.Out(0x12, 1, 0x0f);
  EXPECT_EQ(rig_.In(0x12, 1), 7u) << "FEATURES_OK is none of its bits";
  EXPECT_EQ(rig_.In(0x14, 4), 0x44332211u);
  rig_.Out(0x18, 2, 0x1234);
  EXPECT_EQ(probe_.Log(), "stop -1 write 4+2=4660 ");
}

TEST_F(VirtioPciTest, QueuesAreChosenAndSetUp) {
  rig_.Write(0x16, 2, 1);
  EXPECT_EQ(rig_.Read(0x12, 2), 2u);
  EXPECT_EQ(rig_.Read(0x18, 2), 16u);
  EXPECT_EQ(rig_.Read(0x1e, 2), 1u);
  EXPECT_EQ(rig_.Read(0x1a, 2), 0xffffu) << "there are no vectors";
  rig_.Write(0x1a, 2, 0);
  EXPECT_EQ(rig_.Read(0x1a, 2), 0xffffu);
  for (const uint64_t size : {0, 5, 32, 0xffff}) rig_.Write(0x18, 2, size);
  EXPECT_EQ(rig_.Read(0x18, 2), 16u);
  rig_.Write(0x18, 2, 4);
  rig_.Write(0x20, 4, 0x1111);
  rig_.Write(0x24, 4, 0x2222);
  rig_.Write(0x28, 8, 0x333300004444);
  EXPECT_EQ(rig_.Read(0x20, 8), 0x222200001111u);
  EXPECT_EQ(rig_.Read(0x2c, 4), 0x3333u);
  rig_.Write(0x1c, 2, 0);
  EXPECT_EQ(rig_.Read(0x1c, 2), 0u);
  rig_.Write(0x1c, 2, 1);
  rig_.Write(0x20, 8, 5);
  rig_.Write(0x18, 2, 8);
  rig_.Write(0x1c, 2, 0);
  EXPECT_EQ(rig_.Read(0x20, 8), 0x222200001111u) << "it is in use";
  EXPECT_EQ(rig_.Read(0x18, 4), 0xffff0004u);
  EXPECT_EQ(rig_.Read(0x1c, 2), 1u);
}

TEST_F(VirtioPciTest, AQueueThatIsNotThereReadsAsZero) {
  for (const uint64_t queue : {2, 0xffff}) {
    rig_.Write(0x16, 2, queue);
    rig_.Write(0x18, 2, 4);
    rig_.Write(0x20, 8, 4);
    rig_.Write(0x1c, 2, 1);
    EXPECT_EQ(rig_.Read(0x18, 2), 0u);
    EXPECT_EQ(rig_.Read(0x1c, 4), 0u);
    EXPECT_EQ(rig_.Read(0x20, 8), 0u);
    rig_.Out(0x08, 4, 5);
    EXPECT_EQ(rig_.In(0x08, 8), queue << 48);
  }
  rig_.Start(0, 2);
  probe_.Log();
  rig_.Write(Layout::kNotify + 8, 2, 2);
  rig_.Out(0x10, 2, 2);
  rig_.Out(0x10, 2, 0xffff);
  EXPECT_EQ(probe_.Log(), "");
}

TEST_F(VirtioPciTest, WritesOfOtherWidthsDoNothing) {
  rig_.Start(0, 1);
  rig_.Write(0x16, 2, 0);
  const std::string before = rig_.Save();
  probe_.Log();
  for (const int size : {1, 2, 4, 8}) {
    for (uint32_t at = 0; at < Layout::kBarSize; at += static_cast<uint32_t>(size)) {
      const bool natural = (at < 0x10 && size == 4) || at == 0x14 || at == 0x16;
      const bool device = at >= Layout::kDevice && at < Layout::kNotify;
      const bool notify = at == Layout::kNotify || at == Layout::kNotify + 4;
      if ((natural && size != 8) || device || notify) continue;
      rig_.Write(at, size, ~uint64_t{0});
    }
  }
  for (const int size : {1, 4}) rig_.Write(Layout::kNotify, size, 0);
  rig_.Out(0x10, 1, 0);
  rig_.Out(0x10, 4, 0);
  rig_.Out(0x12, 2, 0);
  rig_.Out(0x00, 4, 0);
  rig_.Out(0x08, 2, 0);
  rig_.Out(0x13, 1, 0xff);
  EXPECT_EQ(probe_.Log(), "");
  EXPECT_EQ(rig_.Save(), before);
}

TEST_F(VirtioPciTest, ReadsOfAnyWidthGiveTheBytesThatAreThere) {
  for (const int size : {2, 4, 8}) {
    for (uint32_t at = 0; at < Layout::kBarSize; at += static_cast<uint32_t>(size)) {
      uint64_t bytes = 0;
      for (int i = 0; i < size; ++i) {
        bytes |= rig_.Read(at + static_cast<uint32_t>(i), 1) << (8 * i);
      }
      ASSERT_EQ(rig_.Read(at, size), bytes) << at;
    }
  }
}

TEST_F(VirtioPciTest, BuffersComeBackWithAnInterruptThatReadingClears) {
  rig_.Start(0, 2);
  probe_.Log();
  const uint16_t head = rig_.Add(1, {{rig_.kBuffers, 16, kWrite, 0}});
  rig_.Kick(1);
  EXPECT_EQ(probe_.Log(), "notify 1 ");
  EXPECT_EQ(rig_.UsedIndex(1), 1);
  EXPECT_EQ(rig_.UsedEntry(1, 0), (VirtioRig<Probe>::Used{head, 7}));
  EXPECT_TRUE(rig_.Interrupted());
  EXPECT_EQ(rig_.Read(Layout::kIsr, 4), 1u);
  EXPECT_FALSE(rig_.Interrupted());
  rig_.memory.Put(rig_.Place(1).driver, uint16_t{1});
  rig_.Add(1, {{rig_.kBuffers, 16, kWrite, 0}});
  rig_.Kick(1);
  EXPECT_FALSE(rig_.Interrupted()) << "the driver polls";
}

TEST_F(VirtioPciTest, AModernQueueWaitsForTheDriver) {
  rig_.Start(0, 1);
  rig_.Add(0, {{rig_.kBuffers, 16, kWrite, 0}});
  rig_.Write(0x14, 1, 0);
  probe_.Log();
  rig_.Kick(0);
  EXPECT_EQ(probe_.Log(), "") << "a reset turns queues off";
  EXPECT_EQ(rig_.Read(0x1c, 2), 0u);
}

TEST_F(VirtioPciTest, ALegacyQueueIsUsedBeforeTheDriverIsReady) {
  rig_.StartLegacy(0, 1);
  rig_.Out(0x12, 1, 0);
  rig_.Out(0x12, 1, VirtioStatus::kDriver);
  rig_.Out(0x08, 4, rig_.QueueAt(0) >> 12);
  rig_.Add(0, {{rig_.kBuffers, 16, kWrite, 0}});
  rig_.Kick(0);
  EXPECT_EQ(rig_.UsedIndex(0), 1);
}

TEST_F(VirtioPciTest, WhatIsThereWhenTheDriverIsReadyIsServed) {
  rig_.Start(0, 1);
  rig_.Write(0x14, 1, 0);
  rig_.Start(0, 1, 8, [this] {
    rig_.Add(0, {{rig_.kBuffers, 16, kWrite, 0}});
    rig_.Kick(0);
    EXPECT_EQ(rig_.UsedIndex(0), 0);
  });
  EXPECT_EQ(rig_.UsedIndex(0), 1);
}

TEST_F(VirtioPciTest, ALegacyDriverNeedNotMakeItAMaster) {
  rig_.Config(PciRegister::kCommand, 2, PciCommand::kIo | PciCommand::kMemory);
  rig_.StartLegacy(0, 1);
  rig_.Add(0, {{rig_.kBuffers, 16, kWrite, 0}});
  rig_.Kick(0);
  EXPECT_EQ(rig_.UsedIndex(0), 1);
}

TEST_F(VirtioPciTest, AFaultAsksForAReset) {
  rig_.Start(0, 2);
  probe_.Log();
  rig_.memory.Put(rig_.Place(0).driver + 2, uint16_t{100});
  rig_.Kick(0);
  EXPECT_EQ(probe_.Log(), "notify 0 stop -1 ");
  EXPECT_EQ(rig_.Status() & VirtioStatus::kNeedsReset, VirtioStatus::kNeedsReset);
  EXPECT_TRUE(rig_.Interrupted());
  EXPECT_EQ(rig_.Isr(), VirtioIsr::kConfig);
  rig_.Kick(1);
  EXPECT_EQ(probe_.Log(), "") << "all of it stands";
  rig_.Write(0x14, 1, 0x0f);
  EXPECT_NE(rig_.Status() & VirtioStatus::kNeedsReset, 0);
  rig_.Start(0, 2);
  rig_.Add(0, {{rig_.kBuffers, 16, kWrite, 0}});
  rig_.Kick(0);
  EXPECT_EQ(rig_.UsedIndex(0), 1);
}

TEST_F(VirtioPciTest, AddressesArePhysicalUnlessThePlatformIsAgreedOn) {
  for (const uint64_t features : {uint64_t{0}, VirtioFeature::kAccessPlatform}) {
    rig_.Start(features, 1);
    rig_.Add(0, {{rig_.kBuffers, 16, kWrite, 0}});
    rig_.Kick(0);
    EXPECT_EQ(rig_.UsedIndex(0), 1);
  }
  // Above what the monster window reaches, an address does not come out at the other end.
  rig_.Start(0, 1);
  rig_.Write(0x14, 1, 0);
  rig_.Write(0x08, 4, 1);
  rig_.Write(0x0c, 4, 1);
  rig_.Write(0x14, 1, VirtioStatus::kFeaturesOk);
  const uint64_t high = uint64_t{1} << 35;
  rig_.Write(0x20, 8, high + rig_.Place(0, 16).descriptors);
  rig_.Write(0x28, 8, high + rig_.Place(0, 16).driver);
  rig_.Write(0x30, 8, high + rig_.Place(0, 16).device);
  rig_.Write(0x1c, 2, 1);
  rig_.Write(0x14, 1, VirtioStatus::kDriverOk);
  rig_.Kick(0);
  EXPECT_NE(rig_.Status() & VirtioStatus::kNeedsReset, 0);
}

TEST_F(VirtioPciTest, ConfigurationCyclesReachTheRegisters) {
  rig_.Config(PciRegister::kCommand, 2, PciCommand::kMaster);
  const auto point = [&](uint64_t bar, uint64_t offset, uint64_t length) {
    rig_.Config(Layout::kAccessCapability + 4, 1, bar);
    rig_.Config(Layout::kAccessCapability + 8, 4, offset);
    rig_.Config(Layout::kAccessCapability + 12, 4, length);
  };
  const int kData = Layout::kAccessCapability + 16;
  point(1, 0x14, 1);
  rig_.Config(kData, 4, 0x12345603);
  EXPECT_EQ(rig_.Config(kData, 4), 3u);
  point(0, 0x12, 1);
  EXPECT_EQ(rig_.Config(kData, 4), 3u) << "by the other BAR";
  point(1, Layout::kDevice, 4);
  EXPECT_EQ(rig_.Config(kData, 4), 0x44332211u);
  point(1, Layout::kDevice, 2);
  EXPECT_EQ(rig_.Config(kData, 4), 0x2211u);
  rig_.Config(kData, 4, 0x99995566);
  EXPECT_EQ(probe_.Log(), "stop -1 write 0+2=21862 ");
  // What cannot be an access is none.
  for (const auto& [bar, offset, length] : {std::tuple<int, uint32_t, uint32_t>{2, 0, 4},
                                            {1, 0, 0},
                                            {1, 0, 3},
                                            {1, 0, 8},
                                            {1, 2, 4},
                                            {1, Layout::kBarSize, 4},
                                            {0, 0x1c, 4},
                                            {1, 0xfffffffc, 4},
                                            {255, 0, 0xffffffff}}) {
    point(bar, offset, length);
    rig_.Config(kData, 4, 0);
    EXPECT_EQ(rig_.Config(kData, 4), 0u);
  }
  EXPECT_EQ(probe_.Log(), "");
  EXPECT_EQ(rig_.Config(PciRegister::kStatus, 2) & 0x10, 0x10u);
}

TEST_F(VirtioPciTest, StateIsRestoredOrRefused) {
  rig_.Start(kFeature | VirtioFeature::kEventIndex, 2);
  rig_.Add(1, {{rig_.kBuffers, 16, kWrite, 0}});
  rig_.Kick(1);
  VirtioRig<Probe> other;
  ASSERT_TRUE(rig_.CopyTo(other).ok());
  EXPECT_EQ(other.Save(), rig_.Save());
  other.Add(1, {{rig_.kBuffers, 16, kWrite, 0}});
  other.Kick(1);
  EXPECT_EQ(other.UsedIndex(1), 2);
  std::string state = Save(rig_.device);
  state[4 + 5 + 2 + 8 + 5] = 0x7f;  // of the driver's features
  EXPECT_FALSE(Restore(other.device, state).ok());
}

}  // namespace
}  // namespace isochron::machine
