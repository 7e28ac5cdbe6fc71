#include "debug/stops.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/exceptions.h"
#include "debug/address_space.h"
#include "debug/calling_standard.h"
#include "debug/osf_calls.h"
#include "debug/system_calls.h"
#include "replaylog/event.h"

namespace isochron::debug {
namespace {

using alpha::Cpu;
using machine::StopCondition;
using machine::StopReasons;
using timeline::Arrival;
using timeline::Selection;
using timeline::Timeline;

// Longer texts are refused.
constexpr size_t kMaxText = 4096;
// How far back it is looked how PALmode was entered, in instructions: as a rule PALcode is short,
// and it is never longer than the last.
constexpr uint64_t kPalcodeSpans[] = {uint64_t{1} << 6, uint64_t{1} << 11, uint64_t{1} << 16};

bool Contains(const std::vector<uint64_t>& pcs, uint64_t pc) {
  return std::find(pcs.begin(), pcs.end(), pc) != pcs.end();
}

// The call that is returned from, at PALcode's first instruction for that. What is returned from is
// none, but an exception or interrupt, where another instruction is in front of the place.
std::optional<SystemCallKey> CallReturned(const machine::Machine& machine, int cpu) {
  const std::optional<SystemCallKey> key = SystemCallReturned(machine, cpu);
  if (!key.has_value()) return std::nullopt;
  const std::optional<uint32_t> instruction = ReadProgramInstruction(machine, cpu, key->pc - 4);
  // CALL_PAL has opcode 0.
  return instruction.value_or(osf::kCallsys) == osf::kCallsys ? key : std::nullopt;
}

// The last place at which a system call was made, or returned from.
class CallSearch final : public timeline::StopSelector {
 public:
  explicit CallSearch(const SystemCallKey& key) : key_(key) {}

  absl::Status Begin(Timeline&, bool) override { return absl::OkStatus(); }
  StopCondition Candidates(const Timeline& timeline) override {
    return AtPcsOfAll(timeline.machine(), SystemCallPcs);
  }
  absl::Status Select(Timeline& timeline, const StopReasons& met,
                      std::vector<Selection>& selected) override {
    const machine::Machine& machine = timeline.machine();
    if (!met.pc) return absl::OkStatus();
    const int index = CpuHere(machine);
    const Cpu& cpu = machine.cpu(index);
    const bool made = AtSystemCall(cpu) && SystemCallMade(machine, index) == key_;
    const bool returned = AtSystemReturn(cpu) && CallReturned(machine, index) == key_;
    if (made || returned) selected.push_back({machine.moment(), std::nullopt, ""});
    return absl::OkStatus();
  }

 private:
  const SystemCallKey key_;
};

// At PALcode's first instruction for it.
StopCondition AtCallPal(const machine::Machine& machine, uint32_t function) {
  return AtPcsOfAll(machine, [function](const Cpu& cpu) {
    return std::vector<uint64_t>{alpha::CallPalPc(cpu, function)};
  });
}

// Whose instructions a timeline is to count.
int Counted(const machine::Machine& machine, int cpu) {
  return machine.cpu_count() == 1 ? Timeline::kAnyCpu : cpu;
}

bool IsOfEvents(const Stop& stop) {
  return stop.kind == Stop::Kind::kEvent || stop.kind == Stop::Kind::kFrame ||
         stop.kind == Stop::Kind::kText;
}

// The CPU to which it happens; nothing when that is the machine, of several.
std::optional<int> WhoseIs(const machine::Event& event, const machine::Machine& machine) {
  if (machine.cpu_count() == 1) return 0;
  const auto* const input = std::get_if<machine::InputEvent>(&event.body);
  const bool written = input != nullptr && input->input.kind == machine::InputKind::kWrite;
  if (written || std::holds_alternative<machine::InterruptEvent>(event.body)) return event.cpu;
  return std::nullopt;
}

// Of the bits of Stop::value for frames, the one that the event is.
uint64_t FramesOf(const machine::Event& event) {
  if (std::holds_alternative<machine::FrameEvent>(event.body)) return kSentFrames;
  const auto* const input = std::get_if<machine::InputEvent>(&event.body);
  const bool received = input != nullptr && input->input.kind == machine::InputKind::kFrame;
  return received ? kReceivedFrames : 0;
}

}  // namespace

void Stops::Tail::OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) {
  const char sent = static_cast<char>(byte);
  Add(uart, {&sent, 1});
  if (next_ != nullptr) next_->OnConsoleByte(uart, cycle, byte);
}

