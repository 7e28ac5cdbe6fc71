#include "cli/net/net_option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = NetOption::Kind;
using Model = machine::NetworkConfig::Model;

std::string Refusal(std::string_view text) {
  return std::string(ParseNetOption(text).status().message());
}

TEST(NetOptionTest, IsOneOfThree) {
  EXPECT_EQ(ParseNetOption("none")->kind, Kind::kNone);
  const NetOption user = ParseNetOption("user").value();
  EXPECT_EQ(user.kind, Kind::kUser);
  EXPECT_FALSE(user.restricted);
  EXPECT_EQ(user.device, machine::NetworkConfig());
  const NetOption socket = ParseNetOption("socket:/tmp/a,,b").value();
  EXPECT_EQ(socket.kind, Kind::kSocket);
  EXPECT_EQ(socket.path, "/tmp/a,b");
}

TEST(NetOptionTest, TakesSettingsInAnyOrder) {
  const NetOption user =
      ParseNetOption(
          "user,mac=02:00:00:00:0A:ff,restrict,hostfwd=tcp::8080-:80,model=tulip,"
          "hostfwd=udp:0.0.0.0:53-10.0.2.16:5353")
          .value();
  EXPECT_TRUE(user.restricted);
  EXPECT_EQ(user.device.model, Model::kTulip);
  EXPECT_THAT(user.device.mac, ElementsAre(2, 0, 0, 0, 10, 255));
  EXPECT_THAT(user.forwards,
              ElementsAre(PortForward{false, {127, 0, 0, 1}, 8080, {10, 0, 2, 15}, 80},
                          PortForward{true, {0, 0, 0, 0}, 53, {10, 0, 2, 16}, 5353}));
  EXPECT_EQ(ForwardText(user.forwards[0]), "tcp:127.0.0.1:8080-10.0.2.15:80");
  EXPECT_EQ(ParseNetOption("socket:x,model=virtio,mac=52:54:00:00:00:01")->path, "x");
}

TEST(NetOptionTest, SaysHowMuchOfSentFramesALogHas) {
  const auto whole = [](const char* text) {
    return ParseNetOption(std::string("user,witness=") + text)->device.whole_frames;
  };
  EXPECT_EQ(whole("bytes"), machine::kMaxFrame);
  EXPECT_EQ(whole("digest"), 0u);
  EXPECT_EQ(whole("digest:128"), 128u);
  EXPECT_EQ(ParseNetOption("socket:x,witness=digest:1514")->device.whole_frames, 1514u);
  for (const char* text : {"", "digest:", "digest:1515", "digest:-1", "bytes:5", "none"}) {
    EXPECT_THAT(Refusal(std::string("user,witness=") + text),
                HasSubstr("is not one of bytes, digest and digest:ABOVE"));
  }
}

TEST(NetOptionTest, SaysWhatIsWrong) {
  EXPECT_THAT(Refusal(""), HasSubstr("'' is not one of none, user and socket:PATH"));
  EXPECT_THAT(Refusal("tap"), HasSubstr("'tap' is not one of none"));
  EXPECT_THAT(Refusal("none,restrict"), HasSubstr("has settings"));
  EXPECT_THAT(Refusal("socket:"), HasSubstr("names no socket"));
  EXPECT_THAT(Refusal("socket:x,restrict"), HasSubstr("'restrict' is not one of model=, mac= and"));
  EXPECT_THAT(Refusal("user,"), HasSubstr("'' is not one of hostfwd=, restrict"));
  EXPECT_THAT(Refusal("user,model=e1000"), HasSubstr("'e1000' is neither of the models"));
}

TEST(NetOptionTest, SaysWhatIsWrongWithAnAddress) {
  for (const char* mac : {"", "52:54", "52:54:00:12:34:5", "52:54:00:12:34:5g", "52-54-00-12-34-56",
                          "+2:54:00:12:34:56", "52:54:00:12:34:56:78"}) {
    EXPECT_THAT(Refusal(std::string("user,mac=") + mac), HasSubstr("is no Ethernet address"))
        << mac;
  }
  for (const char* mac : {"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"}) {
    EXPECT_THAT(Refusal(std::string("user,mac=") + mac), HasSubstr("one station")) << mac;
  }
}

TEST(NetOptionTest, SaysWhatIsWrongWithAForward) {
  for (const char* forward :
       {"", "8080-80", "sctp::1-:2", "tcp:8080-:80", "tcp::8080-80", "tcp::8080", "tcp::0-:80",
        "tcp::80-:65536", "tcp:host:1-:2", "tcp:::1-:2", "tcp::1-:2-:3", "tcp:1.2.3:1-:2"}) {
    EXPECT_THAT(Refusal(std::string("user,hostfwd=") + forward),
                HasSubstr("is not tcp|udp:[ADDRESS]:PORT-[GUEST]:PORT"))
        << forward;
  }
  for (const char* guest : {"10.0.2.2", "10.0.2.3", "10.0.2.0", "10.0.2.255", "10.0.3.15"}) {
    EXPECT_THAT(Refusal(std::string("user,hostfwd=tcp::80-") + guest + ":80"),
                HasSubstr("leads to no guest"))
        << guest;
  }
}

}  // namespace
}  // namespace isochron::cli
