// The records that logs hold of events, a row each. Encoder and decoder, names, descriptions, JSON
// lines and the comparison of logs read this table; Python's reader and docs/replay-log.md have
// copies of it that record_reference makes and a test compares. An event without a row does not
// compile.

#ifndef ISOCHRON_REPLAYLOG_RECORD_TABLE_H_
#define ISOCHRON_REPLAYLOG_RECORD_TABLE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "machine/events/config.h"
#include "machine/events/input.h"
#include "machine/events/run_end.h"
#include "replaylog/codings.h"
#include "replaylog/event.h"
#include "replaylog/format.h"

namespace isochron::replaylog {

// Names of enumerators, by their numbers.
inline constexpr std::array<std::string_view, 6> kStopCauses = {
    "quit", "signal", "cycle-limit", "expect-failed", "panic", "log-limit"};
inline constexpr std::array<std::string_view, 2> kInputDevices = {"uart", "net"};
// Of those, the ones that take bytes.
inline constexpr std::span<const std::string_view> kByteDevices =
    std::span(kInputDevices).first<1>();
inline constexpr std::array<std::string_view, 2> kPortInputKinds = {"bytes", "break"};
inline constexpr std::array<std::string_view, 2> kWriteSpaces = {"register", "memory"};
inline constexpr std::array<std::string_view, 5> kEndKinds = {"power-off", "reset", "fatal",
                                                              "stopped", "end-of-time"};

// When a line that describes an event has a value.
enum class Show : uint8_t { kAlways, kUnlessZero, kInLongLines };

// One value of a record.
template <typename Coding, typename Access>
struct Field {
  std::string_view name;  // in JSON and in Python
  Coding coding;
  Access access;             // what std::invoke() makes the value of a body
  std::string_view words;    // what it is, for docs/replay-log.md
  std::string_view differs;  // what NameDifference() says when it does
  // In the line that DescribeEvent() makes.
  std::string_view unit = {};
  Show show = Show::kAlways;
};
// Clang has no such deduction for aggregates before version 17.
template <typename Coding, typename Access>
Field(std::string_view, Coding, Access, std::string_view, std::string_view, std::string_view = {},
      Show = Show::kAlways) -> Field<Coding, Access>;

// Of which values of a body a record is. Of all of them:
struct AnyBody {
  // Whether the record is of this one.
  static constexpr bool Holds(const auto&) { return true; }
  // Makes a body one of them, before its fields are taken.
  static void Begin(auto&) {}
  // Whether all fields go together.
  static bool IsValid(const auto&) { return true; }
};

struct StopInputs {
  static bool Holds(const InputEvent& event) {
    return event.input.kind == machine::InputKind::kStop;
  }
  static void Begin(InputEvent& event) { event.input.kind = machine::InputKind::kStop; }
  static bool IsValid(const InputEvent&) { return true; }
};

struct PortInputs {
  static bool Holds(const InputEvent& event) {
    return event.input.kind == machine::InputKind::kBytes ||
           event.input.kind == machine::InputKind::kBreak;
  }
  static void Begin(InputEvent&) {}
  static bool IsValid(const InputEvent& event) {
    return event.input.bytes.empty() == (event.input.kind == machine::InputKind::kBreak);
  }
};

struct WriteInputs {
  static bool Holds(const InputEvent& event) {
    return event.input.kind == machine::InputKind::kWrite;
  }
  static void Begin(InputEvent& event) { event.input.kind = machine::InputKind::kWrite; }
  static bool IsValid(const InputEvent& event) {
    const machine::Input& write = event.input;
    if (write.space == machine::WriteSpace::kRegister) {
      return machine::DebugRegister::IsOne(write.address) && write.bytes.size() == sizeof(uint64_t);
    }
    return !write.bytes.empty() && write.address <= kMaxPhysical - (write.bytes.size() - 1);
  }