void Stops::Tail::Add(int uart, std::string_view bytes) {
  std::string& sent = sent_[static_cast<size_t>(uart)];
  sent.append(bytes);
  if (sent.size() > 2 * kMaxText) sent.erase(0, sent.size() - kMaxText);
}

bool Stops::Tail::EndsWith(int uart, std::string_view text) const {
  return std::string_view(sent_[static_cast<size_t>(uart)]).ends_with(text);
}

Stops::Stops(Timeline& timeline) : timeline_(timeline) {
  if (timeline.is_live()) BecomeLive();
}

Stops::~Stops() {
  if (follows_console_) timeline_.SetConsoleSink(tail_.next());
}

const Cpu& Stops::cpu() const { return timeline_.machine().cpu(CpuHere(timeline_.machine())); }

absl::Status Stops::PrepareLive() {
  tail_ = Tail();
  return timeline_.ReadPast([&](const replaylog::Event& event) {
    const auto* const output = std::get_if<replaylog::OutputRun>(&event.body);
    if (output != nullptr && output->uart < kUarts) tail_.Add(output->uart, output->bytes);
  });
}

void Stops::BecomeLive() {
  tail_.SetNext(timeline_.machine().console_sink());
  timeline_.SetConsoleSink(&tail_);
  follows_console_ = true;
}

absl::StatusOr<uint64_t> Stops::Add(Stop stop) {
  if (stops_.size() == kMaxStops) {
    return absl::ResourceExhaustedError(absl::StrCat("there are ", kMaxStops, " stops already"));
  }
  if (stop.bytes.size() > kMaxText) {
    return absl::InvalidArgumentError(absl::StrCat("a text has at most ", kMaxText, " bytes"));
  }
  Kept kept{std::move(stop), {}};
  if (kept.stop.kind == Stop::Kind::kText && !timeline_.is_live()) {
    if (absl::Status status = FindText(kept); !status.ok()) return status;
  }
  stops_[next_number_] = std::move(kept);
  texts_known_to_.reset();
  Forget(here());
  last_ = machine::kNever;  // what has led here it has not seen
  return next_number_++;
}

std::string Stops::List() const {
  std::string list;
  for (const auto& [number, kept] : stops_) {
    absl::StrAppend(&list, number, ": ", kept.stop.name, "\n");
  }
  return list;
}

absl::Status Stops::FindTexts() {
  if (!timeline_.in_past() || texts_known_to_ == timeline_.known_to()) return absl::OkStatus();
  for (auto& [number, kept] : stops_) {
    if (kept.stop.kind != Stop::Kind::kText) continue;
    if (absl::Status status = FindText(kept); !status.ok()) return status;
  }
  texts_known_to_ = timeline_.known_to();
  return absl::OkStatus();
}

absl::Status Stops::FindText(Kept& kept) {
  kept.completed.clear();
  std::string sent;
  return timeline_.ReadEvents([&](const replaylog::Event& event) {
    const auto* const output = std::get_if<replaylog::OutputRun>(&event.body);
    if (output == nullptr || output->uart != kept.stop.uart) return true;
    uint64_t cycle = event.cycle;
    for (size_t i = 0; i < output->bytes.size(); ++i) {
      if (i > 0) cycle += output->deltas[i - 1];
      sent.push_back(output->bytes[i]);
      if (sent.ends_with(kept.stop.bytes)) kept.completed.insert(cycle);
    }
    if (sent.size() > kMaxText) sent.erase(0, sent.size() - kMaxText);
    return true;
  });
}

void Stops::Forget(uint64_t moment) {
  open_.clear();
  returning_.clear();
  begin_ = last_ = moment;
}

bool Stops::Any(Stop::Kind kind, bool after) const {
  return std::any_of(stops_.begin(), stops_.end(), [&](const auto& one) {
    return one.second.stop.kind == kind && one.second.stop.after == after;
  });
}

std::optional<uint64_t> Stops::CallPlace() const {
  const uint64_t now = here();
  // Of several CPUs others may have executed something since.
  if (timeline_.machine().cpu_count() != 1) return now;
  const uint64_t before = now - CallPalCycles();
  if (forward_) {
    if (before <= began_) return std::nullopt;
    return Makes() ? now : before;
  }
  if (Makes() && stopped_inside_ == now) return std::nullopt;
  return before;
}

