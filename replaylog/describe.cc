#include "replaylog/describe.h"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "alpha/ipr.h"
#include "hostio/printable.h"
#include "replaylog/describe_frame.h"
#include "replaylog/record_table.h"

namespace isochron::replaylog {
namespace {

constexpr std::string_view kUnknownName = "unknown";

// The name of an enumerator.
template <typename T>
std::string_view NameOf(std::span<const std::string_view> names, T value) {
  const auto number = static_cast<size_t>(value);
  return number < names.size() ? names[number] : kUnknownName;
}

// A byte as it stands in a quoted C string.
std::string EscapeByte(uint8_t byte) {
  switch (byte) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    default:
      if (byte >= 0x20 && byte < 0x7f) return std::string(1, static_cast<char>(byte));
      return hostio::EscapedByte(byte);
  }
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (char c : bytes) absl::StrAppendFormat(&hex, "%02x", static_cast<uint8_t>(c));
  return hex;
}

// Enough of a digest to tell it from another.
std::string ShortDigest(const machine::Digest& digest) {
  return absl::StrFormat("%016x", digest.high).substr(0, 12) + "...";
}

struct TypeOfBody {
  template <typename Body>
  RecordType operator()(const Body& body) const {
    RecordType type = {};
    VisitRecordOf(body, [&type](const auto& record) { type = record.type; });
    return type;
  }
  RecordType operator()(const UnknownEvent& event) const { return RecordType{event.type}; }
};

// What an event says, in at most `columns` columns.
class Details {
 public:
  explicit Details(size_t columns) : columns_(columns) {}

  // The values of its record, one after the other.
  template <typename Body>
  std::string operator()(const Body& body) const {
    return Values(body);
  }
  std::string operator()(const InputEvent& event) const {
    const machine::Input& input = event.input;
    if (input.kind == machine::InputKind::kStop) return Values(event);
    if (input.kind == machine::InputKind::kWrite) return DescribeWrite(input, columns_);
    if (input.kind == machine::InputKind::kFrame) return DescribeFrame(input.bytes, columns_);
    const std::string prefix = absl::StrCat(PortName(input.port), " ");
    if (input.kind == machine::InputKind::kBreak) return prefix + "break";
    return prefix + QuoteBytes(input.bytes, columns_ - std::min(columns_, prefix.size()));
  }
  std::string operator()(const OutputRun& event) const {
    const std::string prefix = absl::StrCat("uart", event.uart, " ", event.bytes.size(), " ");
    return prefix + QuoteBytes(event.bytes, columns_ - std::min(columns_, prefix.size()));
  }
  std::string operator()(const InterruptEvent& event) const {
    return absl::StrFormat("ISUM %#x %s", event.pending, DescribeIsum(event.pending));
  }
  std::string operator()(const FrameEvent& event) const {
    return event.bytes.empty() ? Values(event) : DescribeFrame(event.bytes, columns_);
  }
  std::string operator()(const UnknownEvent& event) const {
    std::string text = absl::StrCat("type ", event.type, ", ", event.payload.size(), " bytes");
    if (columns_ == kAllColumns) absl::StrAppend(&text, " ", Hex(event.payload));
    return text;
  }

 private:
  template <typename Body>
  std::string Values(const Body& body) const {
    std::vector<std::string> values;
    VisitRecordOf(body, [&](const auto& record) {
      record.ForEachField([&](const auto& field) {
        if (field.show == Show::kInLongLines && columns_ != kAllColumns) return;
        const std::string value = Value(field.coding, std::invoke(field.access, body));
        if (field.show == Show::kUnlessZero && value == "0") return;
        values.push_back(absl::StrCat(value, std::string(field.unit)));
      });
    });
    return absl::StrJoin(values, " ");
  }
  std::string Value(const Number&, uint64_t value) const { return absl::StrCat(value); }
  template <typename T>
  std::string Value(const Named& coding, T value) const {
    return std::string(NameOf(coding.names, value));
  }
  std::string Value(const Flags&, uint64_t value) const { return absl::StrFormat("%#x", value); }
  std::string Value(const StateDigest&, const machine::Digest& value) const {
    return columns_ == kAllColumns ? value.ToString() : ShortDigest(value);
  }
  std::string Value(const CountedBytes&, const std::string& value) const {
    return QuoteBytes(value);
  }
  std::string Value(const RestOfBytes&, const std::string& value) const {
    return QuoteBytes(value);
  }
  std::string Value(const FrameBytes&, const std::string& value) const {
    return DescribeFrame(value);
  }

