#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "gtest/gtest.h"
#include "machine/devices/tulip/tulip_testing.h"

namespace isochron::machine {
namespace {

std::string Addressed(const StationAddress& to, size_t size) {
  std::string frame = TestFrame(size, 'x');
  std::copy(to.begin(), to.end(), frame.begin());
  return frame;
}

TEST(TulipReceive, ReceivesWithCheckSequenceAndFillsUp) {
  TulipRig rig;
  const uint32_t at = rig.AddBuffer();
  rig.AddBuffer();
  rig.Start();
  const std::string frame = Addressed(TulipRig::kMac, 100);
  rig.TakeFrame(frame);
  EXPECT_EQ(rig.memory.Bytes(TulipRig::kBuffers, 100), frame);
  const auto crc =
      EthernetCrc(std::span(reinterpret_cast<const uint8_t*>(frame.data()), frame.size()));
  EXPECT_EQ(rig.memory.Get<uint32_t>(TulipRig::kBuffers + 100), crc);
  EXPECT_EQ(rig.StatusAt(at),
            104u << 16 | TulipReceive::kFirst | TulipReceive::kLast | TulipReceive::kType);
  EXPECT_TRUE(rig.StatusHas(TulipStatus::kReceived | TulipStatus::kNormal));
  EXPECT_TRUE(rig.Interrupted());
  rig.TakeFrame(TestFrame(20, 'r'));
  EXPECT_EQ(rig.StatusAt(at + 16) >> 16, 64u);
  EXPECT_EQ(rig.Count("received"), 2u);
}

TEST(TulipReceive, AFrameThatArrivesMayTakeManyDescriptors) {
  TulipRig rig;
  for (int i = 0; i < 3; ++i) rig.AddBuffer(80);
  rig.Start();
  const std::string frame = TestFrame(200, 'r');
  rig.TakeFrame(frame);
  const uint32_t ring = TulipRig::kReceiveRing;
  EXPECT_EQ(rig.StatusAt(ring), TulipReceive::kFirst);
  EXPECT_EQ(rig.StatusAt(ring + 16), 0u);
  EXPECT_EQ(rig.StatusAt(ring + 32) & (TulipReceive::kLast | TulipReceive::kCut),
            TulipReceive::kLast);
  EXPECT_EQ(rig.StatusAt(ring + 32) >> 16, 204u);
  EXPECT_EQ(rig.memory.Bytes(TulipRig::kBuffers + 0x800, 80), frame.substr(80, 80));
}

TEST(TulipReceive, CountsWhatItMisses) {
  TulipRig rig;
  rig.TakeFrame(TestFrame(60, 'a'));
  EXPECT_EQ(rig.In(8), 0xe0000000u) << "it is stopped";
  rig.Start();
  rig.TakeFrame(TestFrame(60, 'b'));
  rig.TakeFrame(TestFrame(60, 'c'));
  EXPECT_EQ(rig.ReceiveState(), TulipProcess::kReceiveSuspended);
  EXPECT_TRUE(rig.StatusHas(TulipStatus::kNoReceiveBuffer | TulipStatus::kAbnormal));
  EXPECT_EQ(rig.In(8), 0xe0000002u);
  EXPECT_EQ(rig.In(8), 0xe0000000u) << "reading clears it";
  EXPECT_EQ(rig.Count("receive_drops"), 3u);
  const uint32_t at = rig.AddBuffer(40);
  rig.TakeFrame(TestFrame(60, 'd'));
  EXPECT_EQ(rig.StatusAt(at) & (TulipReceive::kCut | TulipReceive::kError | TulipRig::kOwn),
            TulipReceive::kCut | TulipReceive::kError);
  rig.AddBuffer();
  rig.TakeFrame(TestFrame(60, 'e'));
  EXPECT_EQ(rig.Count("received"), 1u) << "it goes on by itself";
}

TEST(TulipReceive, SaysOnceThatThereIsNoBuffer) {
  TulipRig rig;
  rig.Start();
  const auto said = [&] {
    const bool has = rig.StatusHas(TulipStatus::kNoReceiveBuffer);
    rig.Out(5, TulipStatus::kNoReceiveBuffer);
    return has;
  };
  rig.TakeFrame(TestFrame(60, 'a'));
  EXPECT_TRUE(said());
  rig.TakeFrame(TestFrame(60, 'b'));
  EXPECT_FALSE(said()) << "the descriptor before that one was none, either";
  rig.Out(TulipCsr::kReceivePoll, 1);
  EXPECT_EQ(rig.ReceiveState(), TulipProcess::kReceiveSuspended) << "it has looked";
  rig.TakeFrame(TestFrame(60, 'b'));
  EXPECT_FALSE(said());
  rig.AddBuffer();
  rig.TakeFrame(TestFrame(60, 'c'));
  rig.TakeFrame(TestFrame(60, 'd'));
  EXPECT_TRUE(said());
  rig.AddBuffer(40);
  rig.TakeFrame(TestFrame(60, 'e'));
  EXPECT_TRUE(said()) << "there was one, and not enough";
  EXPECT_EQ(rig.In(8), 0xe0000005u);
  rig.AddBuffer();
  rig.Out(TulipCsr::kReceivePoll, 1);
  EXPECT_EQ(rig.ReceiveState(), TulipProcess::kReceiveWaiting);
}

// A setup frame of these words; the upper halves of longwords are noise.
void SetFilter(TulipRig& rig, const std::array<uint16_t, 48>& words, uint32_t kind) {
  for (uint32_t i = 0; i < words.size(); ++i) {
    rig.memory.Put(0x60000 + 4 * i, static_cast<uint32_t>(words[i]) | 0xabcd0000u);
  }
  const uint32_t at = TulipRig::kSendRing + 16 * rig.sends++;
  rig.Describe(at, TulipRig::kOwn, TulipTransmit::kSetup | kind | 192, TulipRig::Bus(0x60000));
  rig.Start(0);
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.StatusAt(at), 0x7fffffffu);
  EXPECT_TRUE(rig.sink.frames.empty());
}

bool Takes(TulipRig& rig, const StationAddress& to) {
  rig.AddBuffer();
  const uint64_t before = rig.Count("received");
  rig.TakeFrame(Addressed(to, 60));
  return rig.Count("received") != before;
}

constexpr StationAddress kAll = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr StationAddress kGroup = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01};
constexpr StationAddress kOther = {0x08, 0x00, 0x2b, 0, 0, 1};