absl::Status Stops::Begin(Timeline& timeline, bool forward) {
  forward_ = forward;
  began_ = here();
  if (absl::Status status = FindTexts(); !status.ok()) return status;
  if (forward && here() == last_) return absl::OkStatus();
  Forget(here());
  const machine::Machine& machine = timeline.machine();
  std::map<int, Inside> inside;
  for (int cpu = 0; AnyAfter() && cpu < machine.cpu_count(); ++cpu) {
    if (machine.cpu(cpu).pal_mode()) inside[cpu].left = inside_[cpu].left;
  }
  inside_ = forward ? std::map<int, Inside>() : inside;
  const bool looks_back =
      forward && !inside.empty() && timeline.CheckHistory().ok() && !timeline.run_end().has_value();
  return looks_back ? LookBack(timeline) : absl::OkStatus();
}

bool Stops::MayHaveMissed(uint64_t behind, uint64_t before) const {
  return std::any_of(inside_.begin(), inside_.end(), [&](const auto& one) {
    return one.second.left >= behind && one.second.left < before;
  });
}

absl::Status Stops::LookBack(Timeline& timeline) {
  const uint64_t from = here();
  const machine::Machine& machine = timeline.machine();
  std::vector<std::pair<int, uint64_t>> inside;  // CPUs, and what they have retired
  for (int cpu = 0; cpu < machine.cpu_count(); ++cpu) {
    if (machine.cpu(cpu).pal_mode()) inside.emplace_back(cpu, machine.cpu(cpu).instructions);
  }
  std::map<std::pair<uint64_t, int>, std::string> found;
  absl::Status status;
  for (const auto& [cpu, instructions] : inside) {
    status = FollowPalcode(timeline, cpu, instructions);
    if (!status.ok()) break;
    const int which = cpu;
    std::erase_if(returning_, [which](const auto& one) { return one.first.second != which; });
    found.merge(returning_);
  }
  const absl::Status back = timeline.ComeBack(from);
  Forget(from);
  if (!back.ok()) return back;
  if (!status.ok()) return status;
  returning_ = std::move(found);
  // A run does not look at where it begins.
  return machine.next_cpu().has_value() ? Follow(timeline) : absl::OkStatus();
}

