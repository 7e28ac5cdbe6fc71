#include "machine/devices/tulip/tulip.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "machine/devices/tulip/tulip_testing.h"

namespace isochron::machine {
namespace {

constexpr uint32_t kOwn = TulipDescriptor::kOwn;

std::string Addressed(const StationAddress& to, size_t size) {
  std::string frame = TestFrame(size, 'x');
  std::copy(to.begin(), to.end(), frame.begin());
  return frame;
}

TEST(TulipTest, TellsWhatItIs) {
  TulipRig rig;
  EXPECT_EQ(rig.Config(0, 4), 0x00191011u);
  EXPECT_EQ(rig.Config(PciRegister::kClassCode + 1, 2), 0x0200u);
  EXPECT_EQ(rig.Config(PciRegister::kInterruptPin, 1), 1u);
  EXPECT_EQ(rig.In(0), 0xfe000000u);
  EXPECT_EQ(rig.In(5), 0xf0000000u);
  EXPECT_EQ(rig.In(6), 0x32000040u);
  EXPECT_EQ(rig.In(8), 0xe0000000u);
  EXPECT_EQ(rig.bus.memory().Read({TulipRig::kMemoryBase + 0x30, 4}), 0x32000040u)
      << "the same registers in memory space";
  EXPECT_EQ(rig.bus.memory().Read({TulipRig::kMemoryBase + 0x32, 2}), 0x3200u);
  EXPECT_EQ(rig.bus.memory().Read({TulipRig::kMemoryBase + 0x34, 4}), 0u);
}

TEST(TulipTest, PartsOfRegistersCanBeWritten) {
  TulipRig rig;
  rig.Out(15, 0x12345678);
  rig.bus.io().Write({TulipRig::kIoBase + 0x78, 2}, 0x0008);
  EXPECT_EQ(rig.In(15), 0x12340008u);
}

// What a driver gets bit by bit, as Linux does it.
uint16_t ReadRomWord(TulipRig& rig, uint32_t address) {
  constexpr uint32_t kOn = 0x4801;
  rig.Out(9, 0x4800);
  rig.Out(9, kOn);
  const uint32_t command = 6u << 6 | address;
  for (int i = 8; i >= 0; --i) {
    const uint32_t bit = (command >> i & 1) != 0 ? 4 : 0;
    rig.Out(9, kOn | bit);
    rig.Out(9, kOn | bit | 2);
  }
  EXPECT_EQ(rig.In(9) & 8, 0u) << "a zero before the word";
  rig.Out(9, kOn);
  uint16_t word = 0;
  for (int i = 0; i < 16; ++i) {
    rig.Out(9, kOn | 2);
    word = static_cast<uint16_t>(word << 1 | ((rig.In(9) & 8) != 0 ? 1 : 0));
    rig.Out(9, kOn);
  }
  rig.Out(9, 0x4800);
  return word;
}

TEST(TulipTest, ItsRomHasAddressMediaAndChecksums) {
  TulipRig rig;
  std::array<uint8_t, 128> rom;
  for (uint32_t i = 0; i < 64; ++i) {
    const uint16_t word = ReadRomWord(rig, i);
    rom[2 * i] = static_cast<uint8_t>(word);
    rom[2 * i + 1] = static_cast<uint8_t>(word >> 8);
  }
  EXPECT_TRUE(std::equal(TulipRig::kMac.begin(), TulipRig::kMac.end(), rom.begin() + 20));
  EXPECT_EQ(rom[19], 1) << "controllers";
  const size_t leaf = rom[27];
  EXPECT_EQ(rom[leaf + 2], 1) << "blocks";
  EXPECT_EQ(rom[leaf + 3], 0x8d) << "an extended block, 13 bytes behind its length";
  EXPECT_EQ(rom[leaf + 4], 3) << "an MII transceiver of a 21143";
  const uint32_t crc = EthernetCrc(std::span(rom).first(126));
  EXPECT_EQ(rom[126] | rom[127] << 8, static_cast<int>(crc & 0xffff));
  // CRC-8 over what comes before it, word by word, ends at zero with the checksum.
  uint8_t check = 0xff;
  for (size_t i = 0; i < 18; ++i) {
    check ^= rom[i ^ 1];
    for (int bit = 0; bit < 8; ++bit)
      check = static_cast<uint8_t>((check & 0x80) != 0 ? check << 1 ^ 7 : check << 1);
  }
  EXPECT_EQ(check, 0);
}

TEST(TulipTest, TheCheckSequenceIsThatOfEthernet) {
  const std::string text = "123456789";
  EXPECT_EQ(EthernetCrc(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size())),
            0xcbf43926u);
}

void ClockMii(TulipRig& rig, uint32_t lines) {
  rig.Out(9, lines);
  rig.Out(9, lines | 0x10000);
}

void SendMii(TulipRig& rig, uint64_t bits, int count) {
  for (int i = count - 1; i >= 0; --i) ClockMii(rig, (bits >> i & 1) != 0 ? 0x20000 : 0);
}

uint32_t ReadMii(TulipRig& rig, uint32_t transceiver, uint32_t number) {
  SendMii(rig, 0xffffffff, 32);
  SendMii(rig, 0x6u << 10 | transceiver << 5 | number, 14);
  uint32_t value = 0;
  for (int i = 0; i < 19; ++i) {
    rig.Out(9, 0x40000);
    value = value << 1 | ((rig.In(9) & 0x80000) != 0 ? 1 : 0);
    rig.Out(9, 0x50000);
  }
  return value >> 1 & 0xffff;
}

TEST(TulipTest, HasATransceiverWhoseLinkIsUp) {
  TulipRig rig;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ReadMii(rig, 1, 1), 0x782du);
    EXPECT_EQ(ReadMii(rig, 1, 2), 0x2000u);
    EXPECT_EQ(ReadMii(rig, 1, 5), 0x45e1u);
    EXPECT_EQ(ReadMii(rig, 2, 1), 0xffffu) << "there is no other";
  }
  SendMii(rig, 0xffffffff, 32);
  SendMii(rig, 0x5u << 28 | 1u << 23 | 4u << 18 | 2u << 16 | 0x0081, 32);
  EXPECT_EQ(ReadMii(rig, 1, 4), 0x0081u);
  SendMii(rig, 0xffffffff, 32);
  SendMii(rig, 0x5u << 28 | 1u << 23 | 0u << 18 | 2u << 16 | 0x8000, 32);
  EXPECT_EQ(ReadMii(rig, 1, 4), 0x01e1u) << "it was reset";
  EXPECT_EQ(ReadMii(rig, 1, 0) & 0x8000, 0u);
  SendMii(rig, 0x1fff, 14);  // no start: it waits for the next
  EXPECT_EQ(ReadMii(rig, 1, 2), 0x2000u);
}

