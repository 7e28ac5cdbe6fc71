// Events for people and for programs.

#ifndef ISOCHRON_REPLAYLOG_DESCRIBE_H_
#define ISOCHRON_REPLAYLOG_DESCRIBE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replaylog/codec.h"
#include "replaylog/event.h"

namespace isochron::replaylog {

RecordType TypeOf(const Event& event);

// "stop", "input" and so on, as record_table.h has them; "unknown" for any other type. These are
// the names in JSON lines and what `log dump --type` takes.
std::string_view EventTypeName(RecordType type);
std::optional<RecordType> EventTypeFromName(std::string_view name);
// All names, in the order of their types.
std::vector<std::string_view> EventTypeNames();

// "quit", "signal", "cycle-limit", "expect-failed", "panic", "log-limit".
std::string_view StopCauseName(machine::StopCause cause);
// "uart", "net".
std::string_view InputDeviceName(machine::InputDevice device);
// "uart0", "uart1", "net0".
std::string PortName(const machine::Port& port);
// "power-off", "reset", "fatal", "stopped", "end-of-time".
std::string_view EndKindName(machine::RunEnd::Kind kind);
// "kernel", "initrd", "disk0" to "disk7".
std::string_view ImageRoleName(ImageRecord::Role role);
// "virtio", "ide".
std::string_view DiskInterfaceName(machine::DiskConfig::Interface interface);

// "virtio", "tulip".
std::string_view NetworkModelName(machine::NetworkConfig::Model model);

// The requests in an ISUM: "device timer". External ones are named for what a Clipper has on these
// pins.
std::string DescribeIsum(uint64_t isum);

// The columns of a line that fits everywhere, and of one that is never cut.
inline constexpr size_t kLineColumns = 80;
inline constexpr size_t kAllColumns = ~size_t{0};

// What a debugger has written, such as "R1 0x5" or "0x10000 2 bytes 01ff", in at most `columns`.
std::string DescribeWrite(const machine::Input& write, size_t columns);

// The heading of a table of DescribeEvent() lines.
std::string EventTableHeading();
// One line of at most so many columns, without a newline: number, cycle, guest second, type and
// what fits of the contents, which begin with the CPU when it is not CPU 0. `clock_hz`: cycles in a
// guest second.
std::string DescribeEvent(const Event& event, uint64_t clock_hz, size_t columns = kLineColumns);

// One JSON object on one line, without a newline. docs/replay-log.md lists the fields; they are
// only ever added to.
std::string EventToJson(const Event& event);
// The same for a header: {"type":"header",...}.
std::string HeaderToJson(const LogHeader& header);

// Bytes as a JSON string: they become the characters U+0000 to U+00FF.
std::string JsonString(std::string_view bytes);

// Bytes as a field, `"name":"..."`, and where they are not ASCII a second one with the text that
// they are in UTF-8,
// `,"text_name":"..."`, in which U+FFFD stands for what is none.
std::string JsonBytes(std::string_view name, std::string_view text_name, std::string_view bytes);

// Bytes in double quotes with C escapes; with `max_columns`, cut short by "..." to fit.
std::string QuoteBytes(std::string_view bytes, size_t max_columns = ~size_t{0});

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_DESCRIBE_H_