 private:
  static constexpr uint64_t kMaxPhysical = (uint64_t{1} << 44) - 1;
};

struct FrameInputs {
  static bool Holds(const InputEvent& event) {
    return event.input.kind == machine::InputKind::kFrame;
  }
  static void Begin(InputEvent& event) {
    event.input.kind = machine::InputKind::kFrame;
    event.input.port = machine::Port::Network();
  }
  static bool IsValid(const InputEvent& event) {
    return event.input.port == machine::Port::Network();
  }
};

struct WholeFrames {
  static bool Holds(const FrameEvent& event) { return !event.bytes.empty(); }
  static void Begin(FrameEvent& event) { event = {}; }
  static bool IsValid(const FrameEvent&) { return true; }
};

struct LongFrames {
  static bool Holds(const FrameEvent& event) { return event.bytes.empty(); }
  static void Begin(FrameEvent& event) { event = {}; }
  static bool IsValid(const FrameEvent& event) { return event.size() >= machine::kMinFrame; }
};

template <typename BodyType, typename SomeBodies, typename... Fields>
struct Record {
  using Body = BodyType;
  using Bodies = SomeBodies;

  RecordType type;
  std::string_view
      name;  // in JSON, and what `log dump --type` takes; Python's class is named for it
  std::string_view meaning;  // in a sentence or two
  std::tuple<Fields...> fields;

