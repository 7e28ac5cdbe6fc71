#include "machine/devices/uart16550.h"

#include <gtest/gtest.h>

#include "machine/bus/device_testing.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kData = 0, kIer = 1, kIir = 2, kFcr = 2, kLcr = 3, kMcr = 4, kLsr = 5, kMsr = 6,
                   kScratch = 7;
constexpr uint64_t kOut = kTestHz / Uart::kTransmitHz;  // cycles for a byte
constexpr uint64_t kIn = kTestHz / Uart::kReceiveHz;

class UartTest : public testing::Test {
 protected:
  UartTest() {
    uart_.Reset();
    Write(kMcr, 0x0b);  // DTR, RTS, OUT2
  }

  uint8_t Read(uint64_t reg) { return static_cast<uint8_t>(uart_.Read({reg, 1})); }
  void Write(uint64_t reg, uint8_t value) { uart_.Write({reg, 1}, value); }
  void Wait(uint64_t cycles) { bench_.RunFor(cycles); }
  bool interrupting() { return irqs_.levels[4]; }
  std::string Drain() {
    std::string text;
    while ((Read(kLsr) & 1) != 0) text.push_back(static_cast<char>(Read(kData)));
    return text;
  }

  Bench bench_;
  FakeIrqs irqs_;
  FakeConsole console_;
  Uart uart_{0, bench_.events(), &console_, IrqLine{&irqs_, 4}};
};

TEST_F(UartTest, SendsBytesOneAfterTheOther) {
  EXPECT_EQ(Read(kLsr), 0x60);
  Write(kData, 'a');
  EXPECT_EQ(Read(kLsr), 0x20);  // in the shift register
  Write(kData, 'b');
  EXPECT_EQ(Read(kLsr), 0x00);
  Wait(kOut);
  EXPECT_EQ(Read(kLsr), 0x20);
  EXPECT_EQ(console_.bytes[0], "a");
  Wait(kOut);
  EXPECT_EQ(Read(kLsr), 0x60);
  EXPECT_EQ(console_.bytes[0], "ab");
  EXPECT_EQ(console_.cycles, (std::vector<uint64_t>{kOut, 2 * kOut}));
}

TEST_F(UartTest, TransmitFifoHoldsSixteen) {
  Write(kFcr, 0x01);
  for (int i = 0; i < 20; ++i) Write(kData, static_cast<uint8_t>('A' + i));
  Wait(30 * kOut);
  EXPECT_EQ(console_.bytes[0], "ABCDEFGHIJKLMNOPQ");  // one in the shift register, 16 behind
}

TEST_F(UartTest, FlushSendsWhatTheWireStillHolds) {
  Write(kFcr, 0x01);
  for (char c : std::string("bye.\n")) Write(kData, static_cast<uint8_t>(c));
  uart_.Flush();
  EXPECT_EQ(console_.bytes[0], "bye.\n");
  EXPECT_EQ(Read(kLsr), 0x60);
  Wait(30 * kOut);
  EXPECT_EQ(console_.bytes[0], "bye.\n");
}

TEST_F(UartTest, TransmitInterruptComesOnceForAnEmptyTransmitter) {
  Write(kIer, 0x02);
  EXPECT_TRUE(interrupting());
  EXPECT_EQ(Read(kIir), 0x02);
  EXPECT_EQ(Read(kIir), 0x01);  // reading it has cleared it
  EXPECT_FALSE(interrupting());
  Write(kIer, 0x00);
  Write(kIer, 0x02);  // enabling again raises it again
  EXPECT_TRUE(interrupting());
  Write(kData, 'x');
  Write(kData, 'y');  // waits in the holding register
  EXPECT_FALSE(interrupting());
  Wait(kOut);
  EXPECT_TRUE(interrupting());
}

TEST_F(UartTest, ReceivesAtItsPaceAndNeverOverruns) {
  uart_.Receive("hello, world, and some more");
  EXPECT_EQ(Read(kLsr) & 1, 0);
  Wait(kIn);
  EXPECT_EQ(Read(kLsr) & 3, 1);
  Wait(100 * kIn);
  EXPECT_EQ(uart_.waiting(), 26u);
  std::string text;
  while (uart_.waiting() > 0 || (Read(kLsr) & 1) != 0) {
    text += Drain();
    Wait(kIn);
  }
  EXPECT_EQ(text, "hello, world, and some more");
}

TEST_F(UartTest, SenderWaitsForRts) {
  Write(kMcr, 0);
  uart_.Receive("ab");
  Wait(10 * kIn);
  EXPECT_EQ(Read(kLsr) & 1, 0);
  Write(kFcr, 0x07);
  Write(kMcr, 0x02);
  Wait(2 * kIn);
  EXPECT_EQ(Drain(), "ab");
}

