#include "machine/devices/virtio/virtio_net.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "machine/devices/network/network_testing.h"
#include "machine/devices/virtio/virtio_testing.h"

namespace isochron::machine {
namespace {

constexpr uint16_t kWrite = VirtioDescriptor::kWrite;
constexpr int kReceive = VirtioNet::kReceiveQueue, kSend = VirtioNet::kSendQueue;
constexpr StationAddress kMac = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
constexpr uint64_t kLong = 1'000'000;

struct SinkOf {
  FakeFrameSink sink;
};
class NetRig : public SinkOf, public VirtioRig<VirtioNet> {
 public:
  NetRig() : VirtioRig(&sink, kMac) {}

  // What the device puts before a frame.
  uint32_t Header() const { return legacy ? 10 : 12; }
  void StartAs(bool as_legacy) {
    if (as_legacy) {
      StartLegacy(0, 2);
    } else {
      Start(VirtioNetFeature::kMac | VirtioNetFeature::kStatus, 2);
    }
  }
  void Fill(uint64_t at, std::string_view bytes) {
    std::copy(bytes.begin(), bytes.end(), memory.ram.begin() + static_cast<ptrdiff_t>(at));
  }
  std::string Bytes(uint64_t at, size_t size) const {
    const auto begin = memory.ram.begin() + static_cast<ptrdiff_t>(at);
    return {begin, begin + static_cast<ptrdiff_t>(size)};
  }
  void AddBuffer(uint64_t at = kBuffers, uint32_t size = 1526) {
    Add(kReceive, {{at, size, kWrite, 0}});
    Kick(kReceive);
  }
  void AddFrame(std::string_view frame, uint64_t at = kBuffers + 0x8000) {
    Fill(at, std::string(Header(), '\0'));
    Fill(at + Header(), frame);
    Add(kSend, {{at, Header(), 0, 0}, {at + Header(), static_cast<uint32_t>(frame.size()), 0, 0}});
    Kick(kSend);
  }
  uint64_t Count(const std::string& name) const {
    return StateNumber(device, "virtio_net." + name);
  }
  void TakeFrame(std::string_view frame) {
    device.ReceiveFrame(frame);
    bench.RunFor(kLong);
  }
};

TEST(VirtioNetTest, TellsWhatItIs) {
  NetRig rig;
  EXPECT_EQ(rig.Config(0, 4), 0x10001af4u);
  EXPECT_EQ(rig.Config(PciRegister::kSubsystem, 2), 1u);
  EXPECT_EQ(rig.Config(PciRegister::kClassCode, 2), 0x0000u);
  EXPECT_EQ(rig.Config(PciRegister::kClassCode + 2, 1), 0x02u);
  for (uint32_t i = 0; i < kMac.size(); ++i) {
    EXPECT_EQ(rig.Read(VirtioLayout::kDevice + i, 1), kMac[i]);
    EXPECT_EQ(rig.In(VirtioLayout::kLegacyHeader + i, 1), kMac[i]);
  }
  EXPECT_EQ(rig.Read(VirtioLayout::kDevice + 6, 2), 1u) << "the link is up";
  rig.Write(0x08, 4, 0);
  EXPECT_EQ(rig.Read(0x04, 4) & 0xffffff, VirtioNetFeature::kMac | VirtioNetFeature::kStatus)
      << "no offloads, no control queue";
}

TEST(VirtioNetTest, SendsAFrameWhenItsTimeOnTheWireIsOver) {
  for (const bool legacy : {false, true}) {
    NetRig rig;
    rig.StartAs(legacy);
    const std::string frame = TestFrame(100, 'a');
    rig.AddFrame(frame);
    // 8 + 100 + 4 + 12 bytes at 1 Gb/s are 992 ns.
    rig.bench.RunFor(595);
    EXPECT_TRUE(rig.sink.frames.empty());
    EXPECT_EQ(rig.UsedIndex(kSend), 0);
    rig.bench.RunFor(1);
    ASSERT_EQ(rig.sink.frames.size(), 1u);
    EXPECT_EQ(rig.sink.frames[0], frame);
    EXPECT_EQ(rig.sink.cycles[0], rig.bench.events().now());
    EXPECT_EQ(rig.UsedIndex(kSend), 1);
    EXPECT_EQ(rig.UsedEntry(kSend, 0).written, 0u);
    EXPECT_TRUE(rig.Interrupted());
    EXPECT_EQ(rig.Count("sent"), 1u);
  }
}

TEST(VirtioNetTest, SendsOneFrameBehindTheOther) {
  NetRig rig;
  rig.StartAs(false);
  std::vector<std::string> frames;
  for (uint64_t i = 0; i < 4; ++i) {
    frames.push_back(TestFrame(60, static_cast<char>('a' + i)));
    rig.AddFrame(frames.back(), NetRig::kBuffers + 0x1000 * i);
  }
  rig.bench.RunFor(kLong);
  EXPECT_EQ(rig.sink.frames, frames);
  const uint64_t step = kGigabitEthernet.FrameCycles(60, kTestHz);
  for (size_t i = 1; i < frames.size(); ++i) {
    EXPECT_EQ(rig.sink.cycles[i] - rig.sink.cycles[i - 1], step);
  }
}

TEST(VirtioNetTest, GivesBackWhatIsNoFrameAndGoesOn) {
  NetRig rig;
  rig.StartAs(false);
  const std::string longest = TestFrame(1514, 'l');
  rig.AddFrame(std::string(1515, 'x'), NetRig::kBuffers);
  rig.AddFrame(std::string(13, 'x'), NetRig::kBuffers + 0x1000);
  rig.Add(kSend, {{NetRig::kBuffers + 0x2000, 4, 0, 0}});          // not even a header
  rig.Add(kSend, {{NetRig::kBuffers + 0x2000, 0x20, kWrite, 0}});  // nothing to read
  rig.Kick(kSend);
  rig.bench.RunFor(kLong);
  rig.AddFrame(longest, NetRig::kBuffers + 0x3000);
  rig.bench.RunFor(kLong);
  EXPECT_EQ(rig.sink.frames, std::vector<std::string>{longest});
  EXPECT_EQ(rig.UsedIndex(kSend), 5);
  EXPECT_EQ(rig.Count("send_drops"), 4u);
  EXPECT_EQ(rig.Status() & VirtioStatus::kNeedsReset, 0);
}

TEST(VirtioNetTest, ReceivesIntoTheNextBuffer) {
  for (const bool legacy : {false, true}) {
    NetRig rig;
    rig.StartAs(legacy);
    rig.Fill(NetRig::kBuffers, std::string(1600, 'z'));
    rig.AddBuffer();
    const std::string frame = TestFrame(1514, 'r');
    rig.device.ReceiveFrame(frame);
    rig.bench.RunFor(kGigabitEthernet.FrameCycles(1514, kTestHz) - 1);
    EXPECT_EQ(rig.UsedIndex(kReceive), 0);
    rig.bench.RunFor(1);
    ASSERT_EQ(rig.UsedIndex(kReceive), 1);
    const uint32_t header = rig.Header();
    EXPECT_EQ(rig.UsedEntry(kReceive, 0).written, header + 1514);
    std::string before(header, '\0');
    if (!legacy) before[10] = 1;  // buffers
    EXPECT_EQ(rig.Bytes(NetRig::kBuffers, header), before);
    EXPECT_EQ(rig.Bytes(NetRig::kBuffers + header, 1514), frame);
    EXPECT_EQ(rig.Bytes(NetRig::kBuffers + header + 1514, 1), "z");
    EXPECT_TRUE(rig.Interrupted());
    EXPECT_EQ(rig.Count("received"), 1u);
  }
}

TEST(VirtioNetTest, DropsWhatTheDriverCannotTake) {
  for (const bool legacy : {false, true}) {
    NetRig rig;
    rig.TakeFrame(TestFrame(60, 'a'));
    EXPECT_EQ(rig.Count("receive_drops"), 1u) << "there is no driver";
    rig.StartAs(legacy);
    rig.TakeFrame(TestFrame(60, 'b'));
    EXPECT_EQ(rig.Count("receive_drops"), 2u) << "there is no buffer";
    rig.AddBuffer(NetRig::kBuffers, rig.Header() + 59);
    rig.AddBuffer(NetRig::kBuffers + 0x1000, rig.Header() + 60);
    rig.TakeFrame(TestFrame(60, 'c'));
    EXPECT_EQ(rig.Count("receive_drops"), 3u) << "the buffer is too small";
    EXPECT_EQ(rig.UsedEntry(kReceive, 0).written, 0u);
    rig.TakeFrame(TestFrame(60, 'd'));
    EXPECT_EQ(rig.Count("received"), 1u);
    EXPECT_EQ(rig.Bytes(NetRig::kBuffers + 0x1000 + rig.Header(), 60), TestFrame(60, 'd'));
    EXPECT_EQ(rig.bench.events().next(), kNever);
  }
}

TEST(VirtioNetTest, ADriverThatIsNotReadyGetsNothing) {
  NetRig rig;
  rig.Start(0, 2, 8, [&] {
    rig.AddBuffer();
    rig.TakeFrame(TestFrame(60, 'a'));
  });
  EXPECT_EQ(rig.Count("receive_drops"), 1u);
  EXPECT_EQ(rig.UsedIndex(kReceive), 0);
}

TEST(VirtioNetTest, AFloodIsLostAndNotKept) {
  NetRig rig;
  rig.StartAs(false);
  for (int i = 0; i < 10'000; ++i) rig.device.ReceiveFrame(TestFrame(1514, 'f'));
  EXPECT_EQ(rig.Count("receive_drops"), 10'000 - ArrivingFrames::kMaxFrames);
  EXPECT_LT(rig.Save().size(), ArrivingFrames::kMaxFrames * 1600);
  rig.bench.RunFor(ArrivingFrames::kMaxFrames * kGigabitEthernet.FrameCycles(1514, kTestHz));
  EXPECT_EQ(rig.Count("receive_drops"), 10'000u);
  EXPECT_EQ(rig.bench.events().next(), kNever);
}

TEST(VirtioNetTest, BuffersOutsideMemoryStopIt) {
  for (const int queue : {kReceive, kSend}) {
    NetRig rig;
    rig.StartAs(false);
    const uint16_t flags = queue == kReceive ? kWrite : 0;
    rig.Add(queue, {{TestRam::kSize - 20, 100, flags, 0}});
    rig.Kick(queue);
    rig.TakeFrame(TestFrame(60, 'a'));
    EXPECT_NE(rig.Status() & VirtioStatus::kNeedsReset, 0) << queue;
    EXPECT_TRUE(rig.sink.frames.empty());
    EXPECT_EQ(rig.bench.events().next(), kNever);
    EXPECT_EQ(rig.Count("receive_drops"), 1u);
    rig.StartAs(false);
    rig.AddBuffer();
    rig.TakeFrame(TestFrame(60, 'b'));
    EXPECT_EQ(rig.Count("received"), 1u) << "it works again";
  }
}

TEST(VirtioNetTest, AResetForgetsWhatIsSentAndNotWhatIsOnItsWay) {
  NetRig rig;
  rig.StartAs(false);
  rig.AddFrame(TestFrame(1000, 'a'));
  rig.device.ReceiveFrame(TestFrame(1000, 'b'));
  rig.bench.RunFor(10);
  rig.StartAs(false);
  rig.AddBuffer();
  rig.bench.RunFor(kLong);
  EXPECT_TRUE(rig.sink.frames.empty());
  EXPECT_EQ(rig.Count("received"), 1u);
  rig.device.ReceiveFrame(TestFrame(1000, 'c'));
  rig.device.Reset();  // of the machine
  rig.bench.RunFor(kLong);
  EXPECT_EQ(rig.Count("receive_drops"), 0u);
}

TEST(VirtioNetTest, IsRestoredWhileItSendsAndReceives) {
  NetRig rig;
  rig.StartAs(false);
  rig.AddBuffer(NetRig::kBuffers);
  rig.AddBuffer(NetRig::kBuffers + 0x1000);
  rig.AddFrame(TestFrame(200, 's'));
  rig.device.ReceiveFrame(TestFrame(100, 'a'));
  rig.device.ReceiveFrame(TestFrame(300, 'b'));
  rig.bench.RunFor(700);
  EXPECT_EQ(rig.Count("received"), 1u);
  NetRig other;
  ASSERT_TRUE(rig.CopyTo(other).ok());
  EXPECT_EQ(other.Save(), rig.Save());
  rig.bench.RunFor(kLong);
  other.bench.RunFor(kLong);
  EXPECT_EQ(other.Save(), rig.Save());
  EXPECT_EQ(other.Count("received"), 2u);
  EXPECT_EQ(other.sink.frames, rig.sink.frames);
  EXPECT_EQ(other.sink.frames, std::vector<std::string>{TestFrame(200, 's')});
  EXPECT_EQ(other.sink.cycles, rig.sink.cycles);
  EXPECT_EQ(other.memory.ram, rig.memory.ram);
}

TEST(VirtioNetTest, RefusesStatesThatCannotBe) {
  NetRig busy;
  busy.StartAs(false);
  busy.AddFrame(TestFrame(200, 's'));
  busy.bench.RunFor(1);
  NetRig idle;
  EXPECT_FALSE(Restore(idle.device, Save(busy.device)).ok()) << "a frame that never leaves";
  NetRig receiving;
  receiving.device.ReceiveFrame(TestFrame(60, 'r'));
  NetRig other;
  EXPECT_FALSE(Restore(other.device, Save(receiving.device)).ok()) << "one that never arrives";
}

}  // namespace
}  // namespace isochron::machine