  size_t columns_;
};

// The fields that follow "type".
class JsonFields {
 public:
  template <typename Body>
  std::string operator()(const Body& body) const {
    std::string json;
    VisitRecordOf(body, [&](const auto& record) {
      record.ForEachField([&](const auto& field) {
        absl::StrAppend(&json, ",",
                        Value(field.name, field.coding, std::invoke(field.access, body)));
      });
    });
    return json;
  }
  std::string operator()(const UnknownEvent& event) const {
    return absl::StrCat(",\"record_type\":", event.type, ",\"payload\":\"", Hex(event.payload),
                        "\"");
  }

 private:
  // A field: its name, a colon and its value.
  static std::string Value(std::string_view name, const Number&, uint64_t value) {
    return absl::StrCat(JsonString(name), ":", value);
  }
  template <typename T>
  static std::string Value(std::string_view name, const Named& coding, T value) {
    return absl::StrCat(JsonString(name), ":", JsonString(NameOf(coding.names, value)));
  }
  static std::string Value(std::string_view name, const Flags&, uint64_t value) {
    return absl::StrFormat("%s:\"0x%x\"", JsonString(name), value);
  }
  static std::string Value(std::string_view name, const StateDigest&,
                           const machine::Digest& value) {
    return absl::StrCat(JsonString(name), ":\"", value.ToString(), "\"");
  }
  static std::string Value(std::string_view name, const CountedBytes&, const std::string& value) {
    return JsonBytes(name, "text", value);
  }
  static std::string Value(std::string_view name, const RestOfBytes&, const std::string& value) {
    return JsonBytes(name, "text", value);
  }
  static std::string Value(std::string_view name, const FrameBytes&, const std::string& value) {
    return absl::StrCat(JsonString(name), ":\"", Hex(value), "\"");
  }
  static std::string Value(std::string_view name, const Steps&, const Steps::ConstValue& value) {
    return absl::StrCat(JsonString(name), ":[", absl::StrJoin(std::get<1>(value), ","), "]");
  }
};

}  // namespace

std::string DescribeWrite(const machine::Input& write, size_t columns) {
  using machine::DebugRegister;
  if (write.space == machine::WriteSpace::kMemory) {
    const std::string prefix = absl::StrFormat("%#x %d byte%s ", write.address, write.bytes.size(),
                                               write.bytes.size() == 1 ? "" : "s");
    const size_t room = columns - std::min(columns, prefix.size());
    const std::string hex = Hex(write.bytes);
    if (hex.size() <= room) return prefix + hex;
    return prefix + hex.substr(0, room - std::min<size_t>(room, 3)) + "...";
  }
  std::string name = absl::StrCat("R", write.address);
  if (write.address >= DebugRegister::kFloat) {
    name = absl::StrCat("F", write.address - DebugRegister::kFloat);
  }
  if (write.address == DebugRegister::kFpcr) name = "FPCR";
  if (write.address == DebugRegister::kPc) name = "PC";
  return absl::StrFormat("%s %#x", name, write.quadword());
}

std::string JsonString(std::string_view bytes) {
  std::string json = "\"";
  for (char c : bytes) {
    const uint8_t byte = static_cast<uint8_t>(c);
    if (byte == '"' || byte == '\\') {
      json += '\\';
      json += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      json += c;
    } else {
      absl::StrAppendFormat(&json, "\\u%04x", byte);
    }
  }
  return json + '"';
}

std::string JsonBytes(std::string_view name, std::string_view text_name, std::string_view bytes) {
  std::string json = absl::StrCat(JsonString(name), ":", JsonString(bytes));
  const auto is_ascii = [](char c) { return static_cast<uint8_t>(c) < 0x80; };
  if (std::all_of(bytes.begin(), bytes.end(), is_ascii)) return json;
  absl::StrAppend(&json, ",", JsonString(text_name), ":\"");
  while (!bytes.empty()) {
    const hostio::Utf8Character character = hostio::DecodeUtf8(bytes);
    const uint32_t value = character.valid ? character.value : 0xfffd;
    if (value < 0x80) {
      const std::string quoted = JsonString(bytes.substr(0, 1));
      json.append(quoted, 1, quoted.size() - 2);
    } else if (value > 0xffff) {
      const uint32_t rest = value - 0x10000;
      absl::StrAppendFormat(&json, "\\u%04x\\u%04x", 0xd800 | rest >> 10, 0xdc00 | (rest & 0x3ff));
    } else {
      absl::StrAppendFormat(&json, "\\u%04x", value);
    }
    bytes.remove_prefix(character.bytes);
  }
  return json + '"';
}