TEST_F(UartTest, LineIsBounded) {
  Write(kMcr, 0);
  uart_.Receive(std::string(Uart::kMaxLine - 1, 'x'));
  uart_.Receive("yz");
  uart_.Receive("z");
  EXPECT_EQ(uart_.waiting(), Uart::kMaxLine);
}

TEST_F(UartTest, TriggerLevelThenTimeout) {
  Write(kFcr, 0x41);  // FIFOs on, trigger 4
  Write(kIer, 0x01);
  uart_.Receive("12345");
  Wait(3 * kIn);
  EXPECT_FALSE(interrupting());
  Wait(kIn);
  EXPECT_TRUE(interrupting());
  EXPECT_EQ(Read(kIir), 0xc4);
  Wait(kIn);
  for (char expected : {'1', '2'}) EXPECT_EQ(Read(kData), expected);
  EXPECT_FALSE(interrupting());  // below the level
  Wait(4 * kIn - 1);
  EXPECT_FALSE(interrupting());
  Wait(1);
  EXPECT_EQ(Read(kIir), 0xcc);
  Read(kData);
  EXPECT_EQ(Read(kIir), 0xc1);
  EXPECT_EQ(Drain(), "45");
}

TEST_F(UartTest, InterruptPriorities) {
  Write(kMcr, 0x1b);  // loopback
  Write(kIer, 0x0f);
  Write(kMcr, 0x19);  // RTS and so CTS falls: modem status
  EXPECT_EQ(Read(kIir), 0x02);
  EXPECT_EQ(Read(kIir), 0x00);
  EXPECT_EQ(Read(kMsr) & 0x0f, 0x01);
  EXPECT_EQ(Read(kIir), 0x01);
  Write(kData, 'a');
  Wait(kOut);
  Write(kData, 'b');
  Wait(kOut);
  EXPECT_EQ(Read(kIir), 0x06);  // overrun
  EXPECT_EQ(Read(kLsr) & 0x1f, 0x03);
  EXPECT_EQ(Read(kIir), 0x04);
  EXPECT_EQ(Read(kData), 'b');  // the buffer was overwritten
  EXPECT_EQ(Read(kIir), 0x02);
}

TEST_F(UartTest, LoopbackStaysInsideAndOverrunsKeepTheFifo) {
  Write(kMcr, 0x10);
  Write(kFcr, 0x07);
  for (int i = 0; i < 20; ++i) {
    Write(kData, static_cast<uint8_t>('a' + i));
    Wait(kOut);
  }
  EXPECT_EQ(Read(kLsr) & 0x02, 0x02);
  EXPECT_EQ(Drain(), "abcdefghijklmnop");
  EXPECT_EQ(console_.bytes[0], "");
}

TEST_F(UartTest, LoopbackWiresTheModemLines) {
  EXPECT_EQ(Read(kMsr), 0xb0);  // a terminal that is always ready
  Write(kMcr, 0x1a);            // the test of Linux's driver: LOOP, OUT2, RTS
  EXPECT_EQ(Read(kMsr) & 0xf0, 0x90);
  Read(kMsr);
  Write(kMcr, 0x1e);
  EXPECT_EQ(Read(kMsr), 0xd0);  // ring has begun: no delta
  Write(kMcr, 0x1a);
  EXPECT_EQ(Read(kMsr), 0x94);  // ring has ended
}

TEST_F(UartTest, BreakComesWithANullCharacter) {
  Write(kMcr, 0x10);
  Write(kFcr, 0x01);
  Write(kData, 'x');
  Wait(kOut);
  Write(kLcr, 0x43);
  EXPECT_EQ(Read(kLsr) & 0x99, 0x81);  // an error in the FIFO, not at its top
  EXPECT_EQ(Read(kData), 'x');
  EXPECT_EQ(Read(kLsr) & 0x99, 0x99);
  EXPECT_EQ(Read(kLsr) & 0x99, 0x01);
  EXPECT_EQ(Read(kData), 0);
}

TEST_F(UartTest, ABreakFromOutsideArrivesInItsTurn) {
  Write(kMcr, 0x0a);
  Write(kFcr, 0x01);
  Write(kIer, 0x04);  // receiver line status
  uart_.Receive("x");
  uart_.ReceiveBreak();
  uart_.Receive("y");
  Wait(3 * kIn);
  EXPECT_EQ(Read(kLsr) & 0x99, 0x81);
  EXPECT_EQ(Read(kIir) & 0x0f, 0x01);  // the error is not at the top yet
  EXPECT_EQ(Read(kData), 'x');
  EXPECT_EQ(Read(kIir) & 0x0f, 0x06);
  EXPECT_EQ(Read(kLsr) & 0x99, 0x99);
  EXPECT_EQ(Read(kData), 0);
  EXPECT_EQ(Read(kLsr) & 0x99, 0x01);
  EXPECT_EQ(Read(kData), 'y');
}