std::array<uint16_t, 48> PerfectSetup() {
  std::array<uint16_t, 48> words;
  words.fill(0xffff);
  words[0] = 0x0008;  // TulipRig::kMac
  words[1] = 0x122b;
  words[2] = 0x5634;
  return words;
}

TEST(TulipReceive, FiltersByAddress) {
  TulipRig rig;
  SetFilter(rig, PerfectSetup(), 0);
  EXPECT_TRUE(Takes(rig, TulipRig::kMac));
  EXPECT_TRUE(Takes(rig, kAll));
  EXPECT_FALSE(Takes(rig, kOther));
  EXPECT_FALSE(Takes(rig, kGroup));
  EXPECT_EQ(rig.Count("receive_drops"), 0u) << "they were not for it";
  rig.Out(6, TulipMode::kReceive | TulipMode::kAllGroups);
  EXPECT_TRUE(Takes(rig, kGroup));
  EXPECT_FALSE(Takes(rig, kOther));
  rig.Out(6, TulipMode::kReceive | TulipMode::kAll);
  EXPECT_TRUE(Takes(rig, kOther));
  rig.Out(6, TulipMode::kReceive | TulipMode::kPromiscuous);
  EXPECT_TRUE(Takes(rig, kOther));
}

TEST(TulipReceive, FiltersAllButAddresses) {
  TulipRig rig;
  SetFilter(rig, PerfectSetup(), TulipTransmit::kFilter1);
  EXPECT_FALSE(Takes(rig, TulipRig::kMac));
  EXPECT_TRUE(Takes(rig, kOther));
  EXPECT_EQ(rig.In(6) & TulipMode::kInverse, TulipMode::kInverse);
}

TEST(TulipReceive, FiltersByHash) {
  std::array<uint16_t, 48> words{};
  words[0xff / 16] = 1 << 0xf;  // where Linux puts the address of all
  words[39] = 0x0008;
  words[40] = 0x122b;
  words[41] = 0x5634;
  TulipRig rig;
  SetFilter(rig, words, TulipTransmit::kFilter0);
  EXPECT_TRUE(Takes(rig, TulipRig::kMac));
  EXPECT_TRUE(Takes(rig, kAll));
  EXPECT_FALSE(Takes(rig, kGroup));
  EXPECT_FALSE(Takes(rig, kOther));
  EXPECT_EQ(rig.In(6) & (TulipMode::kHash | TulipMode::kHashOnly), TulipMode::kHash);
}

TEST(TulipReceive, FiltersByHashAlone) {
  std::array<uint16_t, 48> words{};
  const auto add = [&](const StationAddress& address) {
    const uint32_t index = ~EthernetCrc(address) & 0x1ff;
    words[index / 16] = static_cast<uint16_t>(words[index / 16] | 1 << index % 16);
  };
  add(TulipRig::kMac);
  add(kGroup);
  words[39] = 0x0008;  // kOther, which is no entry of such a filter
  words[40] = 0x002b;
  words[41] = 0x0100;
  TulipRig rig;
  SetFilter(rig, words, TulipTransmit::kFilter0 | TulipTransmit::kFilter1);
  EXPECT_TRUE(Takes(rig, TulipRig::kMac));
  EXPECT_TRUE(Takes(rig, kGroup));
  EXPECT_FALSE(Takes(rig, kAll));
  EXPECT_FALSE(Takes(rig, kOther));
  EXPECT_EQ(rig.In(6) & (TulipMode::kHash | TulipMode::kHashOnly),
            TulipMode::kHash | TulipMode::kHashOnly);
}

}  // namespace
}  // namespace isochron::machine
