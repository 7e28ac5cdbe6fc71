#include "debug/gdb/packet_reader.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isochron::debug {
namespace {

using Kind = ClientItem::Kind;
using ::testing::ElementsAre;

std::vector<ClientItem> ReadAll(std::string_view bytes) {
  PacketReader reader;
  reader.Feed(bytes);
  std::vector<ClientItem> items;
  while (std::optional<ClientItem> item = reader.Next()) items.push_back(*std::move(item));
  return items;
}

ClientItem Packet(std::string payload) { return {Kind::kPacket, std::move(payload)}; }
ClientItem Mark(Kind kind) { return {kind, ""}; }

TEST(PacketReader, ReadsPacketsAndWhatIsBetweenThem) {
  EXPECT_THAT(ReadAll("+$g#67+-$m10,4#2e\x03"),
              ElementsAre(Mark(Kind::kAcknowledge), Packet("g"), Mark(Kind::kAcknowledge),
                          Mark(Kind::kRepeat), Packet("m10,4"), Mark(Kind::kInterrupt)));
  EXPECT_THAT(ReadAll("$#00"), ElementsAre(Packet("")));
  EXPECT_THAT(ReadAll("$k#6B"), ElementsAre(Packet("k")));
}

TEST(PacketReader, ReadsPiecesOfAnySize) {
  PacketReader reader;
  for (const char byte : std::string("$vCont?#49")) {
    EXPECT_FALSE(reader.Next().has_value());
    reader.Feed(std::string(1, byte));
  }
  EXPECT_EQ(reader.Next(), Packet("vCont?"));
}

TEST(PacketReader, KeepsWhatMeansSomethingElsewhereInsideOfAPacket) {
  const std::string payload = "X0,3:+-\x03";
  EXPECT_THAT(ReadAll(FramePacket(payload)), ElementsAre(Packet(payload)));
}

TEST(PacketReader, UndoesEscapes) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every.push_back(static_cast<char>(byte));
  const std::string framed = FramePacket(every);
  EXPECT_EQ(framed.find('$', 1), std::string::npos);
  EXPECT_EQ(framed.find('#'), framed.size() - 3);
  EXPECT_THAT(ReadAll(framed), ElementsAre(Packet(every)));
}

TEST(PacketReader, TellsOfDamage) {
  const ClientItem damaged = Mark(Kind::kDamaged);
  EXPECT_THAT(ReadAll("$g#68"), ElementsAre(damaged));
  EXPECT_THAT(ReadAll("$g#6x$g#67"), ElementsAre(damaged, Packet("g")));
  EXPECT_THAT(ReadAll("$g#x7"), ElementsAre(damaged));
  // An escape of nothing.
  EXPECT_THAT(ReadAll("$}#7d"), ElementsAre(damaged));
}

TEST(PacketReader, DropsAPacketThatAnotherInterrupts) {
  EXPECT_THAT(ReadAll("$m1234$g#67"), ElementsAre(Packet("g")));
}

TEST(PacketReader, DropsWhatIsNoPacket) {
  EXPECT_THAT(ReadAll(std::string("GET / HTTP/1.1\r\n\0\xff", 18)), ElementsAre());
  // Acknowledgements that nobody asked for take no memory.
  EXPECT_THAT(ReadAll(std::string(100000, '+')), ElementsAre(Mark(Kind::kAcknowledge)));
}

TEST(PacketReader, DropsWhatIsTooLong) {
  const std::string longest(PacketReader::kMaxPacket, 'm');
  EXPECT_THAT(ReadAll(FramePacket(longest)), ElementsAre(Packet(longest)));
  EXPECT_THAT(ReadAll(FramePacket(longest + "m") + "$g#67"),
              ElementsAre(Mark(Kind::kTooLong), Packet("g")));
}

TEST(Hex, IsBytes) {
  EXPECT_EQ(ToHex(std::string("\0\xa5\xff", 3)), "00a5ff");
  EXPECT_EQ(FromHex("00a5Ff"), std::string("\0\xa5\xff", 3));
  EXPECT_FALSE(FromHex("0").has_value());
  EXPECT_FALSE(FromHex("0g").has_value());
}

TEST(Hex, IsNumbers) {
  std::string_view text = "1f,ffffffffffffffff";
  EXPECT_EQ(TakeHexNumber(text), 0x1fu);
  EXPECT_EQ(text, ",ffffffffffffffff");
  EXPECT_FALSE(TakeHexNumber(text).has_value());
  text.remove_prefix(1);
  EXPECT_EQ(TakeHexNumber(text), ~uint64_t{0});
  EXPECT_EQ(text, "");
  text = "10000000000000000";
  EXPECT_FALSE(TakeHexNumber(text).has_value());
}

}  // namespace
}  // namespace isochron::debug
