// What a log is made of.

#ifndef ISOCHRON_REPLAYLOG_EVENT_H_
#define ISOCHRON_REPLAYLOG_EVENT_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "machine/events/config.h"
#include "machine/events/digest.h"
#include "machine/events/input.h"
#include "machine/events/run_end.h"

namespace isochron::replaylog {

// A file that went into memory at power-on. Names are no part of a log.
struct ImageRecord {
  enum class Role : uint8_t { kKernel = 0, kInitrd = 1 };
  Role role = Role::kKernel;
  uint64_t size = 0;  // bytes of the file as given, compressed or not
  machine::Digest digest;

  friend bool operator==(const ImageRecord&, const ImageRecord&) = default;
};

// The first frame of a log.
struct LogHeader {
  uint32_t model_version = 0;      // kModelVersion of the program that wrote it
  machine::Digest palcode;         // digest of the PALcode image
  machine::MachineConfig config;
  std::vector<ImageRecord> images;  // by ascending role, each role at most once
};

// The machine model that this program implements: cost table, devices, firmware. Grows with every
// change after which the same inputs could give another log; docs/replay-log.md tells what changed.
inline constexpr uint32_t kModelVersion = 2;

struct InputEvent {
  machine::Input input;

  // Compares what the kind of input gives a meaning to.
  friend bool operator==(const InputEvent& a, const InputEvent& b);
};
// Bytes that a UART sent, as many as came before another kind of event; the cycle of the event is
// that of the first byte, `deltas` those from each byte to the next (one fewer than bytes).
struct OutputEvent {
  uint8_t uart = 0;
  std::string bytes;
  std::vector<uint64_t> deltas;

  friend bool operator==(const OutputEvent&, const OutputEvent&) = default;
};
struct InterruptEvent {
  uint64_t pending = 0;  // ISUM

  friend bool operator==(const InterruptEvent&, const InterruptEvent&) = default;
};
struct CheckpointEvent {
  uint64_t instructions = 0;  // retired since power-on
  machine::Digest state;

  friend bool operator==(const CheckpointEvent&, const CheckpointEvent&) = default;
};
// The last event. Never RunEnd::Kind::kObserver.
struct EndEvent {
  machine::RunEnd::Kind kind = machine::RunEnd::Kind::kPowerOff;
  uint64_t instructions = 0;
  machine::Digest state;

  friend bool operator==(const EndEvent&, const EndEvent&) = default;
};
// A witness of a type that this program does not know, from a newer minor version.
struct UnknownEvent {
  uint8_t type = 0;
  std::string payload;

  friend bool operator==(const UnknownEvent&, const UnknownEvent&) = default;
};

struct Event {
  uint64_t number = 0;  // from 0, in the order of the log
  uint64_t cycle = 0;
  uint8_t cpu = 0;
  std::variant<InputEvent, OutputEvent, InterruptEvent, CheckpointEvent, EndEvent, UnknownEvent>
      body;

  bool is_input() const { return std::holds_alternative<InputEvent>(body); }
  // The cycle of the last byte of output; `cycle` for any other event.
  uint64_t last_cycle() const;

  friend bool operator==(const Event&, const Event&) = default;
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_EVENT_H_