TEST_F(UartTest, DivisorScratchAndFifoControl) {
  Write(kLcr, 0x83);
  Write(kData, 0x34);
  Write(kIer, 0x12);
  EXPECT_EQ(Read(kData), 0x34);
  EXPECT_EQ(Read(kIer), 0x12);
  Write(kLcr, 0x03);
  EXPECT_EQ(Read(kIer), 0);
  Write(kScratch, 0x5a);
  EXPECT_EQ(Read(kScratch), 0x5a);
  EXPECT_EQ(Read(kIir), 0x01);
  Write(kFcr, 0xc6);  // no enable bit: nothing is programmed
  EXPECT_EQ(Read(kIir), 0x01);
  Write(kFcr, 0xc1);
  EXPECT_EQ(Read(kIir), 0xc1);
  Write(kIer, 0xff);
  EXPECT_EQ(Read(kIer), 0x0f);
}

TEST_F(UartTest, InterruptNeedsOut2) {
  Write(kMcr, 0x03);
  Write(kIer, 0x02);
  EXPECT_FALSE(interrupting());
  Write(kMcr, 0x0b);
  EXPECT_TRUE(interrupting());
}

TEST_F(UartTest, LoopbackInterruptsAsTheLineDoes) {
  Write(kMcr, 0x1b);  // loopback, DTR, RTS, OUT2
  Read(kMsr);
  Write(kIer, 0x01);
  EXPECT_FALSE(interrupting());
  Write(kData, 'a');
  Wait(kOut);
  EXPECT_TRUE(interrupting());
  EXPECT_EQ(Read(kData), 'a');
  EXPECT_FALSE(interrupting());
  Write(kIer, 0x02);
  EXPECT_TRUE(interrupting());
  EXPECT_EQ(Read(kIir), 0x02);
  EXPECT_FALSE(interrupting());
  Write(kData, 'b');
  Write(kData, 'c');
  EXPECT_FALSE(interrupting());
  Wait(kOut);
  EXPECT_TRUE(interrupting());
  Write(kIer, 0x08);
  EXPECT_FALSE(interrupting());
  Write(kMcr, 0x1a);  // DTR and so DSR falls
  EXPECT_TRUE(interrupting());
  EXPECT_EQ(Read(kMsr) & 0x0f, 0x02);
  EXPECT_FALSE(interrupting());
  Write(kMcr, 0x12);  // OUT2 falls: DCD changes, but the wire is off
  EXPECT_FALSE(interrupting());
}

TEST_F(UartTest, RestoredPortGoesOnAlike) {
  Write(kFcr, 0x81);
  Write(kIer, 0x07);
  for (char c : std::string("output")) Write(kData, static_cast<uint8_t>(c));
  uart_.Receive("some input that waits");
  Wait(3 * kIn + 17);
  Bench other_bench;
  FakeIrqs other_irqs;
  FakeConsole other_console;
  Uart other{0, other_bench.events(), &other_console, IrqLine{&other_irqs, 4}};
  ASSERT_TRUE(CopyInto(uart_, bench_, other, other_bench).ok());
  const std::string before = console_.bytes[0];
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(uart_.Read({kIir, 1}), other.Read({kIir, 1}));
    EXPECT_EQ(uart_.Read({kLsr, 1}), other.Read({kLsr, 1}));
    if (i % 3 == 0) {
      EXPECT_EQ(uart_.Read({kData, 1}), other.Read({kData, 1}));
    }
    Wait(kIn / 2);
    other_bench.RunFor(kIn / 2);
  }
  EXPECT_EQ(uart_.waiting(), 0u);
  Bench third_bench;
  Uart third{0, third_bench.events(), nullptr, IrqLine{}};
  while ((Read(kLsr) & 1) != 0) Read(kData);
  while ((other.Read({kLsr, 1}) & 1) != 0) other.Read({kData, 1});
  ASSERT_TRUE(Restore(third, Save(uart_)).ok());
  EXPECT_EQ(third.Read({kData, 1}), 's');  // an empty receiver shows its last byte
  EXPECT_EQ(Save(uart_), Save(other));
  EXPECT_EQ(Save(bench_.events()), Save(other_bench.events()));
  EXPECT_EQ(console_.bytes[0], before + other_console.bytes[0]);
  EXPECT_EQ(console_.bytes[0], "output");
}

TEST_F(UartTest, DamagedStateIsRefused) {
  std::string bytes = Save(uart_);
  bytes.resize(bytes.size() - 1);
  Bench other_bench;
  Uart other{0, other_bench.events(), nullptr, IrqLine{}};
  EXPECT_FALSE(Restore(other, bytes).ok());
}

}  // namespace
}  // namespace isochron::machine
