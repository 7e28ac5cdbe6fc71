// What happens to a machine that defines or witnesses a run: all that observers are told and logs
// can hold.

#ifndef ISOCHRON_MACHINE_EVENTS_EVENT_H_
#define ISOCHRON_MACHINE_EVENTS_EVENT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "machine/events/digest.h"
#include "machine/events/input.h"
#include "machine/events/run_end.h"

namespace isochron::machine {

// The machine model that this program implements: cost table, devices, firmware. Grows with every
// change after which the same inputs could give another log; docs/replay-log.md tells what changed.
inline constexpr uint32_t kModelVersion = 3;

// An input is about to be applied.
struct InputEvent {
  Input input;

  friend bool operator==(const InputEvent&, const InputEvent&) = default;
};
// A UART has sent a byte.
struct OutputEvent {
  uint8_t uart = 0;
  uint8_t byte = 0;

  friend bool operator==(const OutputEvent&, const OutputEvent&) = default;
};
// The CPU is about to take an interrupt.
struct InterruptEvent {
  uint64_t pending = 0;  // what its ISUM shows

  friend bool operator==(const InterruptEvent&, const InterruptEvent&) = default;
};
// A checkpoint: every `checkpoint_interval` cycles, at the first boundary at or past it.
struct CheckpointEvent {
  uint64_t instructions = 0;  // retired since power-on
  Digest state;

  friend bool operator==(const CheckpointEvent&, const CheckpointEvent&) = default;
};
// The run has ended here. Never RunEnd::Kind::kObserver.
struct EndEvent {
  RunEnd::Kind kind = RunEnd::Kind::kPowerOff;
  uint64_t instructions = 0;
  Digest state;

  friend bool operator==(const EndEvent&, const EndEvent&) = default;
};

// The guest has sent a frame: it has left the network device. As NetworkConfig::whole_frames has it
// with its bytes, or without them.
struct FrameEvent {
  std::string bytes;
  // Without them: their number, which is zero of a frame that is whole, and their digest.
  uint32_t long_size = 0;
  Digest digest;

  // Of the frame, in bytes.
  size_t size() const { return bytes.empty() ? long_size : bytes.size(); }

  // The event of a frame.
  static FrameEvent Of(std::string_view frame, size_t whole_frames);

  friend bool operator==(const FrameEvent&, const FrameEvent&) = default;
};

using EventBody =
    std::variant<InputEvent, OutputEvent, InterruptEvent, CheckpointEvent, EndEvent, FrameEvent>;

struct Event {
  uint64_t cycle = 0;
  uint8_t cpu = 0;  // the one that it happens to; 0 for what happens to the machine
  EventBody body;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_EVENTS_EVENT_H_
