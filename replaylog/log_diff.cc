#include "replaylog/log_diff.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "replaylog/describe.h"

namespace isochron::replaylog {
namespace {

// What differs in the contents of two events of one type.
struct BodyDifference {
  const Event& right;

  std::string operator()(const InputEvent& a) const {
    return a == std::get<InputEvent>(right.body) ? "" : "input";
  }
  std::string operator()(const OutputEvent& a) const {
    const OutputEvent& b = std::get<OutputEvent>(right.body);
    if (a.uart != b.uart) return "UART";
    const size_t common = std::min(a.bytes.size(), b.bytes.size());
    for (size_t i = 0; i < common; ++i) {
      if (a.bytes[i] != b.bytes[i]) return absl::StrCat("byte ", i, " of the output");
      if (i != 0 && a.deltas[i - 1] != b.deltas[i - 1]) {
        return absl::StrCat("time of byte ", i, " of the output: ", a.deltas[i - 1], " and ",
                            b.deltas[i - 1], " cycles after the byte before");
      }
    }
    return a.bytes.size() == b.bytes.size() ? "" : "length of the output";
  }
  std::string operator()(const InterruptEvent& a) const {
    return a == std::get<InterruptEvent>(right.body) ? "" : "pending interrupts";
  }
  std::string operator()(const CheckpointEvent& a) const {
    const CheckpointEvent& b = std::get<CheckpointEvent>(right.body);
    if (a.instructions != b.instructions) return "instruction count";
    return a == b ? "" : "machine state";
  }
  std::string operator()(const EndEvent& a) const {
    const EndEvent& b = std::get<EndEvent>(right.body);
    if (a.kind != b.kind) return "reason of the end";
    if (a.instructions != b.instructions) return "instruction count";
    return a == b ? "" : "machine state";
  }
  std::string operator()(const UnknownEvent& a) const {
    return a == std::get<UnknownEvent>(right.body) ? "" : "contents";
  }
};

std::string Line(std::string_view mark, const std::optional<Event>& event) {
  std::string line(mark);
  line += event ? DescribeEvent(*event) : "the log ends here";
  return line + "\n";
}

template <typename T>
void CompareField(std::string_view name, const T& left, const T& right,
                  std::vector<std::string>& lines) {
  if (left == right) return;
  std::string line(name);
  absl::StrAppend(&line, ": ", left, " and ", right);
  lines.push_back(std::move(line));
}

std::string DescribeImages(const LogHeader& header) {
  std::vector<std::string> images;
  for (const ImageRecord& image : header.images) {
    images.push_back(absl::StrCat(std::string(ImageRoleName(image.role)), " ", image.size, " ",
                                  image.digest.ToString()));
  }
  return images.empty() ? "none" : absl::StrJoin(images, ", ");
}

}  // namespace

std::string EventDifference::Describe(std::string_view left_name,
                                      std::string_view right_name) const {
  const std::string names[] = {std::string(left_name), std::string(right_name)};
  std::string text;
  if (left && right) {
    absl::StrAppend(&text, "first difference at event ", left->number, ": ",
                    NameDifference(*left, *right), "\n");
  } else {
    absl::StrAppend(&text, names[left ? 1 : 0], " ends before event ",
                    (left ? left : right)->number, "\n");
  }
  absl::StrAppend(&text, "- ", names[0], "\n+ ", names[1], "\n  ", EventTableHeading(), "\n");
  for (const Event& event : before) text += Line("  ", event);
  text += Line("- ", left);
  text += Line("+ ", right);
  return text;
}

absl::StatusOr<std::optional<EventDifference>> FindFirstDifference(LogReader& left,
                                                                   LogReader& right,
                                                                   size_t context) {
  EventHistory history(context);
  Event left_event;
  Event right_event;
  for (;;) {
    absl::StatusOr<bool> left_got = left.Next(left_event);
    if (!left_got.ok()) return left_got.status();
    absl::StatusOr<bool> right_got = right.Next(right_event);
    if (!right_got.ok()) return right_got.status();
    if (!*left_got && !*right_got) return std::nullopt;
    if (*left_got && *right_got && left_event == right_event) {
      history.Add(left_event);
      continue;
    }
    EventDifference difference;
    difference.before.assign(history.events().begin(), history.events().end());
    if (*left_got) difference.left = std::move(left_event);
    if (*right_got) difference.right = std::move(right_event);
    return difference;
  }
}

std::string NameDifference(const Event& left, const Event& right) {
  const RecordType types[] = {TypeOf(left), TypeOf(right)};
  if (types[0] != types[1]) {
    return absl::StrCat("type: ", std::string(EventTypeName(types[0])), " and ",
                        std::string(EventTypeName(types[1])));
  }
  if (left.cycle != right.cycle) {
    return absl::StrCat("cycle: ", left.cycle, " and ", right.cycle);
  }
  if (left.cpu != right.cpu) return absl::StrCat("CPU: ", left.cpu, " and ", right.cpu);
  const std::string body = std::visit(BodyDifference{right}, left.body);
  if (!body.empty()) return body;
  return left.number == right.number ? "" : "event number";
}

std::vector<std::string> CompareHeaders(const LogHeader& left, const LogHeader& right) {
  const machine::MachineConfig& a = left.config;
  const machine::MachineConfig& b = right.config;
  std::vector<std::string> lines;
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
  return lines;
}

}  // namespace isochron::replaylog
