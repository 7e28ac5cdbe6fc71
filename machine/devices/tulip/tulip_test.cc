#include "machine/devices/tulip/tulip.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "machine/devices/tulip/tulip_testing.h"

namespace isochron::machine {
namespace {

constexpr uint32_t kOwn = TulipDescriptor::kOwn;

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
      rig.AddFrame(TestFrame(size, 's'), TulipTransmit::kHasCrc | TulipTransmit::kNoPadding);
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
  rig.AddFrame(small + "abcd", TulipTransmit::kHasCrc | TulipTransmit::kNoPadding);
  rig.AddFrame(TestFrame(1515, 'g'));
  rig.AddFrame("short");
  rig.Start();
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.sink.frames,
            (std::vector<std::string>{small + std::string(40, '\0'), small, small}));
  EXPECT_EQ(rig.Count("send_drops"), 2u);
  EXPECT_EQ(rig.StatusAt(TulipRig::kSendRing + 16 * 4), 0u);
}

// A frame that is filled up gets a check sequence, too, whatever TDES1<AC> says: what the driver
// took for one is data.
TEST(TulipTest, WhatIsFilledUpHasACheckSequenceOfTheChips) {
  TulipRig rig;
  rig.AddFrame(TestFrame(20, 'p') + "abcd", TulipTransmit::kHasCrc);
  rig.AddFrame(TestFrame(59, 'q') + "abcd", TulipTransmit::kHasCrc);
  rig.AddFrame(TestFrame(60, 'r') + "abcd", TulipTransmit::kHasCrc);
  rig.Start();
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.sink.frames,
            (std::vector<std::string>{TestFrame(20, 'p') + "abcd" + std::string(36, '\0'),
                                      TestFrame(59, 'q') + "abcd", TestFrame(60, 'r')}));
}

TEST(TulipTest, TheFirstDescriptorSaysWhatIsAdded) {
  TulipRig rig;
  rig.memory.Fill(0x50000, TestFrame(80, 'f'));
  const auto add = [&](uint32_t at, uint32_t first, uint32_t last) {
    rig.Describe(at, kOwn, TulipTransmit::kFirst | first | 40, TulipRig::Bus(0x50000));
    rig.Describe(at + 16, kOwn, TulipTransmit::kLast | last | 40, TulipRig::Bus(0x50028));
  };
  add(TulipRig::kSendRing, TulipTransmit::kHasCrc, TulipTransmit::kInterrupt);
  add(TulipRig::kSendRing + 32, 0, TulipTransmit::kHasCrc);
  rig.Start();
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.sink.frames,
            (std::vector<std::string>{TestFrame(80, 'f').substr(0, 76), TestFrame(80, 'f')}));
  EXPECT_TRUE(rig.StatusHas(TulipStatus::kTransmitted));
}

TEST(TulipTest, AFrameThatHasBegunLeavesBeforeItStops) {
  TulipRig rig;
  rig.memory.Fill(0x50000, TestFrame(80, 'f'));
  rig.Describe(TulipRig::kSendRing, kOwn, TulipTransmit::kFirst | 40, TulipRig::Bus(0x50000));
  rig.Describe(TulipRig::kSendRing + 16, kOwn, TulipTransmit::kLast | 40, TulipRig::Bus(0x50028));
  rig.sends = 2;
  rig.AddFrame(TestFrame(60, 'g'));
  rig.Start();
  rig.bench.RunFor(451);
  EXPECT_EQ(rig.StatusAt(TulipRig::kSendRing), 0u);
  rig.Out(6, 0);
  EXPECT_EQ(rig.TransmitState(), TulipProcess::kTransmitFetching);
  TulipRig other;
  EXPECT_TRUE(rig.CopyTo(other).ok());
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.sink.frames, std::vector<std::string>{TestFrame(80, 'f')});
  EXPECT_EQ(rig.TransmitState(), TulipProcess::kStopped);
  EXPECT_TRUE(rig.StatusHas(TulipStatus::kTransmitStopped));
  rig.Out(6, TulipMode::kTransmit);
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.sink.frames.size(), 2u) << "it goes on where it was";

  // Between frames, and where the rest of one never comes, it stops.
  rig.Out(6, 0);
  EXPECT_EQ(rig.TransmitState(), TulipProcess::kStopped);
  rig.Describe(TulipRig::kSendRing + 48, kOwn, TulipTransmit::kFirst | 40, TulipRig::Bus(0x50000));
  rig.Out(6, TulipMode::kTransmit);
  rig.bench.RunFor(451);
  rig.Out(6, 0);
  EXPECT_EQ(rig.TransmitState(), TulipProcess::kTransmitFetching);
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.TransmitState(), TulipProcess::kStopped);
}

TEST(TulipTest, HearsItselfOnlyInLoopback) {
  TulipRig rig;
  rig.AddBuffer();
  rig.AddBuffer();
  rig.Start();
  rig.device.ReceiveFrame(TestFrame(60, 'w'));
  rig.Out(6, rig.In(6) | 1 << 10);  // while it is on the wire
  rig.TakeFrame(TestFrame(60, 'x'));
  EXPECT_EQ(rig.Count("received"), 0u);
  EXPECT_EQ(rig.Count("receive_drops"), 2u);
  rig.AddFrame(TestFrame(64, 'l'));
  rig.Out(1, 1);
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.Count("received"), 1u);
  EXPECT_EQ(rig.memory.Bytes(TulipRig::kBuffers, 64), TestFrame(64, 'l'));
  EXPECT_TRUE(rig.sink.frames.empty());
  rig.Out(6, rig.In(6) & ~TulipMode::kLoopback);
  rig.TakeFrame(TestFrame(60, 'y'));
  EXPECT_EQ(rig.Count("received"), 2u);
}

