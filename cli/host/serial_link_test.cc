#include "cli/host/serial_link.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

constexpr std::chrono::seconds kHang{60};
const machine::Port kPort = machine::Port::Uart(1);

class SerialLinkTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "serialXXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Path() const { return directory_ + "/line"; }
  hostio::Descriptor Connect() const {
    sockaddr_un address = {AF_UNIX, {}};
    strncpy(address.sun_path, Path().c_str(), sizeof address.sun_path - 1);
    hostio::Descriptor client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(client.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return client;
  }

  // What has come, once that is `size` bytes.
  std::string TakeInput(size_t size) {
    std::string bytes;
    while (bytes.size() < size) {
      const auto start = std::chrono::steady_clock::now();
      queue_.WaitForInput(kHang);
      if (std::chrono::steady_clock::now() - start >= kHang) break;
      std::vector<machine::Input> inputs;
      queue_.Poll({}, inputs);
      for (const machine::Input& input : inputs) {
        EXPECT_EQ(input.port, kPort);
        bytes += input.bytes;
      }
    }
    return bytes;
  }

  HostQueue queue_;
  std::string directory_;
};

bool WaitFor(int fd, short events) {
  pollfd state = {fd, events, 0};
  return poll(&state, 1, 60'000) == 1;
}

std::string ReadAll(int fd, size_t size) {
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size && WaitFor(fd, POLLIN)) {
    const ssize_t got = read(fd, bytes.data() + done, size - done);
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

TEST_F(SerialLinkTest, ClientsComeAndGo) {
  auto link = SerialLink::Listen(Path()).value();
  ASSERT_TRUE(link->Start(&queue_, kPort).ok());
  link->Write("to nobody", queue_.stop_event());
  for (int i = 0; i < 2; ++i) {
    const hostio::Descriptor client = Connect();
    ASSERT_EQ(write(client.fd(), "hello", 5), 5);
    EXPECT_EQ(TakeInput(5), "hello");
    // Another is turned away.
    const hostio::Descriptor other = Connect();
    EXPECT_EQ(ReadAll(other.fd(), 1), "");
    // More than the socket holds: the writer waits for the reader.
    const std::string much(1 << 20, 'm');
    std::string got;
    std::thread reader([&] { got = ReadAll(client.fd(), much.size()); });
    link->Write(much, queue_.stop_event());
    reader.join();
    EXPECT_EQ(got, much);
  }
  link.reset();
  EXPECT_FALSE(std::filesystem::exists(Path()));
}

TEST_F(SerialLinkTest, NobodyIsWaitedForOnceAStopIsAskedFor) {
  auto link = SerialLink::Listen(Path()).value();
  ASSERT_TRUE(link->Start(&queue_, kPort).ok());
  const hostio::Descriptor client = Connect();
  ASSERT_EQ(write(client.fd(), "x", 1), 1);
  EXPECT_EQ(TakeInput(1), "x");
  queue_.PushStop(machine::StopCause::kQuit);
  link->Write(std::string(16 << 20, 'm'), queue_.stop_event());
}

TEST_F(SerialLinkTest, WithoutAQueueInputIsDropped) {
  auto link = SerialLink::Listen(Path()).value();
  ASSERT_TRUE(link->Start(nullptr, kPort).ok());
  {
    const hostio::Descriptor client = Connect();
    ASSERT_EQ(write(client.fd(), "old", 3), 3);
    ASSERT_EQ(shutdown(client.fd(), SHUT_WR), 0);
    EXPECT_EQ(ReadAll(client.fd(), 1), "");  // it has been read to its end
  }
  ASSERT_TRUE(link->Start(&queue_, kPort).ok());
  const hostio::Descriptor client = Connect();
  ASSERT_EQ(write(client.fd(), "new", 3), 3);
  EXPECT_EQ(TakeInput(3), "new");
}

TEST_F(SerialLinkTest, ATerminalIsOpenedAndClosed) {
  auto link = SerialLink::OpenTerminal().value();
  ASSERT_TRUE(link->Start(&queue_, kPort).ok());
  link->Write(std::string(1 << 20, 'n'), queue_.stop_event());  // nobody is there, and none waits
  for (int i = 0; i < 2; ++i) {
    const hostio::Descriptor terminal(open(link->name().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_GE(terminal.fd(), 0);
    ASSERT_EQ(write(terminal.fd(), "a\r\n\3", 4), 4);
    EXPECT_EQ(TakeInput(4), "a\r\n\3");
    link->Write("b\r\n\4", queue_.stop_event());
    EXPECT_EQ(ReadAll(terminal.fd(), 4), "b\r\n\4");
  }
}

TEST_F(SerialLinkTest, SaysWhatIsWrongWithAPath) {
  EXPECT_TRUE(absl::IsInvalidArgument(SerialLink::Listen(directory_).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(SerialLink::Listen(Path() + std::string(200, 'x')).status()));
}

}  // namespace
}  // namespace isochron::cli
