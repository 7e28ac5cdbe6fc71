#include "replaylog/pcapng.h"

#include <cstring>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "replaylog/log_testing.h"

namespace isochron::replaylog {
namespace {

using testing::HasSubstr;

uint32_t WordAt(const std::string& bytes, size_t at) {
  uint32_t word = 0;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}

// The fields of an enhanced packet block.
constexpr size_t kTimeHigh = 12, kTimeLow = 16, kCaptured = 20, kSize = 24, kBytes = 28;

TEST(PcapngTest, EveryBlockHasItsLengthAtBothEnds) {
  LogHeader header = SmallHeader();
  header.config.network.emplace();
  std::string file = PcapngHead(header);
  for (const Event& event : NetworkEvents()) file += PcapngPacket(event, 1000);
  size_t blocks = 0;
  for (size_t at = 0; at < file.size(); ++blocks) {
    const uint32_t length = WordAt(file, at + 4);
    ASSERT_EQ(length % 4, 0u);
    ASSERT_LE(at + length, file.size());
    EXPECT_EQ(WordAt(file, at + length - 4), length);
    at += length;
  }
  EXPECT_EQ(blocks, 2 + NetworkEvents().size());
}

TEST(PcapngTest, PacketsHaveGuestTimeAndDirection) {
  const std::vector<Event> events = NetworkEvents();
  // Cycle 400 of 1000 Hz.
  const std::string received = PcapngPacket(events[0], 1000);
  EXPECT_EQ(WordAt(received, kTimeHigh), 0u);
  EXPECT_EQ(WordAt(received, kTimeLow), 400'000'000u);
  EXPECT_EQ(WordAt(received, kCaptured), 15u);
  EXPECT_EQ(WordAt(received, kSize), 15u);
  EXPECT_EQ(received.substr(kBytes, 15), "to-station....\xff");
  EXPECT_THAT(received, HasSubstr(std::string("\2\0\4\0\1\0\0\0", 8)));
  const std::string sent = PcapngPacket(events[1], 1000);
  EXPECT_EQ(sent.substr(kBytes, 15), "from-station..\x01");
  EXPECT_THAT(sent, HasSubstr(std::string("\2\0\4\0\2\0\0\0", 8)));
}

TEST(PcapngTest, AFrameThatIsNotWholeHasItsSizeAndDigest) {
  const std::string packet = PcapngPacket(NetworkEvents()[2], 1000);
  EXPECT_EQ(WordAt(packet, kCaptured), 0u);
  EXPECT_EQ(WordAt(packet, kSize), 1514u);
  EXPECT_THAT(packet, HasSubstr("digest " + machine::DigestOf(std::string(1514, 'x')).ToString()));
}

TEST(PcapngTest, OtherEventsAreNoPackets) {
  for (const Event& event : SmallEvents()) EXPECT_EQ(PcapngPacket(event, 1000), "");
}

}  // namespace
}  // namespace isochron::replaylog