TEST(TulipTest, AResetInLoopbackLosesWhatItSentItself) {
  TulipRig rig;
  rig.AddBuffer();
  rig.Start(TulipMode::kPromiscuous | 1 << 10);
  rig.AddFrame(TestFrame(1500, 'l'));
  rig.Out(1, 1);
  while (rig.TransmitState() != TulipProcess::kTransmitSuspended) rig.bench.RunFor(1000);
  rig.Out(TulipCsr::kBusMode, 1);
  rig.Start();
  rig.bench.RunFor(TulipRig::kLong);
  EXPECT_EQ(rig.Count("received"), 0u);
  EXPECT_EQ(rig.Count("receive_drops"), 1u);
}

TEST(TulipTest, ADescriptorInTheMiddleOfNoFrameIsInsideNone) {
  TulipRig rig;
  rig.Start();
  rig.AddFrame(TestFrame(64, 'a'));
  rig.Describe(TulipRig::kSendRing + 16, kOwn, 64, TulipRig::Bus(TulipRig::kBuffers));
  rig.Out(1, 1);
  while ((rig.StatusAt(TulipRig::kSendRing + 16) & kOwn) != 0) rig.bench.RunFor(100);
  rig.Out(6, rig.In(6) & ~TulipMode::kTransmit);
  EXPECT_EQ(rig.TransmitState(), TulipProcess::kStopped) << "there is no frame to be sent first";
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

// A rig with much to do.
std::unique_ptr<TulipRig> InTheMiddleOfEverything() {
  auto rig = std::make_unique<TulipRig>();
  rig->AddBuffer();
  rig->AddBuffer();
  rig->AddFrame(TestFrame(1000, 's'));
  rig->AddFrame(TestFrame(100, 't'));
  rig->Start();
  rig->Out(11, 5);
  rig->device.ReceiveFrame(TestFrame(300, 'a'));
  rig->device.ReceiveFrame(TestFrame(200, 'b'));
  rig->Out(9, 0x4801);
  rig->Out(9, 0x4807);
  return rig;
}

TEST(TulipTest, IsRestoredInTheMiddleOfEverything) {
  for (const uint64_t cycles : {10u, 451u, 5'000u, 20'000u, 60'000u}) {
    const auto rig = InTheMiddleOfEverything();
    rig->bench.RunFor(cycles);
    TulipRig other;
    ASSERT_TRUE(rig->CopyTo(other).ok());
    EXPECT_EQ(other.Save(), rig->Save());
    rig->bench.RunFor(TulipRig::kLong);
    other.bench.RunFor(TulipRig::kLong);
    EXPECT_EQ(other.Save(), rig->Save()) << "who was restored does what the other does";
    EXPECT_EQ(other.memory.ram, rig->memory.ram);
    EXPECT_EQ(other.irqs.edges, rig->irqs.edges);
    EXPECT_EQ(rig->Count("received"), 2u);
    EXPECT_EQ(rig->Count("sent"), 2u);
    // What left before the state was saved the other one has not sent.
    const auto& sent = rig->sink.frames;
    const auto& after = other.sink.frames;
    ASSERT_LE(after.size(), sent.size());
    EXPECT_TRUE(std::equal(after.rbegin(), after.rend(), sent.rbegin()));
    EXPECT_TRUE(std::equal(other.sink.cycles.rbegin(), other.sink.cycles.rend(),
                           rig->sink.cycles.rbegin()));
  }
}

// Restores `rig`'s state with a number of it changed.
absl::Status RestoreWith(const TulipRig& rig, const std::string& field, uint64_t value) {
  TulipRig other;
  absl::Status status = Restore(other.bench.events(), Save(rig.bench.events()));
  status.Update(Restore(other.device, WithNumber(rig.device, "tulip." + field, value)));
  return status;
}

TEST(TulipTest, RefusesStatesThatCannotBe) {
  const auto rig = InTheMiddleOfEverything();
  rig->bench.RunFor(10);
  ASSERT_TRUE(RestoreWith(*rig, "sent", 7).ok());
  const std::pair<const char*, uint64_t> kOdd[] = {
      {"mode", TulipMode::kReceive},            // what sends was told to stop
      {"mode", TulipMode::kTransmit},           // what receives was
      {"mode", rig->In(6) | TulipMode::kHash},  // which the filter shows
      {"timer", 0},                             // and runs
      {"causes", 1u << 31},
      {"bus_error", 7},
      {"missed", 1u << 17},
      {"receive_state", TulipProcess::kReceiveSuspended + 1},
      {"transmit_state", TulipProcess::kStopped},
      {"transmit_state", TulipProcess::kTransmitSending},
      {"filter.kind", 4},
  };
  for (const auto& [field, value] : kOdd) {
    EXPECT_FALSE(RestoreWith(*rig, field, value).ok()) << field << " " << value;
  }
  TulipRig idle;
  EXPECT_FALSE(Restore(idle.device, Save(rig->device)).ok()) << "frames that never leave";
}

}  // namespace
}  // namespace isochron::machine