  // Calls `visit` for each field.
  template <typename Visit>
  constexpr void ForEachField(Visit visit) const {
    std::apply([&](const auto&... field) { (visit(field), ...); }, fields);
  }
};

template <typename Body, typename Bodies = AnyBody, typename... Fields>
constexpr Record<Body, Bodies, Fields...> MakeRecord(int type, std::string_view name,
                                                     std::string_view meaning, Fields... fields) {
  return {static_cast<RecordType>(type), name, meaning, std::tuple(fields...)};
}

// A member of an input, of an InputEvent.
template <auto kMember>
struct OfInput {
  constexpr auto& operator()(auto& event) const { return event.input.*kMember; }
};

struct DeviceOfPort {
  constexpr auto& operator()(auto& event) const { return event.input.port.device; }
};
struct StreamOfPort {
  constexpr auto& operator()(auto& event) const { return event.input.port.stream; }
};

// The steps of a run of output, with the bytes that they are between.
struct StepsOfRun {
  auto operator()(auto& run) const { return std::tie(std::as_const(run.bytes), run.deltas); }
};

// By ascending type: inputs, and then witnesses.
inline constexpr std::tuple kInputRecords{
    MakeRecord<InputEvent, StopInputs>(
        2, "stop", "Somebody ends the run.",
        Field{"cause", Named{kStopCauses}, OfInput<&machine::Input::cause>(), "cause", "input"},
        Field{"detail", Number{std::numeric_limits<uint32_t>::max()},
              OfInput<&machine::Input::detail>(), "detail", "input", "", Show::kUnlessZero}),
    MakeRecord<InputEvent, PortInputs>(
        3, "input",
        "What a port gets: `bytes`, or a break. The port is a stream of a device: the console is "
        "stream 0 of \"uart\".",
        Field{"device", Named{kByteDevices, Beyond::kNewer}, DeviceOfPort(), "device",
              "port of the input"},
        Field{"stream", Number{machine::Port::kUartStreams - 1, Beyond::kNewer}, StreamOfPort(),
              "stream", "port of the input"},
        Field{"kind", Named{kPortInputKinds, Beyond::kNewer}, OfInput<&machine::Input::kind>(),
              "kind", "kind of the input"},
        Field{"bytes", RestOfBytes{kMaxInputBytes}, OfInput<&machine::Input::bytes>(),
              "of kind 0 1 to 2^20 bytes, of kind 1 none", "input"}),
    MakeRecord<InputEvent, WriteInputs>(
        4, "write",
        "What a debugger writes: the quadword of a register of the CPU, or physical memory.",
        Field{"space", Named{kWriteSpaces, Beyond::kNewer}, OfInput<&machine::Input::space>(),
              "space", "space that is written to"},
        Field{"address", Number{}, OfInput<&machine::Input::address>(), "address",
              "address that is written to"},
        Field{"bytes", RestOfBytes{kMaxInputBytes}, OfInput<&machine::Input::bytes>(),
              "of space 0 8 bytes, of space 1 1 to 2^20", "bytes that are written"}),
    MakeRecord<InputEvent, FrameInputs>(
        5, "received", "A frame arrives at the network device.",
        Field{"frame", FrameBytes{}, OfInput<&machine::Input::bytes>(), "14 to 1514 bytes",
              "frame"})};

inline constexpr std::tuple kWitnessRecords{
    MakeRecord<OutputRun>(
        64, "output", "Bytes that a UART sent; `deltas` are the cycles from each to the next.",
        Field{"uart", Number{std::numeric_limits<uint8_t>::max()}, &OutputRun::uart, "UART",
              "UART"},
        Field{"bytes", CountedBytes{kMaxOutputRun}, &OutputRun::bytes, "bytes", "output"},
        Field{"deltas", Steps{}, StepsOfRun(), "cycles to the next byte", "times of the output"}),
    MakeRecord<InterruptEvent>(
        65, "interrupt", "A CPU takes an interrupt; `pending` is its ISUM.",
        Field{"pending", Flags{33}, &InterruptEvent::pending,
              "ISUM as CPU `tag >> 7` sees it when it takes the interrupt (EI<0> is bit 33)",
              "pending interrupts"}),
    MakeRecord<CheckpointEvent>(
        66, "checkpoint", "The digest of all state.",
        Field{"instructions", Number{}, &CheckpointEvent::instructions,
              "instructions retired since power-on", "instruction count", " insns"},
        Field{"state", StateDigest{}, &CheckpointEvent::state, "state digest", "machine state"}),
    MakeRecord<EndEvent>(
        67, "end", "The run ended.",
        Field{"reason", Named{kEndKinds}, &EndEvent::kind, "reason", "reason of the end"},
        Field{"instructions", Number{}, &EndEvent::instructions, "instructions",
              "instruction count", " insns"},
        Field{"state", StateDigest{}, &EndEvent::state, "state digest", "machine state", "",
              Show::kInLongLines}),
    MakeRecord<FrameEvent, WholeFrames>(
        68, "sent", "The network device has sent a frame.",
        Field{"frame", FrameBytes{}, &FrameEvent::bytes, "14 to 1514 bytes", "frame"}),
    MakeRecord<FrameEvent, LongFrames>(
        69, "sent-long",
        "The network device has sent a frame of more bytes than the header has them kept for.",
        Field{"size", Number{machine::kMaxFrame}, &FrameEvent::long_size, "bytes of the frame",
              "size of the frame", " bytes"},
        Field{"digest", StateDigest{}, &FrameEvent::digest, "digest of the frame", "frame", "",
              Show::kInLongLines}),
};

inline constexpr std::tuple kRecords = std::tuple_cat(kInputRecords, kWitnessRecords);

// Records that older versions wrote: one of type `type` is one of type `now` with `front` before
// its payload.
struct OldRecord {
  RecordType type;
  RecordType now;
  std::string_view front;
};
inline constexpr std::array<OldRecord, 1> kOldRecords = {{
    {RecordType{1}, RecordType{3},
     std::string_view("\0\0\0", 3)},  // bytes for UART 0, of version 1
}};

// Calls `visit` for each row.
template <typename Visit>
constexpr void ForEachRecord(Visit visit) {
  std::apply([&](const auto&... record) { (visit(record), ...); }, kRecords);
}

// Calls `visit` with the row of the record that holds `body`, which is no UnknownEvent.
template <typename Body, typename Visit>
void VisitRecordOf(const Body& body, Visit visit) {
  ForEachRecord([&]<typename Row>(const Row& record) {
    if constexpr (std::is_same_v<typename Row::Body, Body>) {
      if (Row::Bodies::Holds(body)) visit(record);
    }
  });
}

// Whether a kind of event has a record.
template <typename Body>
constexpr bool HasRecord() {
  constexpr auto any = [](const auto&... record) {
    return (std::is_same_v<typename std::decay_t<decltype(record)>::Body, Body> || ...);
  };
  return std::is_same_v<Body, UnknownEvent> || std::apply(any, kRecords);
}
template <typename... Body>
constexpr bool HaveRecords(const std::variant<Body...>*) {
  return (HasRecord<Body>() && ...);
}
static_assert(HaveRecords(static_cast<const decltype(Event::body)*>(nullptr)),
              "an event has no row in the table of records");

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_RECORD_TABLE_H_
