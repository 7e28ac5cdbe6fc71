#include "debug/report/report_data.h"

#include <algorithm>
#include <tuple>
#include <variant>

#include "absl/strings/str_cat.h"
#include "debug/page.h"
#include "hostio/printable.h"
#include "replaylog/describe.h"
#include "replaylog/describe_frame.h"

namespace isochron::debug {
namespace {

constexpr char kRest[] = "other";

// The contents of an event as `log dump` shows them.
std::string Contents(const machine::Input& input) {
  switch (input.kind) {
    case machine::InputKind::kBytes:
      return absl::StrCat(replaylog::PortName(input.port), " ",
                          replaylog::QuoteBytes(input.bytes, 200));
    case machine::InputKind::kBreak: return absl::StrCat(replaylog::PortName(input.port), " break");
    case machine::InputKind::kStop:
      return absl::StrCat("stop: ", std::string(replaylog::StopCauseName(input.cause)));
    case machine::InputKind::kWrite:
      return absl::StrCat("gdb: ", replaylog::DescribeWrite(input, 200));
    case machine::InputKind::kFrame:
      return absl::StrCat(replaylog::PortName(input.port), " ",
                          replaylog::DescribeFrame(input.bytes));
  }
  return "";
}

// What an input counts for: with what its contents begin.
std::string InputPart(const machine::Input& input) {
  switch (input.kind) {
    case machine::InputKind::kBytes:
    case machine::InputKind::kBreak:
    case machine::InputKind::kFrame: return replaylog::PortName(input.port);
    case machine::InputKind::kStop: return "stop";
    case machine::InputKind::kWrite: return "gdb";
  }
  return "";
}

// The text's beginning, where it is long: names of symbols may have any length.
std::string Shortened(std::string text) {
  constexpr size_t kMost = 200;
  if (text.size() <= kMost) return text;
  size_t end = kMost;
  while ((static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;  // within a character
  return text.substr(0, end) + "...";
}

std::string MarkJson(const Mark& mark) {
  return absl::StrCat("[", mark.cycle, ",", mark.cycles, ",", PageString(mark.text), "]");
}

std::string Join(const std::vector<std::string>& values) {
  std::string json = "[";
  for (const std::string& value : values) absl::StrAppend(&json, json.size() > 1 ? "," : "", value);
  return json + "]";
}

}  // namespace

Series& Lane::Part(const std::string& name) {
  const bool known = parts_.contains(name) || parts_.size() < kMostSeries;
  return parts_.try_emplace(known ? name : kRest, spans_).first->second;
}

void Lane::AddMark(Mark mark) {
  if (++marks_added_ > kMostMarks) return;
  mark.text = Shortened(std::move(mark.text));
  marks_.push_back(std::move(mark));
}

std::string Lane::Json(const std::vector<std::string>& order) const {
  std::vector<const std::pair<const std::string, Series>*> shown;
  for (const std::string& name : order) {
    const auto found = parts_.find(name);
    if (found != parts_.end()) shown.push_back(&*found);
  }
  const size_t fixed = shown.size();
  for (const auto& part : parts_) {
    if (std::find(order.begin(), order.end(), part.first) == order.end()) shown.push_back(&part);
  }
  std::stable_sort(
      shown.begin() + static_cast<ptrdiff_t>(fixed), shown.end(),
      [](const auto* a, const auto* b) { return a->second.total() > b->second.total(); });
  std::vector<std::string> parts;
  Series rest(spans_);
  for (size_t i = 0; i < shown.size(); ++i) {
    const auto& [name, series] = *shown[i];
    if (i >= kMostParts || name == kRest) {
      rest.Merge(series);
    } else {
      parts.push_back(absl::StrCat("{\"name\":", PageString(name), ",\"total\":", series.total(),
                                   ",\"spans\":", series.Json(), "}"));
    }
  }
  if (rest.total() != 0) {
    parts.push_back(absl::StrCat("{\"name\":\"", kRest, "\",\"total\":", rest.total(),
                                 ",\"spans\":", rest.Json(), "}"));
  }
  std::vector<Mark> sorted = marks_added_ > kMostMarks ? std::vector<Mark>() : marks_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Mark& a, const Mark& b) { return a.cycle < b.cycle; });
  std::vector<std::string> marks;
  for (const Mark& mark : sorted) marks.push_back(MarkJson(mark));
  return absl::StrCat("{\"id\":", PageString(id_), ",\"name\":", PageString(name_),
                      ",\"unit\":", PageString(unit_), ",\"count\":", marks_added_,
                      ",\"parts\":", Join(parts), ",\"marks\":", Join(marks), "}");
}

ReportData::ReportData(const Spans& spans, uint64_t cycles, int cpus)
    : spans_(spans),
      cycles_(cycles),
      processors_(static_cast<size_t>(cpus),
                  Processor{false, 0, Series(spans), Series(spans), {}, "", 0}),
      console_("console", "Console", "bytes", spans),
      inputs_("inputs", "Inputs", "bytes", spans),
      interrupts_("interrupts", "Interrupts", "", spans),
      exceptions_("exceptions", "Exceptions", "", spans),
      calls_("syscalls", "System calls", "", spans),
      switches_("switches", "Context switches", "", spans),
      processes_("processes", "Processes", "cycles", spans),
      checkpoints_("checkpoints", "Checkpoints", "", spans),
      cutter_([this](ConsoleLine line) { OnLine(std::move(line)); }) {}

void ReportData::LearnColumns(const Survey& survey) {
  const std::pair<Topic, std::vector<const char*>> wanted[] = {
      {Topic::kSystemCalls,
       {"cycle", "cpu", "asn", "name", "number", "a0", "a1", "a2", "a3", "a4", "a5", "result",
        "error", "cycles"}},
      {Topic::kExceptions, {"cycle", "cpu", "mode", "entry", "place", "what"}},
      {Topic::kInterrupts, {"cycle", "cpu", "type", "vector", "place"}},
      {Topic::kSwitches, {"cycle", "cpu", "from", "to", "asn"}},
  };
  for (const auto& [topic, names] : wanted) {
    for (const char* name : names) columns_[{topic, name}] = survey.ColumnOf(topic, name);
  }
}

const Cell& ReportData::At(Topic topic, const Row& row, std::string_view column) const {
  return row[columns_.find(std::pair(topic, std::string(column)))->second];
}

void ReportData::OnEvent(const replaylog::Event& event) {
  if (const auto* output = std::get_if<replaylog::OutputRun>(&event.body)) {
    Series& bytes = console_.Part(replaylog::PortName(machine::Port::Uart(output->uart)));
    uint64_t cycle = event.cycle;
    for (size_t i = 0; i < output->bytes.size(); ++i) {
      if (i > 0) cycle += output->deltas[i - 1];
      bytes.Add(cycle);
    }
    cutter_.Add(event.cycle, *output);
  } else if (const auto* input = std::get_if<replaylog::InputEvent>(&event.body)) {
    const machine::Input& what = input->input;
    inputs_.Part(InputPart(what)).Add(event.cycle, std::max<size_t>(what.bytes.size(), 1));
    inputs_.AddMark({event.cycle, 0, hostio::Printable(Contents(what))});
  } else if (const auto* checkpoint = std::get_if<replaylog::CheckpointEvent>(&event.body)) {
    checkpoints_.Part("checkpoint").Add(event.cycle);
    checkpoints_.AddMark({event.cycle, 0,
                          absl::StrCat("instruction ", checkpoint->instructions, ", state ",
                                       checkpoint->state.ToString())});
  }
}

void ReportData::OnLine(ConsoleLine line) {
  // A boot writes some hundred lines; what has more is none.
  constexpr size_t kMostMessages = 5000;
  if (const auto time = FindPrintkTime(line.text);
      time.has_value() && messages_.size() < kMostMessages) {
    messages_.push_back({line.cycle, time->microseconds, line.text.substr(time->text)});
  }
  lines_.Add(std::move(line));
}

std::string ReportData::WhoseIs(Topic topic, const Row& row) const {
  if (processors_.size() == 1) return "";
  return absl::StrCat("CPU ", At(topic, row, "cpu").value, ": ");
}

void ReportData::OnRow(Topic topic, const Row& row) {
  switch (topic) {
    case Topic::kSystemCalls: return OnSystemCall(row);
    case Topic::kExceptions: return OnException(row);
    case Topic::kInterrupts: return OnInterrupt(row);
    case Topic::kSwitches: return OnSwitch(row);
  }
}

void ReportData::OnSystemCall(const Row& row) {
  const auto at = [&](std::string_view column) -> const Cell& {
    return At(Topic::kSystemCalls, row, column);
  };
  const uint64_t cycle = at("cycle").value;
  std::string name = at("name").text;
  if (name.empty()) name = absl::StrCat("call ", at("number").value);
  const Cell& cycles = at("cycles");
  const bool returned = cycles.kind != Cell::Kind::kNone;
  const bool error = at("error").value != 0;
  calls_.Part(name).Add(cycle);
  const bool known = call_names_.contains(name) || call_names_.size() < 600;
  Call& call = call_names_[known ? name : kRest];
  ++call.count;
  if (error) ++call.errors;
  call.cycles += cycles.value;
  call.longest = std::max(call.longest, cycles.value);

  SlowCall slow;
  slow.mark = {cycle, cycles.value, absl::StrCat(WhoseIs(Topic::kSystemCalls, row), name)};
  if (returned) {
    absl::StrAppend(&slow.mark.text, error ? " error " : " = ", at("result").Shown("result"));
  }
  calls_.AddMark(slow.mark);
  if (!returned) return;
  slow.asn = at("asn").value;
  for (const char* argument : {"a0", "a1", "a2", "a3", "a4", "a5"}) {
    absl::StrAppend(&slow.arguments, slow.arguments.empty() ? "" : ", ",
                    at(argument).Shown(argument));
  }
  KeepIfSlow(std::move(slow));
}

void ReportData::KeepIfSlow(SlowCall call) {
  const auto slower = [](const SlowCall& a, const SlowCall& b) {
    return std::tuple(b.mark.cycles, a.mark.cycle) < std::tuple(a.mark.cycles, b.mark.cycle);
  };
  if (slow_.size() == kMostSlowCalls && !slower(call, slow_.back())) return;
  slow_.insert(std::upper_bound(slow_.begin(), slow_.end(), call, slower), std::move(call));
  if (slow_.size() > kMostSlowCalls) slow_.pop_back();
}

void ReportData::OnException(const Row& row) {
  const auto at = [&](std::string_view column) -> const Cell& {
    return At(Topic::kExceptions, row, column);
  };
  const uint64_t cycle = at("cycle").value;
  exceptions_.Part(at("entry").text).Add(cycle);
  exceptions_.AddMark({cycle, 0,
                       absl::StrCat(WhoseIs(Topic::kExceptions, row), at("entry").text, " from ",
                                    at("mode").text, " mode: ", at("what").text,
                                    at("place").text.empty() ? "" : ", in ", at("place").text)});
}

void ReportData::OnInterrupt(const Row& row) {
  const auto at = [&](std::string_view column) -> const Cell& {
    return At(Topic::kInterrupts, row, column);
  };
  const uint64_t cycle = at("cycle").value;
  const Cell& vector = at("vector");
  const std::string source = vector.kind == Cell::Kind::kNone
                                 ? "gone when PALcode looked"
                                 : absl::StrCat(at("type").text, " ", vector.Shown("vector"));
  interrupts_.Part(source).Add(cycle);
  interrupts_.AddMark({cycle, 0,
                       absl::StrCat(WhoseIs(Topic::kInterrupts, row), source,
                                    at("place").text.empty() ? "" : ", in ", at("place").text)});
}

void ReportData::OnSwitch(const Row& row) {
  const auto at = [&](std::string_view column) -> const Cell& {
    return At(Topic::kSwitches, row, column);
  };
  const uint64_t cycle = at("cycle").value;
  const std::string from = at("from").Shown("from");
  const std::string to = at("to").Shown("to");
  Processor& processor = processors_[at("cpu").value];
  const std::string& before = processor.process.empty() ? from : processor.process;
  processes_.Part(before).AddCycles(processor.process_since, cycle);
  processor.process = to;
  processor.process_since = cycle;
  // SWPCTX also gives the process that runs another address space.
  const char* const kind = from == to ? "address space" : "process";
  switches_.Part(kind).Add(cycle);
  if (from == to) return;
  switches_.AddMark({cycle, 0,
                     absl::StrCat(WhoseIs(Topic::kSwitches, row), kind, " ", from, " to ", to,
                                  ", ASN ", at("asn").value)});
}

void ReportData::OnMode(int cpu, uint64_t cycle, bool user) {
  Processor& processor = processors_[cpu];
  if (user && !first_user_.has_value()) first_user_ = cycle;
  if (processor.user) processor.in_user.AddCycles(processor.since, cycle);
  processor.user = user;
  processor.since = cycle;
}

void ReportData::OnWait(int cpu, uint64_t cycle, uint64_t cycles) {
  processors_[cpu].idle.Add(cycle, cycles);
}

Lane ReportData::NewProcessorLane(size_t index) const {
  return Lane(absl::StrCat("cpu", index), absl::StrCat("CPU ", index), "cycles", spans_);
}

void ReportData::OnProfile(int cpu, uint64_t cycle, const ModeCycles& cycles) {
  const auto index = static_cast<size_t>(cpu);
  std::optional<Lane>& lane = processors_[index].profiled;
  if (!lane.has_value()) lane.emplace(NewProcessorLane(index));
  lane->Part("user").Add(cycle, cycles.user);
  lane->Part("kernel").Add(cycle, cycles.kernel);
  lane->Part("PALmode").Add(cycle, cycles.pal);
  lane->Part("idle").Add(cycle, cycles.idle);
}

std::string ReportData::ProcessorLane(size_t index) {
  Processor& processor = processors_[index];
  if (processor.profiled.has_value()) {
    return processor.profiled->Json({"user", "kernel", "PALmode", "idle"});
  }
  if (processor.user) processor.in_user.AddCycles(processor.since, cycles_);
  Lane lane = NewProcessorLane(index);
  Series all(spans_);
  all.AddCycles(0, cycles_);
  Series& kernel = lane.Part("kernel");
  Series& idle = lane.Part("idle");
  for (size_t span = 0; span < spans_.count; ++span) {
    // The instruction that a span ends in counts in both.
    const uint64_t others = processor.in_user.at(span) + processor.idle.at(span);
    kernel.Add(span * spans_.width, all.at(span) - std::min(all.at(span), others));
    // Several CPUs are looked at between rounds, where each has come a little farther than others.
    const uint64_t room = all.at(span) - std::min(all.at(span), processor.in_user.at(span));
    const bool several = processors_.size() > 1;
    idle.Add(span * spans_.width,
             several ? std::min(processor.idle.at(span), room) : processor.idle.at(span));
  }
  lane.Part("user").Merge(processor.in_user);
  return lane.Json({"user", "kernel", "idle"});
}

std::vector<ReportData::Phase> ReportData::Phases() const {
  constexpr size_t kMostPhases = 12;
  std::vector<Phase> phases;
  const uint64_t boot_end = std::min(first_user_.value_or(cycles_), cycles_);
  if (messages_.empty()) {
    if (first_user_.has_value()) phases.push_back({0, boot_end, "before user mode"});
  } else {
    phases.push_back({0, messages_.front().cycle, "before the first message"});
    for (size_t i = 0; i < messages_.size() && messages_[i].cycle < boot_end; ++i) {
      const uint64_t next = i + 1 < messages_.size() ? messages_[i + 1].cycle : boot_end;
      phases.push_back({messages_[i].cycle, std::min(next, boot_end), messages_[i].text});
    }
    std::stable_sort(phases.begin(), phases.end(), [](const Phase& a, const Phase& b) {
      return a.end - a.begin > b.end - b.begin;
    });
    if (phases.size() > kMostPhases) phases.resize(kMostPhases, {});
    std::stable_sort(phases.begin(), phases.end(),
                     [](const Phase& a, const Phase& b) { return a.begin < b.begin; });
  }
  if (first_user_.has_value()) phases.push_back({boot_end, cycles_, "from the first user mode on"});
  return phases;
}

std::string ReportData::PhasesJson() const {
  std::vector<std::string> json;
  for (const Phase& phase : Phases()) {
    json.push_back(MarkJson({phase.begin, phase.end - phase.begin, phase.text}));
  }
  return Join(json);
}

std::string ReportData::CallsJson() const {
  std::vector<std::pair<std::string, Call>> calls(call_names_.begin(), call_names_.end());
  std::stable_sort(calls.begin(), calls.end(),
                   [](const auto& a, const auto& b) { return a.second.cycles > b.second.cycles; });
  std::vector<std::string> rows;
  for (const auto& [name, call] : calls) {
    rows.push_back(absl::StrCat("[", PageString(name), ",", call.count, ",", call.errors, ",",
                                call.cycles, ",", call.longest, "]"));
  }
  std::vector<std::string> slow;
  for (const SlowCall& call : slow_) {
    slow.push_back(absl::StrCat("[", call.mark.cycle, ",", call.mark.cycles, ",",
                                PageString(call.mark.text), ",", PageString(call.arguments), ",",
                                call.asn, "]"));
  }
  return absl::StrCat("\"calls\":", Join(rows), ",\"slow\":", Join(slow));
}

std::string ReportData::ConsoleJson() const {
  std::vector<std::string> lines;
  const auto add = [&](const ConsoleLine& line) {
    lines.push_back(absl::StrCat("[", line.cycle, ",", line.uart, ",", PageString(line.text), "]"));
  };
  for (const ConsoleLine& line : lines_.first()) add(line);
  for (const ConsoleLine& line : lines_.last()) add(line);
  return absl::StrCat("\"console\":", Join(lines), ",\"console_left_out\":", lines_.left_out(),
                      ",\"console_first\":", lines_.first().size());
}

std::string ReportData::Fields() {
  cutter_.Finish();
  for (const Processor& processor : processors_) {
    if (processor.process.empty()) continue;
    processes_.Part(processor.process).AddCycles(processor.process_since, cycles_);
  }
  std::vector<std::string> lanes;
  for (size_t i = 0; i < processors_.size(); ++i) lanes.push_back(ProcessorLane(i));
  for (const Lane* lane : {&processes_, &switches_, &calls_, &exceptions_, &interrupts_, &console_,
                           &inputs_, &checkpoints_}) {
    lanes.push_back(lane->Json());
  }
  return absl::StrCat("\"span_cycles\":", spans_.width, ",\"spans\":", spans_.count, ",",
                      ConsoleJson(), ",", CallsJson(), ",\"phases\":", PhasesJson(),
                      ",\"lanes\":", Join(lanes));
}

}  // namespace isochron::debug
