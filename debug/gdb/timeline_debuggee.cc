#include "debug/gdb/timeline_debuggee.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "alpha/memory.h"
#include "debug/address_space.h"
#include "machine/firmware/firmware_layout.h"
#include "replaylog/describe.h"

namespace isochron::debug {
namespace {

using timeline::Arrival;

// PC<1:0> are no part of an address.
constexpr uint64_t kPcMask = ~uint64_t{3};
constexpr uint64_t kPalmode = 1;
// A person has fewer; a client that has more means no good.
constexpr size_t kMaxStoppoints = 4096;

bool IsBreakpoint(const Stoppoint& stoppoint) {
  return stoppoint.kind == Stoppoint::Kind::kSoftwareBreakpoint ||
         stoppoint.kind == Stoppoint::Kind::kHardwareBreakpoint;
}

// What kind of instruction it is, for one who wonders where it leads.
enum class Course { kOn, kBranch, kJump };
Course CourseOf(uint32_t instruction) {
  const uint32_t opcode = instruction >> 26;
  if (opcode == 0x1a) return Course::kJump;
  return (opcode & 0x30) == 0x30 ? Course::kBranch : Course::kOn;
}

std::string QuadwordBytes(uint64_t value) {
  return machine::Input::WriteRegister(0, 0, value).bytes;
}

alpha::StopRange RangeOf(const Stoppoint& watchpoint) {
  alpha::StopRange range;
  range.begin = watchpoint.address;
  range.size = watchpoint.size;
  range.reads = watchpoint.kind != Stoppoint::Kind::kWrite;
  range.writes = watchpoint.kind != Stoppoint::Kind::kRead;
  return range;
}

}  // namespace

std::optional<uint64_t> TimelineDebuggee::ReadRegister(int cpu_index, int number) {
  const machine::Machine& machine = timeline_.machine();
  const alpha::Cpu& cpu = machine.cpu(cpu_index);
  if (number <= kGdbZero) return cpu.r[alpha::Cpu::IntegerPlace(number, cpu.shadow_active())];
  if (number < kGdbFpcr) return cpu.f[number - kGdbFloat];
  switch (number) {
    case kGdbFpcr: return cpu.fpcr;
    case kGdbPc: return cpu.pc & kPcMask;
    case kGdbUnique: {
      const uint64_t pcbb = ProcessControlBlock(machine, cpu_index);
      if (pcbb == 0) return std::nullopt;
      return ReadQuadword(machine, pcbb + FW_HWPCB_UNIQUE);
    }
    default: return std::nullopt;
  }
}

std::string TimelineDebuggee::ReadMemory(int cpu, uint64_t address, uint64_t size) {
  std::string bytes = ReadVirtual(timeline_.machine(), cpu, address, size);
  if (!bytes.empty() || size < 4) return bytes;
  if (address != (timeline_.machine().cpu(cpu).pc & kPcMask)) return bytes;
  const std::optional<uint32_t> instruction = InstructionHere(cpu);
  for (int i = 0; instruction.has_value() && i < 4; ++i) {
    bytes.push_back(static_cast<char>(*instruction >> (8 * i)));
  }
  return bytes;
}

std::optional<uint32_t> TimelineDebuggee::InstructionHere(int cpu) {
  if (auto instruction = ReadInstruction(timeline_.machine(), cpu)) return instruction;
  const uint64_t moment = timeline_.machine().moment();
  const uint64_t known_to = timeline_.known_to_moment();
  if (moment == known_to) return std::nullopt;  // nobody knows what comes
  const bool known = ahead_.has_value() && ahead_->cpu == cpu && ahead_->moment == moment &&
                     ahead_->known_to == known_to;
  if (!known) {
    const auto found = FlowStepper(timeline_, cpu, [] { return false; }).FetchAhead();
    ahead_ = Ahead{cpu, moment, known_to, found.ok() ? *found : std::nullopt};
  }
  return ahead_->instruction;
}

absl::Status TimelineDebuggee::CheckWritable() const {
  if (!timeline_.is_live()) {
    return absl::FailedPreconditionError(
        "a replay cannot be changed: what is shown is what was recorded; after monitor branch LOG "
        "it is a run of its own");
  }
  if (timeline_.in_past()) {
    return absl::FailedPreconditionError(
        "the past of a run cannot be changed: monitor goto end leads to where it can be");
  }
  if (!timeline_.run_end().has_value()) return absl::OkStatus();
  return absl::FailedPreconditionError("the run has ended");
}

absl::Status TimelineDebuggee::Inject(machine::Input write) {
  const auto end = timeline_.Inject(std::move(write));
  const bool refused = absl::IsFailedPrecondition(end.status());
  if (!end.ok() && !refused && failure_.ok()) failure_ = end.status();
  return end.status();
}

absl::Status TimelineDebuggee::WriteRegister(int cpu_index, int number, uint64_t value) {
  if (absl::Status status = CheckWritable(); !status.ok()) return status;
  const auto cpu = static_cast<uint8_t>(cpu_index);
  if (number == kGdbUnique) {
    const uint64_t pcbb = ProcessControlBlock(timeline_.machine(), cpu_index);
    if (pcbb == 0) return absl::FailedPreconditionError("there is no process yet");
    return Inject(machine::Input::WriteMemory(cpu, pcbb + FW_HWPCB_UNIQUE, QuadwordBytes(value)));
  }
  if (number == kGdbPc) {
    if ((value & ~kPcMask) != 0) return absl::InvalidArgumentError("no instruction is there");
    value |= timeline_.machine().cpu(cpu_index).pc & kPalmode;
  }
  static_assert(kGdbPc == machine::DebugRegister::kPc && kGdbFpcr == machine::DebugRegister::kFpcr);
  static_assert(kGdbFloat == machine::DebugRegister::kFloat);
  const auto place = static_cast<uint64_t>(number);
  if (!machine::DebugRegister::IsOne(place)) {
    return absl::InvalidArgumentError("that register cannot be written");
  }
  return Inject(machine::Input::WriteRegister(cpu, place, value));
}

absl::Status TimelineDebuggee::WriteMemory(int cpu, uint64_t address, std::string_view bytes) {
  if (absl::Status status = CheckWritable(); !status.ok()) return status;
  // All or nothing: first it is found where they go.
  std::vector<machine::Input> writes;
  while (!bytes.empty()) {
    const std::optional<Place> place = FindPlace(timeline_.machine(), cpu, address);
    const size_t part =
        std::min<uint64_t>(bytes.size(), alpha::kPageSize - (address & alpha::kPageMask));
    if (!place.has_value() || !timeline_.machine().memory().Contains(place->pa, part)) {
      return absl::InvalidArgumentError(absl::StrCat("0x", absl::Hex(address), " is ",
                                                     place.has_value() ? "no RAM" : "not mapped"));
    }
    writes.push_back(machine::Input::WriteMemory(static_cast<uint8_t>(cpu), place->pa,
                                                 std::string(bytes.substr(0, part))));
    address += part;
    bytes.remove_prefix(part);
  }
  for (machine::Input& write : writes) {
    if (absl::Status status = Inject(std::move(write)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TimelineDebuggee::Insert(const Stoppoint& stoppoint) {
  if (IsBreakpoint(stoppoint) && (stoppoint.address & ~kPcMask) != 0) {
    return absl::InvalidArgumentError("no instruction begins there");
  }
  if (stoppoint.size == 0) return absl::InvalidArgumentError("nothing is watched: no bytes");
  if (stoppoint.address > std::numeric_limits<uint64_t>::max() - (stoppoint.size - 1)) {
    return absl::InvalidArgumentError("it goes beyond the last address");
  }
  if (std::find(stoppoints_.begin(), stoppoints_.end(), stoppoint) != stoppoints_.end()) {
    return absl::OkStatus();
  }
  if (stoppoints_.size() == kMaxStoppoints) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there are ", kMaxStoppoints, " breakpoints and watchpoints already"));
  }
  stoppoints_.push_back(stoppoint);
  return absl::OkStatus();
}

absl::Status TimelineDebuggee::Remove(const Stoppoint& stoppoint) {
  std::erase(stoppoints_, stoppoint);
  return absl::OkStatus();
}

machine::StopCondition TimelineDebuggee::Condition() const {
  machine::StopCondition condition;
  for (const Stoppoint& stoppoint : stoppoints_) {
    if (!IsBreakpoint(stoppoint)) {
      condition.ranges.push_back(RangeOf(stoppoint));
      continue;
    }
    condition.pcs.push_back(stoppoint.address);
    if (timeline_.machine().memory().Contains(stoppoint.address)) {
      condition.pcs.push_back(stoppoint.address | kPalmode);
    }
  }
  for (const alpha::StopRange& watch : monitor_.watches()) condition.ranges.push_back(watch);
  return condition;
}

const Stoppoint* TimelineDebuggee::GuessedStep(int cpu_index) {
  const alpha::Cpu& cpu = timeline_.machine().cpu(cpu_index);
  const std::optional<uint32_t> instruction = InstructionHere(cpu_index);
  if (!instruction.has_value()) return nullptr;
  const uint64_t next = (cpu.pc & kPcMask) + 4;
  uint64_t target = next;
  switch (CourseOf(*instruction)) {
    case Course::kOn: break;
    case Course::kJump: {
      const int rb = static_cast<int>(*instruction >> 16 & 31);
      target = cpu.r[alpha::Cpu::IntegerPlace(rb, cpu.shadow_active())] & kPcMask;
      break;
    }
    case Course::kBranch: {
      const auto words = static_cast<int32_t>(*instruction << 11) >> 11;
      target = next + 4 * static_cast<uint64_t>(static_cast<int64_t>(words));
      break;
    }
  }
  for (const Stoppoint& stoppoint : stoppoints_) {
    if (!IsBreakpoint(stoppoint)) continue;
    if (stoppoint.address == target || stoppoint.address == next) return &stoppoint;
  }
  return nullptr;
}

absl::StatusOr<std::optional<StepEnd>> TimelineDebuggee::StepTo(const Stoppoint& guess,
                                                                int cpu_index,
                                                                FlowStepper& stepper) {
  const alpha::Cpu& cpu = timeline_.machine().cpu(cpu_index);
  // Of branches gdb knows where they lead, unless something comes between.
  const bool predictable = CourseOf(*InstructionHere(cpu_index)) != Course::kOn;
  const bool outside = !cpu.pal_mode();
  machine::StopCondition also = Condition();
  if (!monitor_.exact_steps() || cpus() != 1) {
    // Other flows may come there, too, and other CPUs.
    std::erase_if(also.pcs, [&](uint64_t pc) { return (pc & kPcMask) == guess.address; });
  }
  absl::StatusOr<StepEnd> end =
      monitor_.exact_steps() ? stepper.ForwardExact(also) : stepper.Forward(also);
  if (!end.ok()) return end.status();
  if (end->arrival != Arrival::kThere || end->met) return *end;
  if ((cpu.pc & kPcMask) == guess.address) {
    end->met = end->stepped_there = true;
    end->cpu = cpu_index;
  } else if (predictable && !(outside && cpu.pal_mode())) {
    return std::nullopt;
  }
  return *end;
}

absl::StatusOr<StepEnd> TimelineDebuggee::Continue(const Resume& resume,
                                                   const std::function<bool()>& interrupted) {
  if (!resume.backward) {
    if (const Stoppoint* const guess = GuessedStep(resume.cpu)) {
      FlowStepper stepper = Stepper(resume.cpu, interrupted);
      const absl::StatusOr<std::optional<StepEnd>> step = StepTo(*guess, resume.cpu, stepper);
      if (!step.ok()) return step.status();
      if (step->has_value()) return **step;
    }
  }
  const machine::StopCondition condition = Condition();
  Stops& stops = monitor_.stops();
  const bool anything = !condition.pcs.empty() || !condition.ranges.empty() || !stops.empty();
  absl::StatusOr<Arrival> arrival;
  if (!resume.backward) {
    arrival = timeline_.RunForward(condition, stops);
  } else if (anything) {
    arrival = timeline_.RunBackward(condition, stops);
  } else {
    arrival = timeline_.GoToMoment(0);
    if (arrival.ok() && *arrival == Arrival::kThere) arrival = Arrival::kBegin;
  }
  if (!arrival.ok()) return arrival.status();
  return MetAt(timeline_, *arrival, /*at_pc=*/true);
}

FlowStepper TimelineDebuggee::Stepper(int cpu, const std::function<bool()>& interrupted) {
  return FlowStepper(timeline_, cpu, interrupted,
                     monitor_.stops().empty() ? nullptr : &monitor_.stops());
}

absl::StatusOr<StepEnd> TimelineDebuggee::Step(const Resume& resume,
                                               const std::function<bool()>& interrupted) {
  FlowStepper stepper = Stepper(resume.cpu, interrupted);
  const machine::StopCondition also = Condition();
  for (uint64_t steps = 1;; ++steps) {
    absl::StatusOr<StepEnd> end;
    if (monitor_.exact_steps()) {
      end = resume.backward ? stepper.BackwardExact(also) : stepper.ForwardExact(also);
    } else {
      end = resume.backward ? stepper.Backward(also) : stepper.Forward(also);
    }
    if (!end.ok() || end->arrival != Arrival::kThere || end->met) return end;
    const uint64_t pc = timeline_.machine().cpu(resume.cpu).pc & kPcMask;
    const bool within = pc >= resume.begin && pc < resume.end;
    if (resume.kind != Resume::Kind::kRange || !within) return end;
    if (steps % 64 == 0 && interrupted()) return StepEnd{Arrival::kInterrupted, false, {}, {}};
  }
}

StopReport TimelineDebuggee::Go(const Resume& resume, const std::function<bool()>& interrupted) {
  timeline_.SetInterrupt(interrupted);
  StopReport report =
      Report(resume.cpu, resume.kind == Resume::Kind::kContinue ? Continue(resume, interrupted)
                                                                : Step(resume, interrupted));
  timeline_.SetInterrupt(nullptr);
  return report;
}

StopReport TimelineDebuggee::Restart(const std::function<bool()>& interrupted) {
  timeline_.SetInterrupt(interrupted);
  const absl::StatusOr<Arrival> arrival = timeline_.GoToMoment(0);
  timeline_.SetInterrupt(nullptr);
  if (!arrival.ok()) return Report(0, arrival.status());
  return Report(0, StepEnd{*arrival, false, std::nullopt, std::nullopt});
}

StopReport TimelineDebuggee::Report(int cpu, const absl::StatusOr<StepEnd>& end) {
  StopReport report;
  report.cpu = cpu;
  if (absl::IsFailedPrecondition(end.status())) {  // there is no way there
    report.reason = StopReport::Reason::kBegin;
    report.message = absl::StrCat("isochron: ", end.status().message(), "\n");
    return report;
  }
  if (!end.ok()) {
    if (failure_.ok()) failure_ = end.status();
    report.message = absl::StrCat("isochron: ", end.status().message(), "\n");
    return report;
  }
  switch (end->arrival) {
    case Arrival::kThere:
      if (end->met) ReportMet(*end, report);
      break;
    case Arrival::kBegin: report.reason = StopReport::Reason::kBegin; break;
    case Arrival::kEnd:
      report.reason = StopReport::Reason::kEnd;
      if (timeline_.is_live()) {
        const std::string_view how = replaylog::EndKindName(timeline_.run_end()->kind);
        report.message = absl::StrCat("isochron: the run has ended: ", std::string(how), "\n");
      }
      break;
    case Arrival::kInterrupted: report.reason = StopReport::Reason::kInterrupted; break;
  }
  return report;
}

void TimelineDebuggee::ReportMet(const StepEnd& end, StopReport& report) {
  report.cpu = end.cpu.value_or(report.cpu);
  if (end.selected.has_value()) {
    for (const absl::string_view line : absl::StrSplit(*end.selected, '\n')) {
      absl::StrAppend(&report.message, "isochron: ", line, "\n");
    }
  }
  const machine::Machine& machine = timeline_.machine();
  const uint64_t pc = machine.cpu(report.cpu).pc & kPcMask;
  const bool at_pc = end.stepped_there || machine.next_cpu() == report.cpu;
  for (const Stoppoint& stoppoint : stoppoints_) {
    if (IsBreakpoint(stoppoint)) {
      // A run that was to stop elsewhere may be at a breakpoint, too.
      if (end.reference.has_value() || !at_pc || stoppoint.address != pc) continue;
    } else {
      if (!end.reference.has_value() || !RangeOf(stoppoint).Covers(*end.reference)) continue;
      // gdb looks for a watchpoint that has this address.
      report.address = std::max(end.reference->va.value_or(0), stoppoint.address);
    }
    report.reason = StopReport::Reason::kStoppoint;
    report.stoppoint = stoppoint;
    return;
  }
  if (end.reference.has_value()) {
    absl::StrAppend(&report.message,
                    "isochron: ", DescribeReference(*end.reference, monitor_.symbols()), "\n");
  }
}

std::string TimelineDebuggee::Monitor(int cpu, std::string_view command,
                                      const std::function<bool()>& interrupted) {
  timeline_.SetInterrupt(interrupted);
  const absl::StatusOr<std::string> answer = monitor_.Run(cpu, command);
  timeline_.SetInterrupt(nullptr);
  if (answer.ok()) return *answer;
  const bool recording = absl::IsAborted(answer.status()) || absl::IsDataLoss(answer.status());
  if (recording && failure_.ok()) failure_ = answer.status();
  return absl::StrCat("error: ", answer.status().message(), "\n");
}

}  // namespace isochron::debug
