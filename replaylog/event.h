// What a log is made of.

#ifndef ISOCHRON_REPLAYLOG_EVENT_H_
#define ISOCHRON_REPLAYLOG_EVENT_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "machine/events/config.h"
#include "machine/events/digest.h"
#include "machine/events/event.h"

namespace isochron::replaylog {

// A file that the machine began with: one that went into memory, or what a disk held at power-on.
// Names are no part of a log.
struct ImageRecord {
  // Disks have the numbers from kDisk0 on, in the order of MachineConfig::disks.
  enum class Role : uint8_t { kKernel = 0, kInitrd = 1, kDisk0 = 2 };
  static constexpr int kRoles = static_cast<int>(Role::kDisk0) + machine::MachineConfig::kMaxDisks;
  static constexpr Role DiskRole(size_t disk) {
    return static_cast<Role>(static_cast<size_t>(Role::kDisk0) + disk);
  }
  bool is_disk() const { return role >= Role::kDisk0; }
  // The index among the disks of an image that is one.
  size_t disk() const { return static_cast<size_t>(role) - static_cast<size_t>(Role::kDisk0); }

  Role role = Role::kKernel;
  uint64_t size = 0;  // bytes of the file as given, compressed or not
  machine::Digest digest;

  friend bool operator==(const ImageRecord&, const ImageRecord&) = default;
};

// The first frame of a log.
struct LogHeader {
  uint32_t model_version = 0;  // machine::kModelVersion of the program that wrote it
  machine::Digest palcode;     // digest of the PALcode image
  // Digest of the image of the console with disks, where `config` has that.
  machine::Digest disk_console;
  machine::MachineConfig config;
  // By ascending role, each role at most once; one for each of `config.disks`.
  std::vector<ImageRecord> images;
};

// Bytes that a UART sent, as many as came before another kind of event; the cycle of the event is
// that of the first byte, `deltas` those from each byte to the next (one fewer than bytes).
struct OutputRun {
  uint8_t uart = 0;
  std::string bytes;
  std::vector<uint64_t> deltas;

  friend bool operator==(const OutputRun&, const OutputRun&) = default;
};
// A witness of a type that this program does not know, from a newer minor version.
struct UnknownEvent {
  uint8_t type = 0;
  std::string payload;

  friend bool operator==(const UnknownEvent&, const UnknownEvent&) = default;
};

using machine::CheckpointEvent;
using machine::EndEvent;
using machine::FrameEvent;
using machine::InputEvent;
using machine::InterruptEvent;

// What a log holds of an event of the machine: the event itself, but bytes of output as runs.
template <typename Body>
struct Logged {
  using Type = Body;
};
template <>
struct Logged<machine::OutputEvent> {
  using Type = OutputRun;
};
template <typename Bodies>
struct LoggedBodies;
template <typename... Body>
struct LoggedBodies<std::variant<Body...>> {
  using Type = std::variant<typename Logged<Body>::Type..., UnknownEvent>;
};

// An event as a log has it.
struct Event {
  uint64_t number = 0;  // from 0, in the order of the log
  uint64_t cycle = 0;
  uint8_t cpu = 0;
  LoggedBodies<machine::EventBody>::Type body;

  bool is_input() const { return std::holds_alternative<InputEvent>(body); }
  // The cycle of the last byte of output; `cycle` for any other event.
  uint64_t last_cycle() const;

  friend bool operator==(const Event&, const Event&) = default;
};

// The same event without a number; of output, a run of one byte.
Event ToLogEvent(const machine::Event& event);
// The same as `logged`, whose storage is used again: a guest makes millions in a second.
void ToLogEvent(const machine::Event& event, Event& logged);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_EVENT_H_
