#include "replaylog/log_diff.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "machine/events/cycle_text.h"
#include "replaylog/describe.h"
#include "replaylog/describe_frame.h"
#include "replaylog/record_table.h"

namespace isochron::replaylog {
namespace {

const char* NounOf(const machine::Input& input) {
  return input.kind == machine::InputKind::kFrame ? "frame" : "input";
}

// What differs in the contents of two events of one type.
struct BodyDifference {
  const Event& right;
  std::optional<size_t> at;  // FirstDifferentByte()
  uint64_t clock_hz;

  // The first value of the record that differs.
  template <typename Body>
  std::string operator()(const Body& a) const {
    return FirstValue(a);
  }
  std::string operator()(const InputEvent& a) const {
    const InputEvent& b = std::get<InputEvent>(right.body);
    if (a == b) return "";
    if (a.input.kind != b.input.kind) return "kind of the input";
    if (a.input.kind == machine::InputKind::kWrite) return FirstValue(a);
    if (!(a.input.port == b.input.port)) {
      return absl::StrCat("port of the input: ", PortName(a.input.port), " and ",
                          PortName(b.input.port));
    }
    if (at) return absl::StrCat("byte ", *at, " of the ", NounOf(a.input));
    return a.input.bytes.size() != b.input.bytes.size()
               ? absl::StrCat("length of the ", NounOf(a.input))
               : FirstValue(a);
  }
  std::string operator()(const OutputRun& a) const {
    const OutputRun& b = std::get<OutputRun>(right.body);
    if (a.uart != b.uart) return "UART";
    const size_t common = std::min(a.bytes.size(), b.bytes.size());
    for (size_t i = 0; i < common; ++i) {
      if (at == i) return absl::StrCat("byte ", i, " of the output");
      if (i != 0 && a.deltas[i - 1] != b.deltas[i - 1]) {
        return absl::StrCat(
            "time of byte ", i, " of the output: ", machine::CyclesText(a.deltas[i - 1], clock_hz),
            " and ", machine::CyclesText(b.deltas[i - 1], clock_hz), " after the byte before");
      }
    }
    return a.bytes.size() == b.bytes.size() ? "" : "length of the output";
  }
  std::string operator()(const FrameEvent& a) const {
    const FrameEvent& b = std::get<FrameEvent>(right.body);
    if (a.bytes.empty() != b.bytes.empty()) return "whether the frame is whole";
    if (at) return absl::StrCat("byte ", *at, " of the frame");
    return a.size() != b.size() ? "size of the frame" : FirstValue(a);
  }
  std::string operator()(const UnknownEvent& a) const {
    return a == std::get<UnknownEvent>(right.body) ? "" : "contents";
  }

