// How anything from outside reaches the machine.

#ifndef ISOCHRON_MACHINE_INPUT_H_
#define ISOCHRON_MACHINE_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace isochron::machine {

enum class InputKind : uint8_t {
  kConsole = 0,  // bytes for the receiver of UART 0
  kStop = 1,     // end the run here
};

// Why somebody asked for the end of a run.
enum class StopCause : uint8_t {
  kQuit = 0,          // the user at the terminal, or `stop` in a script
  kSignal = 1,        // a signal to the process; `detail` is its number
  kCycleLimit = 2,    // --max-cycles
  kExpectFailed = 3,  // an `expect` was not met within its cycles; `detail` is its line
  kPanic = 4,         // the guest is beyond help; `detail` 0: it said so, 1: it loops for ever
};

// One input. It has no time of its own: the input point that takes it gives it one.
struct Input {
  InputKind kind = InputKind::kConsole;
  std::string bytes;  // kConsole
  StopCause cause = StopCause::kQuit;  // kStop
  uint32_t detail = 0;                 // kStop

  static Input Console(std::string bytes);
  static Input Stop(StopCause cause, uint32_t detail = 0);
};

// What an input source may know about the machine when it is asked.
struct InputPoint {
  uint64_t cycle = 0;
  // Cycles from power-on that the guest spent standing still (WTINT) or in loops that do
  // nothing. For pacing only: a host-side measure, no part of machine state.
  uint64_t idle_cycles = 0;
  // Bytes on the line of UART 0 that its receiver has not taken yet.
  size_t console_waiting = 0;
};

// Asked at every input point (each `input_interval` cycles), and never elsewhere, from the
// sequencer's thread. An implementation may block: that is how a run is paced.
class InputSource {
 public:
  virtual ~InputSource() = default;
  // Appends what is to be applied now, in order.
  virtual void Poll(const InputPoint& point, std::vector<Input>& inputs) = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_INPUT_H_