RecordType TypeOf(const Event& event) { return std::visit(TypeOfBody(), event.body); }

std::string_view EventTypeName(RecordType type) {
  std::string_view name = kUnknownName;
  ForEachRecord([&](const auto& record) {
    if (record.type == type) name = record.name;
  });
  return name;
}

std::optional<RecordType> EventTypeFromName(std::string_view name) {
  std::optional<RecordType> type;
  ForEachRecord([&](const auto& record) {
    if (record.name == name) type = record.type;
  });
  return type;
}

std::vector<std::string_view> EventTypeNames() {
  std::vector<std::string_view> names;
  ForEachRecord([&](const auto& record) { names.push_back(record.name); });
  return names;
}

std::string_view StopCauseName(machine::StopCause cause) { return NameOf(kStopCauses, cause); }

std::string_view InputDeviceName(machine::InputDevice device) {
  return NameOf(kInputDevices, device);
}

std::string PortName(const machine::Port& port) {
  return absl::StrCat(std::string(InputDeviceName(port.device)), port.stream);
}

std::string_view EndKindName(machine::RunEnd::Kind kind) {
  if (kind == machine::RunEnd::Kind::kObserver) return "observer";  // never in a log
  return NameOf(kEndKinds, kind);
}

std::string_view ImageRoleName(ImageRecord::Role role) {
  constexpr std::string_view kRoles[ImageRecord::kRoles] = {
      "kernel", "initrd", "disk0", "disk1", "disk2", "disk3", "disk4", "disk5", "disk6", "disk7"};
  const size_t index = static_cast<size_t>(role);
  return index < std::size(kRoles) ? kRoles[index] : kUnknownName;
}

std::string_view DiskInterfaceName(machine::DiskConfig::Interface interface) {
  switch (interface) {
    case machine::DiskConfig::Interface::kVirtio: return "virtio";
    case machine::DiskConfig::Interface::kIde: return "ide";
    case machine::DiskConfig::Interface::kCdRom: return "cdrom";
  }
  return kUnknownName;
}

std::string_view NetworkModelName(machine::NetworkConfig::Model model) {
  switch (model) {
    case machine::NetworkConfig::Model::kVirtio: return "virtio";
    case machine::NetworkConfig::Model::kTulip: return "tulip";
  }
  return kUnknownName;
}

std::string DescribeIsum(uint64_t isum) {
  // On pins b_irq<3:0> (21272 HRM, Cchip); nothing is on the other two.
  constexpr std::string_view kExternal[] = {"error", "device", "timer", "IPI", "EI4", "EI5"};
  constexpr std::pair<int, std::string_view> kInternal[] = {
      {32, "serial"}, {31, "corrected-read"},
      {30, "PC1"},    {29, "PC0"},
      {10, "ASTU"},   {9, "ASTS"},
      {4, "ASTE"},    {3, "ASTK"},
  };
  std::vector<std::string> names;
  const auto add = [&](int bit, std::string_view name) {
    if ((isum >> bit & 1) != 0) names.emplace_back(name);
  };
  for (int pin = 0; pin < 6; ++pin) add(alpha::interrupt::kExternalShift + pin, kExternal[pin]);
  for (const auto& [bit, name] : kInternal) add(bit, name);
  for (int level = 15; level >= 1; --level) add(13 + level, absl::StrCat("SI", level));
  return absl::StrJoin(names, " ");
}

std::string EventTableHeading() {
  return absl::StrFormat("%8s %14s %11s %-10s %s", "event", "cycle", "second", "type", "contents");
}

