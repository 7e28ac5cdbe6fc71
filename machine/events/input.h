// How anything from outside reaches the machine.

#ifndef ISOCHRON_MACHINE_EVENTS_INPUT_H_
#define ISOCHRON_MACHINE_EVENTS_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace isochron::machine {

enum class InputKind : uint8_t {
  kBytes,  // bytes for a port
  kBreak,  // a break on the line of a port
  kStop,   // end the run here
  kWrite,  // bytes that a debugger writes, see DebuggerWrite
  kFrame,  // a frame for a network device
};

// What kinds of devices take input. The numbers are part of the log format.
enum class InputDevice : uint8_t {
  kUart = 0,     // streams 0 and 1: the receivers of the UARTs
  kNetwork = 1,  // stream 0: the receiver of the network device
};

// Where an input from outside goes: one of the streams of a kind of device.
struct Port {
  InputDevice device = InputDevice::kUart;
  uint8_t stream = 0;

  static constexpr Port Uart(int index) {
    return {InputDevice::kUart, static_cast<uint8_t>(index)};
  }
  static constexpr uint8_t kUartStreams = 2;
  static constexpr Port Network() { return {InputDevice::kNetwork, 0}; }

  friend bool operator==(const Port&, const Port&) = default;
};

// Why somebody asked for the end of a run.
enum class StopCause : uint8_t {
  kQuit = 0,          // the user at the terminal, or `stop` in a script
  kSignal = 1,        // a signal to the process; `detail` is its number
  kCycleLimit = 2,    // --max-cycles
  kExpectFailed = 3,  // an `expect` was not met within its cycles; `detail` is its line
  kPanic = 4,         // the guest is beyond help; `detail` 0: it said so, 1: it loops for ever
  kLogLimit = 5,      // --max-log
};

// What a debugger writes to. The numbers are part of the log format.
enum class WriteSpace : uint8_t {
  kRegister = 0,  // of a CPU: a DebugRegister, whose quadword is the bytes, the least significant
                  // first
  kMemory = 1,    // RAM, by its physical address. What lies outside of it is not written
};

// How registers are numbered: integer registers from 0, floating-point ones from 32, as the
// instructions there and then name them (shadow registers in PALmode, too), and these. As gdb
// numbers them on Alpha.
struct DebugRegister {
  static constexpr uint64_t kZero = 31;
  static constexpr uint64_t kFloat = 32;  // F0; up to F30
  static constexpr uint64_t kFpcr = 63;   // as MT_FPCR writes it
  static constexpr uint64_t kPc = 64;     // bit 0: PALmode; bit 1 is not written

  // Whether it is one that can be written.
  static constexpr bool IsOne(uint64_t number) { return number <= kPc && number != kZero; }
};

// One input. It has no time of its own: the input point that takes it gives it one, or for kWrite
// the boundary at which the machine stands.
struct Input {
  InputKind kind = InputKind::kBytes;
  StopCause cause = StopCause::kQuit;        // kStop
  uint32_t detail = 0;                       // kStop
  Port port;                                 // kBytes, kBreak, kFrame
  std::string bytes;                         // kBytes, kWrite, kFrame
  WriteSpace space = WriteSpace::kRegister;  // kWrite
  uint64_t address = 0;                      // kWrite: of a register its number
  // kWrite: the CPU whose register it is, or through which the memory was seen. In an event it is
  // that of the event, and no part of what is compared here.
  uint8_t cpu = 0;

  // The quadword of a write to a register.
  uint64_t quadword() const;

  // Whether `next`, right behind this one, is more of the same: bytes for one port.
  bool Joins(const Input& next) const;

  // Compares what the kind gives a meaning to.
  friend bool operator==(const Input& a, const Input& b);

  static Input Bytes(Port port, std::string bytes);
  // Bytes for UART 0.
  static Input Console(std::string bytes);
  static Input Break(Port port);
  // One frame for the network device: kMinFrame to kMaxFrame bytes. It takes it, or drops it as
  // hardware does.
  static Input Frame(std::string bytes);
  static Input Stop(StopCause cause, uint32_t detail = 0);
  static Input WriteRegister(uint8_t cpu, uint64_t number, uint64_t value);
  static Input WriteMemory(uint8_t cpu, uint64_t pa, std::string bytes);
};

// Appends an input, as part of the last one when both are bytes for one port: what meets at an
// input point is one input, whoever sent it. Of the bytes for one port no more than `max_bytes` are
// kept.
void AppendInput(Input input, size_t max_bytes, std::vector<Input>& inputs);

// The lines into a machine on which input waits.
class InputLines {
 public:
  virtual ~InputLines() = default;
  // What has come to a port and has not been taken from its line yet, in bytes; 0 when there is no
  // such port.
  virtual size_t Waiting(const Port& port) const = 0;
};

// What an input source may know about the machine when it is asked.
struct InputPoint {
  uint64_t cycle = 0;
  // Cycles from power-on that the guest spent standing still (WTINT) or in loops that do
  // nothing. For pacing only: a host-side measure, no part of machine state.
  uint64_t idle_cycles = 0;
  const InputLines* lines = nullptr;  // of the machine, which outlives what it tells here

  size_t waiting(const Port& port) const { return lines != nullptr ? lines->Waiting(port) : 0; }
};

// Between input points that are farther apart there is a *stop point* every so many cycles: the
// first boundary at or past each multiple. A CPU that waits comes to none before it wakes but where
// the input source says so.
inline constexpr uint64_t kStopInterval = uint64_t{1} << 20;

// Asked from the sequencer's thread. All but requests to stop and what a debugger does is taken at
// input points (each `input_interval` cycles) and nowhere else. A request to stop may come between
// them, at any boundary: it must be seen soon, however far apart input points are and however long
// the host takes from one to the next. A debugger has the machine stand at any boundary.
class InputSource {
 public:
  virtual ~InputSource() = default;
  // At an input point: appends what is to be applied now, in order. An implementation may block:
  // that is how a run is paced.
  virtual void Poll(const InputPoint& point, std::vector<Input>& inputs) = 0;

  // Before the machine goes on from `cycle` to `until`, which is a stop point or an input point:
  // the first cycle from `cycle` on at which the source knows already that it will stop the run, or
  // that a debugger did something; `until` when there is none before. That is how a replay comes to
  // the boundary of a recorded stop.
  virtual uint64_t NextStop(uint64_t /*cycle*/, uint64_t until) { return until; }

  // Why TakeStop() is called.
  enum class Occasion : uint8_t {
    kStopPoint,  // a stop point, see kStopInterval, or what NextStop() said
    kRequest,    // Machine::LookForStop(): where the machine stands now is the host's doing
  };
  // Between input points: the stop that is to be taken here, if any. At a stop point an
  // implementation may block.
  virtual std::optional<Input> TakeStop(const InputPoint& /*point*/, Occasion /*occasion*/) {
    return std::nullopt;
  }

  // At a boundary that NextStop() has named, and where a run begins, when all else that happens
  // there has happened: what a debugger did while the machine stood there, one at a time and in
  // order: a write, or a stop. Only a replay has any; of a live run the machine is told itself
  // (Machine::Inject()).
  virtual std::optional<Input> TakeDebugged(const InputPoint& /*point*/) { return std::nullopt; }
};

// What NextStop() gives of a source that stops the run at the first input point or stop point at or
// past `limit`.
uint64_t NextStopOfLimit(uint64_t limit, uint64_t cycle, uint64_t until);

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_EVENTS_INPUT_H_