// The check sequence that a guest leaves to the chip is no part of what must be there at least.
TEST(TulipTest, DropsWhatIsTooShortWithoutItsCheckSequence) {
  for (const uint32_t loopback : {uint32_t{0}, TulipMode::kLoopback}) {
    TulipRig rig;
    for (const size_t size : {14, 17, 18}) {
      rig.AddFrame(TestFrame(size, 's'), TulipTransmit::kHasCrc);
    }
    rig.Start();
    rig.Out(6, rig.In(6) | loopback);
    rig.bench.RunFor(TulipRig::kLong);
    EXPECT_EQ(rig.Count("send_drops"), 2u);
    EXPECT_EQ(rig.sink.frames.size(), loopback == 0 ? 1u : 0u);
  }
}

TEST(TulipTest, SendsAFrameAndClosesItsDescriptor) {
  TulipRig rig;
  const std::string frame = TestFrame(100, 's');
  const uint32_t at = rig.AddFrame(frame);
  rig.Start();
  // 750.0 ns to fetch the descriptor, 8 + 100 + 4 + 12 bytes at 100 Mb/s.
  rig.bench.RunFor(451 + 5952 - 1);
  EXPECT_TRUE(rig.sink.frames.empty());
  EXPECT_EQ(rig.StatusAt(at), kOwn);
  rig.bench.RunFor(1);
  EXPECT_EQ(rig.sink.frames, std::vector<std::string>{frame});
  EXPECT_EQ(rig.StatusAt(at), 0u);
  EXPECT_TRUE(rig.StatusHas(TulipStatus::kTransmitted | TulipStatus::kNormal));
  EXPECT_TRUE(rig.Interrupted());
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.TransmitState(), TulipProcess::kTransmitSuspended);
  EXPECT_TRUE(rig.StatusHas(TulipStatus::kNoTransmitBuffer));
  rig.Out(5, ~0u);
  EXPECT_FALSE(rig.Interrupted());
  rig.AddFrame(TestFrame(60, 't'));
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.sink.frames.size(), 1u) << "nobody has said so";
  rig.Out(1, 1);
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.sink.frames.size(), 2u);
}