std::string DescribeEvent(const Event& event, uint64_t clock_hz, size_t columns) {
  std::string line = absl::StrFormat(
      "%8d %14d %11.6f %-10s ", event.number, event.cycle,
      static_cast<double>(event.cycle) / static_cast<double>(std::max<uint64_t>(clock_hz, 1)),
      std::string(EventTypeName(TypeOf(event))));
  if (event.cpu != 0) absl::StrAppend(&line, "cpu", event.cpu, " ");
  const size_t room = columns == kAllColumns ? columns : columns - std::min(columns, line.size());
  line += std::visit(Details(room), event.body);
  return line.substr(0, columns);
}

std::string EventToJson(const Event& event) {
  return absl::StrCat("{\"event\":", event.number, ",\"cycle\":", event.cycle,
                      ",\"cpu\":", event.cpu, ",\"type\":\"",
                      std::string(EventTypeName(TypeOf(event))), "\"",
                      std::visit(JsonFields(), event.body), "}");
}

std::string HeaderToJson(const LogHeader& header) {
  const machine::MachineConfig& config = header.config;
  std::string json = absl::StrCat(
      "{\"type\":\"header\",\"model_version\":", header.model_version, ",\"palcode\":\"",
      header.palcode.ToString(), "\",\"memory_bytes\":", config.memory_bytes,
      ",\"clock_hz\":", config.clock_hz, ",\"itb_entries\":", config.itb_entries,
      ",\"dtb_entries\":", config.dtb_entries, ",\"rtc_base_seconds\":", config.rtc_base_seconds,
      ",\"seed\":", config.seed, ",\"input_interval\":", config.input_interval,
      ",\"checkpoint_interval\":", config.checkpoint_interval);
  absl::StrAppend(&json, ",\"command_line\":", JsonString(config.command_line),
                  ",\"reboot\":", config.reboot ? "true" : "false", ",\"images\":[");
  for (size_t i = 0; i < header.images.size(); ++i) {
    const ImageRecord& image = header.images[i];
    absl::StrAppend(&json, i == 0 ? "" : ",", "{\"role\":", JsonString(ImageRoleName(image.role)),
                    ",\"size\":", image.size, ",\"digest\":\"", image.digest.ToString(), "\"}");
  }
  json += ']';
  // Of a machine without disks the line is as it was before there were any.
  for (size_t i = 0; i < config.disks.size(); ++i) {
    const machine::DiskConfig& disk = config.disks[i];
    absl::StrAppend(&json, i == 0 ? ",\"disks\":[" : ",",
                    "{\"interface\":", JsonString(DiskInterfaceName(disk.interface)),
                    ",\"read_only\":", disk.read_only ? "true" : "false", ",\"bytes\":", disk.bytes,
                    i + 1 == config.disks.size() ? "}]" : "}");
  }
  if (config.entropy_device) json += ",\"entropy_device\":true";
  if (config.network.has_value()) {
    absl::StrAppend(&json,
                    ",\"network\":{\"model\":", JsonString(NetworkModelName(config.network->model)),
                    ",\"mac\":\"", StationName(config.network->mac),
                    "\",\"whole_frames\":", config.network->whole_frames, "}");
  }
  if (config.has_disk_console()) {
    absl::StrAppend(&json, ",\"disk_console\":\"", header.disk_console.ToString(), "\"");
  }
  if (config.boot_disk.has_value()) absl::StrAppend(&json, ",\"boot_disk\":", *config.boot_disk);
  if (config.nvram.has_value()) absl::StrAppend(&json, ",\"nvram\":", JsonString(*config.nvram));
  if (config.cpus > 1) {
    absl::StrAppend(&json, ",\"cpus\":", config.cpus, ",\"quantum\":", config.quantum);
    if (!config.schedule.is_fixed()) {
      absl::StrAppend(&json, ",\"schedule\":", JsonString(config.schedule.Text()));
    }
  }
  return json + "}";
}

std::string QuoteBytes(std::string_view bytes, size_t max_columns) {
  constexpr std::string_view kCut = "\"...";
  std::string quoted = "\"";
  size_t fits = 1;  // how much of `quoted` leaves room for kCut
  for (char c : bytes) {
    if (quoted.size() + kCut.size() <= max_columns) fits = quoted.size();
    quoted += EscapeByte(static_cast<uint8_t>(c));
    if (quoted.size() >= max_columns) {
      return quoted.substr(0, fits) + std::string(kCut);
    }
  }
  return quoted + '"';
}

}  // namespace isochron::replaylog
