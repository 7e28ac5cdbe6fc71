#include "cli/host/console_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

class ConsoleOutputTest : public testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);
    ASSERT_EQ(pipe(pipe_.data()), 0);
  }
  void TearDown() override {
    for (int fd : pipe_) close(fd);
  }

  void Print(ConsoleOutput& output, std::string_view text, int uart = 0) {
    for (char c : text) output.OnConsoleByte(uart, 0, static_cast<uint8_t>(c));
  }
  std::string ReadPipe() {
    std::array<char, 65536> buffer;
    fcntl(pipe_[0], F_SETFL, O_NONBLOCK);
    const ssize_t got = read(pipe_[0], buffer.data(), buffer.size());
    return got > 0 ? std::string(buffer.data(), static_cast<size_t>(got)) : "";
  }
  std::vector<machine::Input> Inputs() {
    std::vector<machine::Input> inputs;
    queue_.Poll({}, inputs);
    return inputs;
  }

  HostQueue queue_;
  std::array<int, 2> pipe_;
};

TEST_F(ConsoleOutputTest, WritesUart0OnFlush) {
  ConsoleOutput output(pipe_[1], queue_);
  Print(output, "prompt# ");
  Print(output, "other", 1);
  EXPECT_EQ(ReadPipe(), "");
  output.Flush();
  EXPECT_EQ(ReadPipe(), "prompt# ");
}

TEST_F(ConsoleOutputTest, StopsTheGuestWhenNobodyReads) {
  close(pipe_[0]);
  pipe_[0] = -1;
  ConsoleOutput output(pipe_[1], queue_);
  Print(output, "x");
  output.Flush();
  EXPECT_EQ(output.error(), EPIPE);
  const std::vector<machine::Input> inputs = Inputs();
  ASSERT_EQ(inputs.size(), 1u);
  EXPECT_EQ(inputs[0].cause, machine::StopCause::kSignal);
  EXPECT_EQ(inputs[0].detail, static_cast<uint32_t>(SIGPIPE));
  Print(output, "y");
  output.Flush();
  EXPECT_TRUE(Inputs().empty());
}

TEST_F(ConsoleOutputTest, StopsTheGuestWhenTheHostIsFull) {
  const int full = open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  ConsoleOutput output(full, queue_);
  Print(output, "x");
  output.Flush();
  EXPECT_EQ(output.error(), ENOSPC);
  EXPECT_EQ(Inputs().size(), 1u);
  close(full);
}

TEST_F(ConsoleOutputTest, AStopEndsTheWaitForASlowReader) {
  fcntl(pipe_[1], F_SETFL, O_NONBLOCK);
  const std::string block(4096, '.');
  while (write(pipe_[1], block.data(), block.size()) > 0) {
  }
  fcntl(pipe_[1], F_SETFL, 0);
  queue_.PushStop(machine::StopCause::kSignal, SIGTERM);
  ConsoleOutput output(pipe_[1], queue_);
  Print(output, "x");
  output.Flush();  // would block for ever
  EXPECT_EQ(output.error(), 0);
}

TEST_F(ConsoleOutputTest, DropsEverythingWithoutADescriptor) {
  ConsoleOutput output(-1, queue_);
  Print(output, std::string(10'000, 'x'));
  output.Flush();
  EXPECT_EQ(output.error(), 0);
}

}  // namespace
}  // namespace isochron::cli