TEST(TulipTest, AFrameMayHaveManyBuffersInRingOrChain) {
  TulipRig rig;
  const std::string frame = TestFrame(90, 'm');
  rig.memory.Fill(0x50000, frame);
  const auto bus = [](uint32_t at) { return TulipRig::Bus(at); };
  rig.Describe(0x20000, kOwn, TulipTransmit::kFirst | 10 | 20u << 11, bus(0x50000), bus(0x5000a));
  rig.Describe(0x20010, kOwn, TulipDescriptor::kChained | 30, bus(0x5001e), bus(0x30000));
  rig.Describe(0x30000, kOwn, TulipTransmit::kLast | TulipDescriptor::kEndOfRing | 30,
               bus(0x5003c));
  rig.Start();
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.sink.frames, std::vector<std::string>{frame});
  for (const uint32_t at : {0x20000u, 0x20010u, 0x30000u}) EXPECT_EQ(rig.StatusAt(at), 0u);
  EXPECT_FALSE(rig.StatusHas(TulipStatus::kTransmitted)) << "it was not asked for";
  EXPECT_EQ(rig.Count("transmit_at"), bus(0x20000)) << "the ring has come to its end";
}

TEST(TulipTest, DescriptorsMayBeApartAndBigEndian) {
  TulipRig rig;
  rig.Out(0, TulipBusMode::kBigDescriptors | 2 << TulipBusMode::kSkipShift);
  for (const uint32_t i : {0u, 1u}) {
    rig.memory.Fill(0x50000, TestFrame(64, 'b'));
    rig.Describe(0x20000 + 24 * i, __builtin_bswap32(kOwn),
                 __builtin_bswap32(TulipTransmit::kFirst | TulipTransmit::kLast | 64),
                 __builtin_bswap32(TulipRig::Bus(0x50000)));
  }
  rig.Start();
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.sink.frames.size(), 2u);
}

TEST(TulipTest, FillsUpShortFramesAndDropsLongOnes) {
  TulipRig rig;
  const std::string small = TestFrame(20, 'p');
  rig.AddFrame(small);
  rig.AddFrame(small, TulipTransmit::kNoPadding);
  rig.AddFrame(small + "abcd", TulipTransmit::kHasCrc);
  rig.AddFrame(TestFrame(1515, 'g'));
  rig.AddFrame("short");
  rig.Start();
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.sink.frames,
            (std::vector<std::string>{small + std::string(40, '\0'), small, small}));
  EXPECT_EQ(rig.Count("send_drops"), 2u);
  EXPECT_EQ(rig.StatusAt(TulipRig::kSendRing + 16 * 4), 0u);
}

TEST(TulipTest, JabberStopsIt) {
  TulipRig rig;
  rig.Describe(0x20000, kOwn, TulipTransmit::kFirst | 1500, TulipRig::Bus(0x50000));
  rig.Describe(0x20010, kOwn, TulipTransmit::kLast | 1500, TulipRig::Bus(0x50000));
  rig.Start();
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_TRUE(rig.sink.frames.empty());
  EXPECT_EQ(rig.StatusAt(0x20010), TulipTransmit::kError | TulipTransmit::kJabber);
  EXPECT_TRUE(rig.StatusHas(TulipStatus::kJabber | TulipStatus::kTransmitStopped));
  EXPECT_EQ(rig.TransmitState(), TulipProcess::kStopped);
}

