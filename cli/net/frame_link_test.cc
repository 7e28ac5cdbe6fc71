#include "cli/net/frame_link.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/net/user_network.h"

namespace isochron::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::chrono::seconds kHang{60};

class FrameSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "netXXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Path() const { return directory_ + "/wire"; }
  static std::string Refusal(const std::string& path) {
    return std::string(MeetAt(path).status().message());
  }

  std::string directory_;
};

bool Send(int socket, std::string_view frame) {
  return send(socket, frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

// Waits for frames as the sequencer does at input points, which are far apart here.
std::vector<machine::Input> TakeFrames(HostQueue& queue, size_t count) {
  std::vector<machine::Input> inputs;
  for (uint64_t cycle = HostQueue::kFrameInterval; inputs.size() < count;
       cycle += HostQueue::kFrameInterval) {
    const auto start = std::chrono::steady_clock::now();
    queue.WaitForInput(kHang);
    if (std::chrono::steady_clock::now() - start >= kHang) break;
    queue.PollFrames({.cycle = cycle}, 64, inputs);
  }
  return inputs;
}

TEST_F(FrameSocketTest, TheSecondIsThePeerOfTheFirst) {
  auto first = MeetAt(Path());
  ASSERT_TRUE(first.ok()) << first.status();
  struct stat info;
  ASSERT_EQ(stat(Path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777 & ~0700, 0u);
  auto second = MeetAt(Path());
  ASSERT_TRUE(second.ok()) << second.status();
  HostQueue queues[2];
  FrameLink one(*std::move(first), "the one"), two(*std::move(second), "the other");
  ASSERT_TRUE(one.Start(queues[0]).ok());
  ASSERT_TRUE(two.Start(queues[1]).ok());
  const std::string frames[] = {std::string(60, 'a'), std::string(machine::kMaxFrame, 'b')};
  for (const std::string& frame : frames) two.OnFrame(0, frame);
  auto got = TakeFrames(queues[0], 2);
  ASSERT_THAT(got, SizeIs(2));
  EXPECT_EQ(got[0], machine::Input::Frame(frames[0]));
  EXPECT_EQ(got[1], machine::Input::Frame(frames[1]));
  one.OnFrame(0, frames[1]);
  got = TakeFrames(queues[1], 1);
  ASSERT_THAT(got, SizeIs(1));
  EXPECT_EQ(got[0], machine::Input::Frame(frames[1]));
  EXPECT_EQ(two.counts().sent, 2u);
  EXPECT_EQ(two.counts().received_bytes, frames[1].size());
}

TEST_F(FrameSocketTest, APeerThatHasGoneIsToldOfAndTheNextOneTaken) {
  HostQueue queue;
  FrameLink link(MeetAt(Path()).value(), "the peer");
  ASSERT_TRUE(link.Start(queue).ok());
  const std::string frame(60, 'x');
  link.OnFrame(0, frame);  // nobody is there
  EXPECT_EQ(link.counts().dropped, 1u);
  for (int i = 0; i < 2; ++i) {
    FrameSocket peer = MeetAt(Path()).value();
    ASSERT_TRUE(Send(peer.peer.fd(), frame));
    EXPECT_THAT(TakeFrames(queue, 1), SizeIs(1));
    // A third is turned away.
    FrameSocket third = MeetAt(Path()).value();
    char byte;
    pollfd state = {third.peer.fd(), POLLIN, 0};
    ASSERT_EQ(poll(&state, 1, 60'000), 1);
    EXPECT_LE(recv(third.peer.fd(), &byte, 1, 0), 0);
    peer = FrameSocket();
    std::optional<std::string> notice;
    while (!notice.has_value()) {
      std::this_thread::yield();
      notice = link.TakeNotice();
    }
    EXPECT_EQ(*notice, "the peer has gone; the guest runs on and waits for another");
  }
}

// The guest takes nothing: what waits for it is bounded, here and in the socket.
TEST_F(FrameSocketTest, AFloodIsBounded) {
  HostQueue queue;
  FrameLink link(MeetAt(Path()).value(), "the peer");
  ASSERT_TRUE(link.Start(queue).ok());
  const FrameSocket peer = MeetAt(Path()).value();
  const std::string frame(machine::kMaxFrame, 'f');
  constexpr uint64_t kFlood = 20'000;
  uint64_t taken = 0;
  for (uint64_t i = 0; i < kFlood; ++i) taken += Send(peer.peer.fd(), frame) ? 1 : 0;
  EXPECT_LT(taken, kFlood / 4);
  // And what reaches a log is bounded by guest time.
  constexpr uint64_t kIntervals = 50;
  constexpr uint64_t kPoints = 16;  // in each
  std::vector<machine::Input> inputs;
  for (uint64_t point = 1; point <= kIntervals * kPoints; ++point) {
    while (Send(peer.peer.fd(), frame)) {
    }
    queue.WaitForInput(kHang);
    queue.PollFrames({.cycle = point * HostQueue::kFrameInterval / kPoints}, 64, inputs);
  }
  EXPECT_LE(inputs.size(), kIntervals * HostQueue::kFramesPerInterval);
  EXPECT_GT(inputs.size(), kIntervals * HostQueue::kFramesPerInterval / 2);
  // Neither does a guest that floods make anybody wait.
  for (uint64_t i = 0; i < kFlood; ++i) link.OnFrame(0, frame);
  EXPECT_GT(link.counts().dropped, kFlood / 2);
}

TEST_F(FrameSocketTest, WhatIsNoFrameIsDropped) {
  HostQueue queue;
  FrameLink link(MeetAt(Path()).value(), "the peer");
  ASSERT_TRUE(link.Start(queue).ok());
  const FrameSocket peer = MeetAt(Path()).value();
  for (const size_t size : {size_t{0}, size_t{1}, machine::kMinFrame - 1, machine::kMaxFrame + 1,
                            size_t{60'000}, machine::kMinFrame}) {
    ASSERT_TRUE(Send(peer.peer.fd(), std::string(size, 'x')));
  }
  const auto got = TakeFrames(queue, 1);
  ASSERT_THAT(got, SizeIs(1));
  EXPECT_EQ(got[0].bytes.size(), machine::kMinFrame);
  EXPECT_EQ(link.counts().malformed, 5u);
}

TEST_F(FrameSocketTest, ASocketThatWasLeftBehindIsReplacedAndOursRemoved) {
  { const FrameSocket abandoned = MeetAt(Path()).value(); }
  ASSERT_TRUE(std::filesystem::exists(Path()));
  {
    const FrameLink link(MeetAt(Path()).value(), "the peer");
    EXPECT_TRUE(MeetAt(Path()).ok());
  }
  EXPECT_FALSE(std::filesystem::exists(Path()));
}

TEST_F(FrameSocketTest, SaysWhatIsWrongWithAPath) {
  EXPECT_THAT(Refusal(directory_ + "/" + std::string(200, 'x')), HasSubstr("at most 107 bytes"));
  EXPECT_THAT(Refusal(directory_ + "/no/wire"), HasSubstr("its directory: No such file"));
  std::ofstream(directory_ + "/file") << "text";
  EXPECT_THAT(Refusal(directory_ + "/file"), HasSubstr("something is there that is no socket"));
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/file"));
  sockaddr_un address = {AF_UNIX, {}};
  strncpy(address.sun_path, Path().c_str(), sizeof address.sun_path - 1);
  const hostio::Descriptor stream(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(stream.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(stream.fd(), 1), 0);
  EXPECT_THAT(Refusal(Path()), HasSubstr("takes no frames"));
}

// An ARP request for the gateway, from a guest that no DHCP server has seen.
std::string ArpRequest() {
  std::string frame = "\xff\xff\xff\xff\xff\xff\x52\x54";
  for (const uint8_t byte : {0x00, 0x12, 0x34, 0x56, 0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04,
                             0x00, 0x01, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 10,   0,    2,    15,
                             0,    0,    0,    0,    0,    0,    10,   0,    2,    2}) {
    frame.push_back(static_cast<char>(byte));
  }
  return frame;
}

TEST(UserNetworkTest, TheGatewayAnswersFromAProcessOfItsOwn) {
  HostQueue queue;
  const NetOption option = ParseNetOption("user").value();
  FrameLink link(StartUserNetwork(option, [] { return absl::OkStatus(); }).value(), "the process");
  ASSERT_TRUE(link.Start(queue).ok());
  link.OnFrame(0, ArpRequest());
  const auto got = TakeFrames(queue, 1);
  ASSERT_THAT(got, SizeIs(1));
  ASSERT_GE(got[0].bytes.size(), 42u);
  EXPECT_EQ(got[0].bytes.substr(20, 2), std::string("\0\2", 2));              // a reply
  EXPECT_EQ(got[0].bytes.substr(28, 4), std::string("\x0a\x00\x02\x02", 4));  // of the gateway
}

TEST(UserNetworkTest, APortThatIsTakenIsNamedAndFreeAgainAtTheEnd) {
  hostio::Descriptor holder(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(holder.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(holder.fd(), 1), 0);
  ASSERT_EQ(getsockname(holder.fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  NetOption option = ParseNetOption("user").value();
  option.forwards = {{.host_port = ntohs(address.sin_port), .guest_port = 80}};
  const auto confine = [] { return absl::OkStatus(); };
  const auto refused = StartUserNetwork(option, confine);
  EXPECT_TRUE(absl::IsInvalidArgument(refused.status())) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("Address already in use"));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(ForwardText(option.forwards[0])));

  holder = hostio::Descriptor();
  for (int i = 0; i < 3; ++i) {
    auto socket = StartUserNetwork(option, confine);
    ASSERT_TRUE(socket.ok()) << socket.status();
    const FrameLink link(*std::move(socket), "the process");
  }
}

TEST(UserNetworkTest, WhatIsNotConfinedDoesNotStart) {
  const auto refused = StartUserNetwork(ParseNetOption("user").value(),
                                        [] { return absl::FailedPreconditionError("no sandbox"); });
  EXPECT_EQ(refused.status().message(), "no sandbox");
}

}  // namespace
}  // namespace isochron::cli
