// Runs the guest's callback code on the host, with a UART and an environment of the test's.

#include <cstdint>
#include <cstring>
#include <deque>
#include <string>

#include "gtest/gtest.h"
#include "machine/firmware/console_layout.h"
#include "machine/firmware/firmware_layout.h"

namespace {

struct FakeUart {
  std::deque<uint8_t> input;
  std::string output;
  int ready_after = 0;  // reads of the line status until a byte may be written
  int room = 1 << 30;   // bytes that are taken before the transmitter stops for good
  uint8_t line_errors = 0;
  uint8_t registers[8] = {};
  int polls = 0;
};
FakeUart uart;
uint64_t area[FW_CONSOLE_SIZE / 8];

uint8_t UartRead(int reg) {
  if (reg == 5) {
    const bool ready = uart.room > 0 && uart.polls++ >= uart.ready_after;
    return (uart.input.empty() ? 0 : 1) | uart.line_errors | (ready ? 0x20 : 0);
  }
  if (reg == 4) return uart.registers[4];
  const uint8_t byte = uart.input.front();
  uart.input.pop_front();
  return byte;
}

void UartWrite(int reg, uint8_t value) {
  const bool divisor = (uart.registers[3] & 0x80) != 0 && reg < 2;
  uart.registers[reg] = value;
  if (reg != 0 || divisor) return;
  uart.output += static_cast<char>(value);
  uart.polls = 0;
  --uart.room;
}

uint8_t* ConsoleArea(uint64_t offset) { return reinterpret_cast<uint8_t*>(area) + offset; }

#define ISOCHRON_CONSOLE_IO
#include "machine/firmware/console/callbacks.c"

class CallbacksTest : public ::testing::Test {
 protected:
  CallbacksTest() {
    uart = {};
    std::memset(area, 0, sizeof(area));
  }
  uint64_t Call(uint64_t function, uint64_t a = 0, const void* b = nullptr, uint64_t c = 0) {
    return ConsoleDispatch(function, a, reinterpret_cast<uint64_t>(b), c);
  }
  static uint64_t Status(uint64_t result) { return result >> 61; }
  static void Define(uint64_t table, uint64_t id, const std::string& value) {
    uint8_t* slot = ConsoleArea(table + id * CONSOLE_ENV_SLOT);
    const uint64_t length = value.size();
    std::memcpy(slot, &length, sizeof(length));
    std::memcpy(slot + 8, value.data(), length);
  }
};

TEST_F(CallbacksTest, PutsWritesAll) {
  uart.ready_after = 3;
  EXPECT_EQ(Call(0x02, 0, "hello", 5), 5u);
  EXPECT_EQ(uart.output, "hello");
  EXPECT_EQ(Call(0x02, 0, "", 0), 0u);
}

TEST_F(CallbacksTest, PutsTellsHowMuchATerminalTook) {
  uart.room = 2;
  const uint64_t some = Call(0x02, 0, "hello", 5);
  EXPECT_EQ(Status(some), 1u);
  EXPECT_EQ(some & 0xffffffff, 2u);
  const uint64_t none = Call(0x02, 0, "llo", 3);
  EXPECT_EQ(Status(none), 4u);
  EXPECT_EQ(none & 0xffffffff, 0u);
  EXPECT_EQ(uart.output, "he");
}

TEST_F(CallbacksTest, GetcTellsWhetherThereIsMore) {
  EXPECT_EQ(Status(Call(0x01)), 4u);
  uart.input = {'a', 0xff};
  EXPECT_EQ(Call(0x01), uint64_t{1} << 61 | 'a');
  EXPECT_EQ(Call(0x01), 0xffu);
  EXPECT_EQ(Status(Call(0x01)), 4u);
  uart.input = {'b'};
  uart.line_errors = 0x08;
  EXPECT_EQ(Call(0x01), uint64_t{6} << 61 | 'b');
}

// Linux's serial driver leaves both off; the terminal then holds its bytes back.
TEST_F(CallbacksTest, GetcTellsTheTerminalThatItMaySend) {
  uart.registers[4] = 0x08;
  EXPECT_EQ(Status(Call(0x01)), 4u);
  EXPECT_EQ(uart.registers[4], 0x0b);
  EXPECT_EQ(uart.registers[1], 0);
}

TEST_F(CallbacksTest, ResetTerminalSetsTheLine) {
  EXPECT_EQ(Call(0x03), 0u);
  EXPECT_EQ(uart.registers[0], 12);  // divisor of 9600 baud
  EXPECT_EQ(uart.registers[1], 0);
  EXPECT_EQ(uart.registers[3], 0x03);
  EXPECT_EQ(uart.output, "");
}

TEST_F(CallbacksTest, GetEnvironment) {
  Define(CONSOLE_ENV, CONSOLE_ENV_AUTO_ACTION, "HALT");
  char buffer[8] = {};
  EXPECT_EQ(Call(0x22, CONSOLE_ENV_AUTO_ACTION, buffer, sizeof(buffer)), 4u);
  EXPECT_STREQ(buffer, "HALT");
  std::memset(buffer, 0, sizeof(buffer));
  EXPECT_EQ(Call(0x22, CONSOLE_ENV_AUTO_ACTION, buffer, 2), uint64_t{1} << 61 | 2);
  EXPECT_STREQ(buffer, "HA");
  EXPECT_EQ(Call(0x22, CONSOLE_ENV_BOOT_DEV, buffer, 2), 0u);
  for (const uint64_t id : {uint64_t{0}, uint64_t{CONSOLE_ENV_COUNT}, ~uint64_t{0}}) {
    EXPECT_EQ(Status(Call(0x22, id, buffer, 2)), 6u);
  }
}

TEST_F(CallbacksTest, SetAndResetEnvironment) {
  Define(CONSOLE_ENV, CONSOLE_ENV_BOOT_RESET, "ON");
  Define(CONSOLE_ENV_DEFAULTS, CONSOLE_ENV_BOOT_RESET, "OFF");
  char buffer[600] = {};
  EXPECT_EQ(Call(0x20, CONSOLE_ENV_BOOT_RESET, "MAYBE", 5), 5u);
  EXPECT_EQ(Call(0x22, CONSOLE_ENV_BOOT_RESET, buffer, sizeof(buffer)), 5u);
  EXPECT_EQ(std::string(buffer, 5), "MAYBE");
  EXPECT_EQ(Call(0x21, CONSOLE_ENV_BOOT_RESET, buffer, sizeof(buffer)), 3u);
  EXPECT_EQ(std::string(buffer, 3), "OFF");
  EXPECT_EQ(Status(Call(0x20, CONSOLE_ENV_BOOTED_DEV, "x", 1)), 4u);
  EXPECT_EQ(Status(Call(0x21, CONSOLE_ENV_TTY_DEV, buffer, 1)), 4u);
  EXPECT_EQ(Status(Call(0x20, 99, "x", 1)), 6u);
  EXPECT_NE(Call(0x20, CONSOLE_ENV_BOOT_RESET, buffer, 505) >> 63, 0u);
  EXPECT_EQ(Call(0x20, CONSOLE_ENV_BOOT_RESET, buffer, 504), 504u);
}

TEST_F(CallbacksTest, ThereAreNoDevices) {
  EXPECT_EQ(Call(0x10, 0, "dka0", 4) >> 62, 2u);
  for (const uint64_t function : {0x11, 0x12, 0x13, 0x14, 0x23, 0x30, 0x32, 0x99}) {
    EXPECT_EQ(Call(function) >> 63, 1u) << function;
  }
  EXPECT_EQ(Call(0x07), 0u);
  EXPECT_EQ(Call(0x08), 0u);
}

}  // namespace