absl::Status Stops::FollowPalcode(Timeline& timeline, int cpu, uint64_t instructions) {
  const machine::Machine& machine = timeline.machine();
  const int which = Counted(machine, cpu);
  const auto arrived = [](const absl::StatusOr<Arrival>& arrival) {
    if (!arrival.ok()) return arrival.status();
    const bool interrupted = *arrival == Arrival::kInterrupted;
    return interrupted ? absl::CancelledError("interrupted") : absl::OkStatus();
  };
  for (const uint64_t span : kPalcodeSpans) {
    const absl::Status status =
        arrived(timeline.GoToInstruction(instructions - std::min(instructions, span), which));
    if (!status.ok()) return status;
    if (!machine.cpu(cpu).pal_mode()) break;
  }
  Forget(here());
  while (machine.cpu(cpu).instructions < instructions) {
    StopCondition next = Candidates(timeline);
    next.Add(Timeline::AtRetired(which, instructions));
    absl::Status status = arrived(timeline.RunForward(next));
    std::vector<Selection> passed;
    if (status.ok()) status = Select(timeline, machine.stopped_by(), passed);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

StopCondition Stops::Candidates(const Timeline& timeline) {
  const machine::Machine& machine = timeline.machine();
  StopCondition all;
  uint32_t entries = 0;
  for (const auto& [number, kept] : stops_) {
    const Stop& stop = kept.stop;
    switch (stop.kind) {
      case Stop::Kind::kPc: all.pcs.push_back(*stop.value); break;
      case Stop::Kind::kEvent: all.events |= uint32_t{1} << *stop.value; break;
      case Stop::Kind::kFrame:
        if ((*stop.value & kSentFrames) != 0) {
          all.events |= StopCondition::AtEvent<machine::FrameEvent>().events;
        }
        if ((*stop.value & kReceivedFrames) != 0) {
          all.events |= StopCondition::AtEvent<machine::InputEvent>().events;
        }
        break;
      case Stop::Kind::kText:
        all.events |= StopCondition::AtEvent<machine::OutputEvent>().events;
        break;
      case Stop::Kind::kException: entries |= static_cast<uint32_t>(*stop.value); break;
      case Stop::Kind::kMachineCheck: entries |= uint32_t{1} << kEntInt; break;
      case Stop::Kind::kTlbMiss:
        for (const TlbMiss miss : {TlbMiss::kItb, TlbMiss::kDtb, TlbMiss::kPageTable}) {
          if ((*stop.value >> static_cast<int>(miss) & 1) == 0) continue;
          all.Add(AtPcsOfAll(machine, [&](const Cpu& cpu) { return TlbMissPcs(cpu, miss); }));
        }
        break;
      case Stop::Kind::kSystemCall:
        if (stop.after) {
          all.Add(AtPcsOfAll(machine, SystemCallPcs));
        } else {
          all.Add(AtCallPal(machine, osf::kCallsys));
        }
        break;
      case Stop::Kind::kCallPal:
        all.Add(AtCallPal(machine, static_cast<uint32_t>(*stop.value)));
        break;
    }
  }
  if (entries != 0) all.Add(AtSystemEntries(machine, entries));
  std::array<bool, machine::MachineConfig::kMaxCpus> steps = {};
  for (const auto& [whose, more] : returning_) steps[static_cast<size_t>(whose.second)] = true;
  for (const auto& [cpu, inside] : inside_) {
    if (inside.still) steps[static_cast<size_t>(cpu)] = true;
  }
  for (int cpu = 0; cpu < machine.cpu_count(); ++cpu) {
    if (!steps[static_cast<size_t>(cpu)]) continue;
    all.Add(Timeline::AtRetired(Counted(machine, cpu), machine.cpu(cpu).instructions + 1));
  }
  return all;
}

bool Stops::IsEventHere(const Kept& kept, const machine::Event& event) const {
  const Stop& stop = kept.stop;
  const auto* const output = std::get_if<machine::OutputEvent>(&event.body);
  if (stop.kind == Stop::Kind::kEvent) {
    if (event.body.index() != *stop.value) return false;
    return output == nullptr || output->uart == stop.uart;
  }
  if (stop.kind == Stop::Kind::kFrame) return (FramesOf(event) & *stop.value) != 0;
  if (output == nullptr || output->uart != stop.uart) return false;
  return Makes() ? tail_.EndsWith(stop.uart, stop.bytes) : kept.completed.contains(event.cycle);
}

bool Stops::IsHere(const Stop& stop, const StopReasons& met) const {
  switch (stop.kind) {
    case Stop::Kind::kPc: return met.pc && cpu().pc == *stop.value;
    case Stop::Kind::kException: return met.pc && (EntriesHere() & *stop.value) != 0;
    case Stop::Kind::kMachineCheck:
      return met.pc && (EntriesHere() >> kEntInt & 1) != 0 &&
             cpu().r[kFirstArgument] == kMachineCheckType;
    case Stop::Kind::kTlbMiss:
      for (const TlbMiss miss : {TlbMiss::kItb, TlbMiss::kDtb, TlbMiss::kPageTable}) {
        if ((*stop.value >> static_cast<int>(miss) & 1) == 0) continue;
        if (met.pc && Contains(TlbMissPcs(cpu(), miss), cpu().pc)) return true;
      }
      return false;
    case Stop::Kind::kEvent:
    case Stop::Kind::kFrame:
    case Stop::Kind::kText:
    case Stop::Kind::kSystemCall:
    case Stop::Kind::kCallPal: break;
  }
  return false;
}

bool Stops::IsCallHere(const Stop& stop) const {
  if (stop.kind == Stop::Kind::kCallPal) {
    return cpu().pc == alpha::CallPalPc(cpu(), static_cast<uint32_t>(*stop.value));
  }
  return stop.kind == Stop::Kind::kSystemCall && AtSystemCall(cpu()) &&
         stop.value.value_or(cpu().r[kResultRegister]) == cpu().r[kResultRegister];
}

std::string Stops::CallText() const {
  const uint64_t pc = alpha::CallPalReturn(cpu()) - 4;
  if (!AtSystemCall(cpu())) return absl::StrFormat(", at %#x", pc);
  const uint64_t number = cpu().r[kResultRegister];
  std::string text = absl::StrCat(": ", number, " ", std::string(SystemCallName(number)), "(");
  for (int i = 0; i < kArguments; ++i) {
    absl::StrAppendFormat(&text, "%s%#x", i == 0 ? "" : ", ", cpu().r[kFirstArgument + i]);
  }
  return absl::StrCat(text, absl::StrFormat(") at %#x", pc));
}

void Stops::Choose(uint64_t number, const Kept& kept, std::optional<int> whose, uint64_t moment,
                   const std::string& more, std::vector<timeline::Selection>& selected) const {
  const machine::Machine& machine = timeline_.machine();
  const int asked = whose.value_or(CpuHere(machine));
  if (kept.stop.asn.has_value() && *kept.stop.asn != machine.cpu(asked).asn) return;
  const bool named = machine.cpu_count() != 1 && whose.has_value();
  const std::string cpu = named ? absl::StrCat(", CPU ", *whose) : "";
  selected.push_back({moment, std::nullopt,
                      absl::StrCat("stop ", number, ": ", kept.stop.name, cpu, more), whose});
}

void Stops::ChooseEvents(uint64_t number, const Kept& kept, const StopReasons& met,
                         std::vector<Selection>& selected) const {
  std::set<std::optional<int>> told;
  for (const machine::Event& event : met.events) {
    const std::optional<int> whose = WhoseIs(event, timeline_.machine());
    const bool is_new = IsEventHere(kept, event) && told.insert(whose).second;
    if (is_new) Choose(number, kept, whose, here(), "", selected);
  }
}

absl::Status Stops::Select(Timeline& timeline, const StopReasons& met,
                           std::vector<Selection>& selected) {
  const uint64_t here = this->here();
  for (auto one = returning_.begin(); one != returning_.end();) {
    const auto [number, cpu] = one->first;
    if (timeline.machine().cpu(cpu).pal_mode()) {
      ++one;
      continue;
    }
    const auto kept = stops_.find(number);
    if (kept != stops_.end()) Choose(number, kept->second, cpu, here, one->second, selected);
    one = returning_.erase(one);
  }
  for (auto& [cpu, inside] : inside_) {
    if (!inside.still || timeline.machine().cpu(cpu).pal_mode()) continue;
    inside = {false, here};
  }
  const int which = CpuHere(timeline.machine());
  bool called_here = false;
  for (const auto& [number, kept] : stops_) {
    if (IsOfEvents(kept.stop)) ChooseEvents(number, kept, met, selected);
    if (IsHere(kept.stop, met)) Choose(number, kept, which, here, "", selected);
    if (!met.pc || kept.stop.after || !IsCallHere(kept.stop)) continue;
    const std::optional<uint64_t> place = CallPlace();
    if (!place.has_value()) continue;
    const size_t others = selected.size();
    Choose(number, kept, which, *place, CallText(), selected);
    if (*place == here && selected.size() > others) called_here = true;
  }
  if (called_here) stopped_inside_ = here;
  absl::Status status = met.pc ? Follow(timeline) : absl::OkStatus();
  last_ = here;
  return status;
}

absl::Status Stops::Follow(Timeline& timeline) {
  const int which = CpuHere(timeline.machine());
  std::optional<uint64_t> returned;
  std::string result;
  if (Any(Stop::Kind::kSystemCall, true)) {
    if (AtSystemCall(cpu())) {
      open_[SystemCallMade(timeline.machine(), which)] = cpu().r[kResultRegister];
    } else if (AtSystemReturn(cpu())) {
      const absl::StatusOr<std::optional<uint64_t>> call = TakeCall(timeline);
      if (!call.ok()) return call.status();
      returned = *call;
      if (returned.has_value()) {
        result =
            absl::StrFormat(": %d %s = %#x%s", *returned, std::string(SystemCallName(*returned)),
                            cpu().r[kResultRegister], cpu().r[kErrorFlag] != 0 ? " (error)" : "");
      }
    }
  }
  for (const auto& [number, kept] : stops_) {
    if (!kept.stop.after) continue;
    if (kept.stop.kind == Stop::Kind::kSystemCall) {
      const bool wanted = returned.has_value() && kept.stop.value.value_or(*returned) == *returned;
      if (wanted) returning_[{number, which}] = result;
    } else if (IsCallHere(kept.stop)) {
      returning_[{number, which}] = CallText();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<uint64_t>> Stops::TakeCall(Timeline& timeline) {
  const std::optional<SystemCallKey> key =
      CallReturned(timeline.machine(), CpuHere(timeline.machine()));
  if (!key.has_value()) return std::nullopt;
  if (const auto found = open_.extract(*key); !found.empty()) return found.mapped();
  if (!timeline.CheckHistory().ok() || begin_ == 0) return std::nullopt;
  return FindCall(timeline, *key);
}

absl::StatusOr<std::optional<uint64_t>> Stops::FindCall(Timeline& timeline,
                                                        const SystemCallKey& key) const {
  const uint64_t from = here();
  // A search does not look at where it begins.
  absl::StatusOr<Arrival> arrival = timeline.GoToMoment(begin_ + 1);
  CallSearch search(key);
  if (arrival.ok() && *arrival == Arrival::kThere) arrival = timeline.RunBackward({}, search);
  std::optional<uint64_t> number;
  if (arrival.ok() && *arrival == Arrival::kThere && AtSystemCall(cpu())) {
    number = cpu().r[kResultRegister];
  }
  const absl::Status back = timeline.ComeBack(from);
  if (!arrival.ok()) return arrival.status();
  if (!back.ok()) return back;
  if (*arrival == Arrival::kInterrupted) return absl::CancelledError("interrupted");
  return number;
}

}  // namespace isochron::debug