TEST(TulipTest, ReceivesWithCheckSequenceAndFillsUp) {
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

TEST(TulipTest, AFrameThatArrivesMayTakeManyDescriptors) {
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

TEST(TulipTest, CountsWhatItMisses) {
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
  EXPECT_EQ(rig.StatusAt(at) & (TulipReceive::kCut | TulipReceive::kError | kOwn),
            TulipReceive::kCut | TulipReceive::kError);
  rig.AddBuffer();
  rig.TakeFrame(TestFrame(60, 'e'));
  EXPECT_EQ(rig.Count("received"), 1u) << "it goes on by itself";
}

// A setup frame of these words; the upper halves of longwords are noise.
void SetFilter(TulipRig& rig, const std::array<uint16_t, 48>& words, uint32_t kind) {
  for (uint32_t i = 0; i < words.size(); ++i) {
    rig.memory.Put(0x60000 + 4 * i, static_cast<uint32_t>(words[i]) | 0xabcd0000u);
  }
  const uint32_t at = TulipRig::kSendRing + 16 * rig.sends++;
  rig.Describe(at, kOwn, TulipTransmit::kSetup | kind | 192, TulipRig::Bus(0x60000));
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

TEST(TulipTest, FiltersByAddress) {
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

TEST(TulipTest, FiltersAllButAddresses) {
  TulipRig rig;
  SetFilter(rig, PerfectSetup(), TulipTransmit::kFilter1);
  EXPECT_FALSE(Takes(rig, TulipRig::kMac));
  EXPECT_TRUE(Takes(rig, kOther));
  EXPECT_EQ(rig.In(6) & TulipMode::kInverse, TulipMode::kInverse);
}

TEST(TulipTest, FiltersByHash) {
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

TEST(TulipTest, MemoryThatDoesNotAnswerStopsBoth) {
  for (const bool sends : {false, true}) {
    TulipRig rig;
    rig.Start();
    if (sends) {
      rig.Describe(TulipRig::kSendRing, kOwn, TulipTransmit::kFirst | TulipTransmit::kLast | 60,
                   0x1000);
      rig.Out(1, 1);
    } else {
      rig.Describe(TulipRig::kReceiveRing, kOwn, 1536, 0x1000);
      rig.device.ReceiveFrame(TestFrame(60, 'a'));
    }
    rig.bench.RunFor(TulipRig::kLong);
    EXPECT_TRUE(rig.StatusHas(TulipStatus::kBusError | TulipStatus::kAbnormal));
    EXPECT_EQ(rig.ReceiveState(), TulipProcess::kStopped);
    EXPECT_EQ(rig.TransmitState(), TulipProcess::kStopped);
    EXPECT_EQ(rig.bench.events().next(), kNever);
    rig.Out(0, TulipBusMode::kReset);
    EXPECT_EQ(rig.In(5), 0xf0000000u);
    EXPECT_FALSE(rig.Interrupted());
  }
}

TEST(TulipTest, TheTimerRunsOutOnceOrAgain) {
  TulipRig rig;
  rig.Out(7, ~0u);
  rig.Out(11, 2);
  EXPECT_EQ(rig.In(11) & 0xffff, 2u);
  rig.bench.RunFor(2 * 49152 - 1);
  EXPECT_FALSE(rig.Interrupted());
  EXPECT_EQ(rig.In(11) & 0xffff, 1u);
  rig.bench.RunFor(1);
  EXPECT_TRUE(rig.StatusHas(TulipStatus::kTimer | TulipStatus::kNormal));
  EXPECT_EQ(rig.bench.events().next(), kNever);
  rig.Out(11, TulipTimer::kAgain | 1);
  rig.bench.RunFor(10 * 49152);
  EXPECT_NE(rig.bench.events().next(), kNever);
  rig.Out(11, 0);
  EXPECT_EQ(rig.bench.events().next(), kNever);
}

TEST(TulipTest, IsRestoredInTheMiddleOfEverything) {
  TulipRig rig;
  rig.AddBuffer();
  rig.AddBuffer();
  rig.AddFrame(TestFrame(1000, 's'));
  rig.AddFrame(TestFrame(100, 't'));
  rig.Start();
  rig.Out(11, 5);
  rig.device.ReceiveFrame(TestFrame(300, 'a'));
  rig.device.ReceiveFrame(TestFrame(200, 'b'));
  rig.Out(9, 0x4801);
  rig.Out(9, 0x4807);
  for (const uint64_t cycles : {10u, 5'000u, 20'000u}) {
    rig.bench.RunFor(cycles);
    TulipRig other;
    ASSERT_TRUE(rig.CopyTo(other).ok());
    EXPECT_EQ(other.Save(), rig.Save());
    TulipRig third;
    ASSERT_TRUE(rig.CopyTo(third).ok());
    other.bench.RunFor(TulipRig::kLong);
    third.bench.RunFor(TulipRig::kLong);
    EXPECT_EQ(other.Save(), third.Save());
    EXPECT_EQ(other.Count("received"), 2u);
    EXPECT_EQ(other.Count("sent"), 2u);
    EXPECT_EQ(other.memory.ram, third.memory.ram);
  }
  TulipRig idle;
  EXPECT_FALSE(Restore(idle.device, Save(rig.device)).ok()) << "frames that never leave";
}

}  // namespace
}  // namespace isochron::machine
