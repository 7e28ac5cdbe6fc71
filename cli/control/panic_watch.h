// --on-panic: a guest that is beyond help.

#ifndef ISOCHRON_CLI_CONTROL_PANIC_WATCH_H_
#define ISOCHRON_CLI_CONTROL_PANIC_WATCH_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/memory.h"
#include "machine/bus/console.h"
#include "machine/events/input.h"

namespace isochron::cli {

// How the panic of an operating system looks on its console, a line at a time and without carriage
// returns. Regular expressions of RE2.
struct PanicPattern {
  const char* system;
  const char* message;
  // What must come within kConfirmSeconds for the message to be one of the kernel; empty: nothing.
  const char* confirmation;
  // What comes when everything has been told; it is waited for kAftermathSeconds.
  const char* end;
};

// All that are known. docs/cli.md has the table.
std::vector<PanicPattern> KnownPanics();

// Whether the CPU goes round in a loop that nothing can end: jumps and no-operations alone, with
// interrupts off. Other than by a reset it never leaves it.
bool IsDeadLoop(const alpha::Cpu& cpu, const alpha::Memory& memory);

// Watches a guest for a panic message, on either UART, or a dead loop, and asks for a stop at an
// input point or stop point. What it does is a function of the guest's bytes, their cycles and the
// state at those points.
class PanicWatch final : public machine::InputSource, public machine::ConsoleSink {
 public:
  static constexpr uint64_t kConfirmSeconds = 10;
  static constexpr uint64_t kAftermathSeconds = 1;
  static constexpr uint32_t kMessage = 0;   // StopCause::kPanic, detail: there was a message
  static constexpr uint32_t kDeadLoop = 1;  // the CPU was in a dead loop
  // Input points or stop points one after the other at which the CPU must be in a dead loop.
  static constexpr int kDeadPoints = 2;

  // `is_dead` is asked at each of those points; it tells whether the CPU is in a dead loop there.
  PanicWatch(uint64_t clock_hz, std::function<bool()> is_dead);
  ~PanicWatch() override;

  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override;
  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override;
  uint64_t NextStop(uint64_t cycle, uint64_t until) override;
  std::optional<machine::Input> TakeStop(const machine::InputPoint& point,
                                         Occasion occasion) override;

  // The line that said it; empty when none has.
  const std::string& message() const;

 private:
  // A byte more of a line is not looked at.
  static constexpr size_t kMaxLine = 512;

  struct Compiled;

  // What the guest writes to one UART.
  struct Stream {
    std::string line;  // that it is writing
    std::string message;
    const Compiled* seen = nullptr;  // the pattern of `message`
    bool confirmed = false;
    uint64_t since = 0;  // the cycle of the message, then that of its confirmation
    bool ended = false;  // everything has been told
  };

  void EndLine(uint64_t cycle, Stream& stream);
  // Drops a message that nothing has confirmed in time.
  void Expire(uint64_t cycle, Stream& stream) const;
  // The first cycle at which a stop for the message is due; machine::kNever: none yet.
  uint64_t DueCycle(const Stream& stream) const;
  // What is to be done at an input point or stop point.
  std::optional<machine::Input> Look(uint64_t cycle);

  const uint64_t clock_hz_;
  const std::function<bool()> is_dead_;
  const std::vector<Compiled> patterns_;
  std::array<Stream, machine::Port::kUartStreams> streams_;
  int dead_points_ = 0;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_CONTROL_PANIC_WATCH_H_
