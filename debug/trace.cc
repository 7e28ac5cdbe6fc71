#include "debug/trace.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/disassemble.h"
#include "replaylog/describe.h"

namespace isochron::debug {
namespace {

// "exception", for lines and for JSON.
const char* KindName(Step::Kind kind) {
  switch (kind) {
    case Step::Kind::kInstruction: return "instruction";
    case Step::Kind::kException: return "exception";
    case Step::Kind::kInterrupt: return "interrupt";
    case Step::Kind::kWait: break;
  }
  return "wait";
}

const char* LevelLetter(Level level) {
  switch (level) {
    case Level::kPal: return "P";
    case Level::kKernel: return "K";
    case Level::kUser: break;
  }
  return "U";
}

uint64_t AddressOf(uint64_t pc) { return pc & ~uint64_t{3}; }

std::string Listed(const Step& step) {
  return alpha::DisassembleInColumns(step.word, AddressOf(step.pc), /*mnemonic_width=*/8);
}

std::string JsonHex(uint64_t value) { return absl::StrFormat("\"0x%x\"", value); }

// A value with as many digits as its bytes take.
std::string Sized(uint64_t value, uint64_t size) {
  return absl::StrFormat("0x%0*x", static_cast<int>(2 * size), value);
}

std::string MemoryText(const Step& step) {
  const alpha::MemoryReference& made = *step.memory;
  const std::string where = made.va.has_value() ? absl::StrFormat("mem 0x%016x", *made.va)
                                                : absl::StrFormat("pa 0x%011x", made.pa);
  if (!made.write) return where;
  return absl::StrCat(where, " ", step.value.has_value() ? Sized(*step.value, made.size) : "-");
}

std::string MemoryJson(const Step& step) {
  const alpha::MemoryReference& made = *step.memory;
  return absl::StrCat("{\"kind\":\"", made.write ? "write" : "read",
                      "\",\"va\":", made.va.has_value() ? JsonHex(*made.va) : "null",
                      ",\"pa\":", JsonHex(made.pa), ",\"size\":", made.size, ",\"value\":",
                      step.value.has_value() ? "\"" + Sized(*step.value, made.size) + "\"" : "null",
                      "}");
}

}  // namespace

std::string StepFormat::Heading() {
  return absl::StrFormat("%12s %-4s M %-18s %-12s %-28s %-32s %s", "cycle", "cpu", "pc", "word",
                         "symbol", "instruction", "written");
}

const StepFormat::Place& StepFormat::PlaceOf(uint64_t pc) {
  constexpr size_t kMaxPlaces = 1 << 18;
  if (places_.size() > kMaxPlaces) places_.clear();
  const auto [place, is_new] = places_.try_emplace(pc);
  if (is_new) place->second = {symbols_.Name(pc), symbols_.Line(pc)};
  return place->second;
}

std::string StepFormat::Text(const Step& step) {
  std::string line = absl::StrFormat("%12u cpu%d %s 0x%016x ", step.cycle, step.cpu,
                                     LevelLetter(step.level), AddressOf(step.pc));
  const Place& place = PlaceOf(step.pc);
  switch (step.kind) {
    case Step::Kind::kInstruction: break;
    case Step::Kind::kWait: return absl::StrCat(line, "-- waits ", step.cycles, " cycles");
    case Step::Kind::kException:
    case Step::Kind::kInterrupt:
      return absl::StrCat(line, "-- ", KindName(step.kind), " at ",
                          place.name.empty() ? "?" : place.name, ": to ", PlaceOf(step.to_pc).name);
  }
  absl::StrAppendFormat(&line, "(0x%08x) %-28s %-32s", step.word, place.name, Listed(step));
  for (const RegisterWrite& written : step.registers) {
    absl::StrAppendFormat(&line, " %s 0x%016x", written.Name(), written.value);
  }
  if (step.memory.has_value()) absl::StrAppend(&line, " ", MemoryText(step));
  line.erase(line.find_last_not_of(' ') + 1);
  if (!place.line.empty()) absl::StrAppend(&line, "  ; ", place.line);
  return line;
}

std::string StepFormat::Json(const Step& step) {
  const Place place = PlaceOf(step.pc);
  std::string json = absl::StrCat(
      "{\"cycle\":", step.cycle, ",\"cpu\":", step.cpu, ",\"kind\":\"", KindName(step.kind),
      "\",\"mode\":\"", LevelName(step.level), "\",\"asn\":", static_cast<int>(step.asn),
      ",\"pc\":", JsonHex(AddressOf(step.pc)), ",\"symbol\":", replaylog::JsonString(place.name));
  if (!place.line.empty()) {
    absl::StrAppend(&json, ",\"line\":", replaylog::JsonString(place.line));
  }
  if (step.kind == Step::Kind::kWait) {
    absl::StrAppend(&json, ",\"cycles\":", step.cycles);
  } else if (step.kind != Step::Kind::kInstruction) {
    absl::StrAppend(&json, ",\"to\":", replaylog::JsonString(PlaceOf(step.to_pc).name));
  } else {
    absl::StrAppendFormat(&json, ",\"word\":\"0x%08x\"", step.word);
    absl::StrAppend(&json, ",\"text\":", replaylog::JsonString(Listed(step)), ",\"registers\":{");
    for (size_t i = 0; i < step.registers.size(); ++i) {
      absl::StrAppend(&json, i == 0 ? "" : ",", "\"", step.registers[i].Name(),
                      "\":", JsonHex(step.registers[i].value));
    }
    absl::StrAppend(&json, "}");
    if (step.memory.has_value()) absl::StrAppend(&json, ",\"memory\":", MemoryJson(step));
  }
  return absl::StrCat(json, "}");
}

std::string StepFormat::Format(const Step& step) { return json_ ? Json(step) : Text(step); }

absl::Status Trace(timeline::Timeline& timeline, const Symbols& symbols,
                   const TraceOptions& options, const LineSink& sink) {
  const absl::StatusOr<timeline::Arrival> arrival = timeline.GoToCycle(options.from);
  if (!arrival.ok()) return arrival.status();
  StepFormat format(symbols, options.json);
  if (!options.json && !sink(StepFormat::Heading())) return absl::OkStatus();
  Stepper stepper(timeline, options.to);
  const auto shown = [&options](const Step& step) {
    const std::vector<Level>& levels = options.levels;
    const bool at_level =
        levels.empty() || std::find(levels.begin(), levels.end(), step.level) != levels.end();
    const bool of_cpu = !options.cpu.has_value() || step.cpu == *options.cpu;
    return at_level && of_cpu && (!options.asn.has_value() || step.asn == *options.asn);
  };
  Step step;
  for (;;) {
    const absl::StatusOr<bool> more = stepper.Next(step);
    if (!more.ok()) return more.status();
    if (!*more || (shown(step) && !sink(format.Format(step)))) return absl::OkStatus();
  }
}

}  // namespace isochron::debug
