#include "cli/host/file_input.h"

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

// The receiver takes a byte in 6,000 cycles.
machine::MachineConfig Config() {
  machine::MachineConfig config;
  config.clock_hz = 600'000'000;
  config.input_interval = 60'000;
  return config;
}

struct ConsoleLine final : machine::InputLines {
  explicit ConsoleLine(size_t waiting) : waiting(waiting) {}
  size_t Waiting(const machine::Port& port) const override {
    return port == machine::Port::Uart(0) ? waiting : 0;
  }
  size_t waiting;
};

std::string Take(FileInput& input, size_t waiting) {
  std::vector<machine::Input> inputs;
  const ConsoleLine line(waiting);
  machine::InputPoint point;
  point.lines = &line;
  input.Poll(point, inputs);
  if (inputs.empty()) return "";
  EXPECT_EQ(inputs.size(), 1u);
  EXPECT_EQ(inputs[0].kind, machine::InputKind::kBytes);
  return inputs[0].bytes;
}

TEST(FileInputTest, FillsTheLineWithWhatTheReceiverTakesUntilTheNextPoint) {
  FileInput input("0123456789abcdefghijklmno", Config());
  EXPECT_EQ(Take(input, 0), "0123456789a");
  EXPECT_EQ(Take(input, 3), "bcdefghi");
  EXPECT_EQ(Take(input, 0), "jklmno");
  EXPECT_EQ(Take(input, 0), "");
}

TEST(FileInputTest, WaitsForAGuestThatDoesNotListen) {
  FileInput input("ab", Config());
  EXPECT_EQ(Take(input, 11), "");
  EXPECT_EQ(Take(input, 2'000), "");
  EXPECT_EQ(Take(input, 10), "a");
}

TEST(FileInputTest, APointTakesAByteHoweverShortTheInterval) {
  machine::MachineConfig config = Config();
  config.input_interval = 1000;
  FileInput input("ab", config);
  EXPECT_EQ(Take(input, 0), "a");
  EXPECT_EQ(Take(input, 0), "b");
}

}  // namespace
}  // namespace isochron::cli