  template <typename Body>
  std::string FirstValue(const Body& a) const {
    const Body& b = std::get<Body>(right.body);
    std::string_view what;
    VisitRecordOf(a, [&](const auto& record) {
      record.ForEachField([&](const auto& field) {
        const bool differs = std::invoke(field.access, a) != std::invoke(field.access, b);
        if (differs && what.empty()) what = field.differs;
      });
    });
    return std::string(what);
  }
};

template <typename T>
void CompareField(std::string_view name, const T& left, const T& right,
                  std::vector<HeaderDifference>& lines) {
  if (left == right) return;
  lines.push_back({std::string(name), absl::StrCat(left), absl::StrCat(right)});
}

std::string DescribeImages(const LogHeader& header) {
  std::vector<std::string> images;
  for (const ImageRecord& image : header.images) {
    images.push_back(absl::StrCat(std::string(ImageRoleName(image.role)), " ", image.size, " ",
                                  image.digest.ToString()));
  }
  return images.empty() ? "none" : absl::StrJoin(images, ", ");
}

std::string DescribeDisks(const LogHeader& header) {
  std::vector<std::string> disks;
  for (const machine::DiskConfig& disk : header.config.disks) {
    disks.push_back(absl::StrCat(std::string(DiskInterfaceName(disk.interface)),
                                 disk.read_only ? " read-only" : ""));
  }
  return disks.empty() ? "none" : absl::StrJoin(disks, ", ");
}

std::string DescribeNetwork(const LogHeader& header) {
  const std::optional<machine::NetworkConfig>& network = header.config.network;
  if (!network.has_value()) return "none";
  return absl::StrCat(std::string(NetworkModelName(network->model)), " ", StationName(network->mac),
                      ", whole frames up to ", network->whole_frames);
}

// Whether they are equal but for their numbers.
bool AreAlike(const Event& a, const Event& b) {
  return a.cycle == b.cycle && a.cpu == b.cpu && a.body == b.body;
}

std::string DescribeBoot(const machine::MachineConfig& config) {
  return config.boot_disk.has_value() ? absl::StrCat("disk", *config.boot_disk) : "a kernel";
}

}  // namespace

absl::Status LogComparison::Side::Fill() {
  Event event;
  while (ahead.size() < kWindow) {
    absl::StatusOr<bool> more = log.Next(event);
    if (!more.ok()) return more.status();
    if (!*more) break;
    ahead.push_back(std::move(event));
  }
  return absl::OkStatus();
}

std::optional<Event> LogComparison::Side::TakeDifferent() {
  if (different == 0) return std::nullopt;
  --different;
  Event event = std::move(ahead.front());
  ahead.pop_front();
  return event;
}

absl::StatusOr<bool> LogComparison::Next(EventPair& pair) {
  if (left_.different == 0 && right_.different == 0) {
    for (Side* side : {&left_, &right_}) {
      if (absl::Status status = side->Fill(); !status.ok()) return status;
    }
    if (left_.ahead.empty() && right_.ahead.empty()) return false;
    FindEqualAgain();
  }
  pair.equal = left_.different == 0 && right_.different == 0;
  if (pair.equal) left_.different = right_.different = 1;
  pair.left = left_.TakeDifferent();
  pair.right = right_.TakeDifferent();
  pair.one_ended = (!pair.left && left_.ahead.empty()) || (!pair.right && right_.ahead.empty());
  return true;
}

void LogComparison::FindEqualAgain() {
  const std::deque<Event>& left = left_.ahead;
  const std::deque<Event>& right = right_.ahead;
  for (size_t away = 0; away < left.size() + right.size(); ++away) {
    // An event that one log has changed is more likely than one that it lacks beside another that
    // it has more.
    for (size_t skew = away % 2; skew <= away; skew += 2) {
      for (const size_t i : {(away - skew) / 2, (away + skew) / 2}) {
        const size_t j = away - i;
        if (i >= left.size() || j >= right.size() || !AreAlike(left[i], right[j])) continue;
        left_.different = i;
        right_.different = j;
        return;
      }
    }
  }
  // One pair at a time, so that more can be read.
  left_.different = std::min<size_t>(1, left.size());
  right_.different = std::min<size_t>(1, right.size());
}

Event JoinOutput(const Event& expected, size_t equal, const Event& rest) {
  const auto* first = std::get_if<OutputRun>(&expected.body);
  const auto* second = std::get_if<OutputRun>(&rest.body);
  if (equal == 0 || first == nullptr || second == nullptr || equal > first->bytes.size() ||
      first->uart != second->uart || expected.cpu != rest.cpu) {
    return rest;
  }
  Event joined = expected;
  OutputRun& output = std::get<OutputRun>(joined.body);
  output.bytes.resize(equal);
  output.deltas.resize(equal - 1);
  output.deltas.push_back(rest.cycle - joined.last_cycle());
  output.bytes += second->bytes;
  output.deltas.insert(output.deltas.end(), second->deltas.begin(), second->deltas.end());
  return joined;
}

std::string NameDifference(const Event& left, const Event& right, uint64_t clock_hz) {
  const RecordType types[] = {TypeOf(left), TypeOf(right)};
  if (types[0] != types[1]) {
    return absl::StrCat("type: ", std::string(EventTypeName(types[0])), " and ",
                        std::string(EventTypeName(types[1])));
  }
  if (left.cycle != right.cycle) {
    return absl::StrCat("cycle: ", machine::WithSeconds(left.cycle, clock_hz), " and ",
                        machine::WithSeconds(right.cycle, clock_hz));
  }
  if (left.cpu != right.cpu) return absl::StrCat("CPU: ", left.cpu, " and ", right.cpu);
  const std::string body =
      std::visit(BodyDifference{right, FirstDifferentByte(left, right), clock_hz}, left.body);
  if (!body.empty()) return body;
  return left.number == right.number ? "" : "event number";
}

std::optional<std::string_view> EventBytes(const Event& event) {
  if (const auto* output = std::get_if<OutputRun>(&event.body)) return output->bytes;
  const auto* const frame = std::get_if<FrameEvent>(&event.body);
  if (frame != nullptr && !frame->bytes.empty()) return frame->bytes;
  if (const auto* unknown = std::get_if<UnknownEvent>(&event.body)) return unknown->payload;
  const auto* input = std::get_if<InputEvent>(&event.body);
  if (input == nullptr) return std::nullopt;
  const machine::InputKind kind = input->input.kind;
  const bool has_bytes = kind == machine::InputKind::kBytes || kind == machine::InputKind::kFrame;
  return has_bytes ? std::optional<std::string_view>(input->input.bytes) : std::nullopt;
}

std::optional<size_t> FirstDifferentByte(const Event& left, const Event& right) {
  const std::optional<std::string_view> a = EventBytes(left);
  const std::optional<std::string_view> b = EventBytes(right);
  if (!a || !b || TypeOf(left) != TypeOf(right)) return std::nullopt;
  const auto [at, other] = std::mismatch(a->begin(), a->end(), b->begin(), b->end());
  if (at == a->end() || other == b->end()) return std::nullopt;
  return static_cast<size_t>(at - a->begin());
}

std::vector<HeaderDifference> CompareHeaders(const LogHeader& left, const LogHeader& right) {
  const machine::MachineConfig& a = left.config;
  const machine::MachineConfig& b = right.config;
  std::vector<HeaderDifference> lines;
  CompareField("model_version", left.model_version, right.model_version, lines);
  CompareField("palcode", left.palcode.ToString(), right.palcode.ToString(), lines);
  CompareField("memory_bytes", a.memory_bytes, b.memory_bytes, lines);
  CompareField("clock_hz", a.clock_hz, b.clock_hz, lines);
  CompareField("itb_entries", a.itb_entries, b.itb_entries, lines);
  CompareField("dtb_entries", a.dtb_entries, b.dtb_entries, lines);
  CompareField("rtc_base_seconds", a.rtc_base_seconds, b.rtc_base_seconds, lines);
  CompareField("seed", a.seed, b.seed, lines);
  CompareField("input_interval", a.input_interval, b.input_interval, lines);
  CompareField("checkpoint_interval", a.checkpoint_interval, b.checkpoint_interval, lines);
  CompareField("command_line", QuoteBytes(a.command_line), QuoteBytes(b.command_line), lines);
  CompareField("reboot", left.config.reboot, right.config.reboot, lines);
  CompareField("images", DescribeImages(left), DescribeImages(right), lines);
  CompareField("disks", DescribeDisks(left), DescribeDisks(right), lines);
  CompareField("entropy device", left.config.entropy_device, right.config.entropy_device, lines);
  CompareField("network", DescribeNetwork(left), DescribeNetwork(right), lines);
  CompareField("disk_console", left.disk_console.ToString(), right.disk_console.ToString(), lines);
  CompareField("boots from", DescribeBoot(a), DescribeBoot(b), lines);
  CompareField("nvram", QuoteBytes(a.nvram.value_or("")), QuoteBytes(b.nvram.value_or("")), lines);
  CompareField("cpus", left.config.cpus, right.config.cpus, lines);
  CompareField("quantum", left.config.quantum, right.config.quantum, lines);
  CompareField("schedule", a.schedule.Text(), b.schedule.Text(), lines);
  return lines;
}

}  // namespace isochron::replaylog
