#include "conformance/compare/machine_twins.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>
#include <thread>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/fetch_word.h"
#include "alpha/state_list.h"
#include "alpha/state_visitor.h"
#include "hostio/child_process.h"
#include "hostio/thread.h"
#include "machine/events/input.h"
#include "timeline/debugger_write.h"

namespace isochron::conformance {

// The inputs of a recorded run.
class RepeatingMachine::Inputs final : public machine::InputSource {
 public:
  explicit Inputs(const RecordedRun& run) : events_(run.events) {}

  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    for (; const replaylog::Event* event = NextInput(point.cycle); ++next_) {
      if (timeline::IsDebuggerWrite(*event)) return;
      inputs.push_back(std::get<replaylog::InputEvent>(event->body).input);
    }
  }

  uint64_t NextStop(uint64_t cycle, uint64_t until) override {
    for (size_t i = next_; i < events_.size() && events_[i].cycle <= until; ++i) {
      if (timeline::IsDebuggerWrite(events_[i])) return std::max(cycle, events_[i].cycle);
    }
    return until;
  }

  std::optional<machine::Input> TakeDebugged(const machine::InputPoint& point) override {
    const replaylog::Event* const event = NextInput(point.cycle);
    if (event == nullptr || !timeline::IsDebuggerWrite(*event)) return std::nullopt;
    ++next_;
    machine::Input write = std::get<replaylog::InputEvent>(event->body).input;
    write.cpu = event->cpu;
    return write;
  }

 private:
  // The next that comes up to this cycle; nullptr when there is none.
  const replaylog::Event* NextInput(uint64_t cycle) {
    for (; next_ < events_.size() && events_[next_].cycle <= cycle; ++next_) {
      if (events_[next_].is_input()) return &events_[next_];
    }
    return nullptr;
  }

  const std::vector<replaylog::Event>& events_;
  size_t next_ = 0;
};

RepeatingMachine::RepeatingMachine() = default;
RepeatingMachine::~RepeatingMachine() = default;

absl::StatusOr<std::unique_ptr<RepeatingMachine>> RepeatingMachine::Create(
    const RecordedRun& run, const engines::NamedEngine& engine) {
  std::unique_ptr<RepeatingMachine> repeating(new RepeatingMachine);
  absl::StatusOr<std::unique_ptr<machine::Machine>> machine =
      machine::Machine::Create(run.config, run.images, engine.factory);
  if (!machine.ok()) return machine.status();
  repeating->machine_ = *std::move(machine);
  repeating->inputs_ = std::make_unique<Inputs>(run);
  repeating->machine_->SetInputSource(repeating->inputs_.get());
  return repeating;
}

void RepeatingMachine::RunTo(uint64_t moment) {
  if (!ended_) ended_ = machine_->RunUntil(machine::StopCondition::AtMoment(moment)).has_value();
}

void RepeatingMachine::RunToCycle(uint64_t cycle) {
  if (!ended_) ended_ = machine_->RunUntil(machine::StopCondition::AtCycle(cycle)).has_value();
}

namespace {

constexpr size_t kShownWords = 16;
constexpr size_t kShownFields = 16;

std::string ValueOf(const alpha::StateField* field) {
  if (field == nullptr) return "none";
  return absl::StrFormat("0x%0*x", static_cast<int>(2 * field->size), field->value);
}

void AppendFieldDifferences(const machine::Machine& first, const machine::Machine& second,
                            uint32_t cpu, std::string& text) {
  const std::vector<std::string> lines = FieldDifferences(first, second, cpu);
  for (size_t i = 0; i < lines.size() && i < kShownFields; ++i) text += lines[i];
  if (lines.size() > kShownFields) {
    absl::StrAppend(&text, "* ", lines.size() - kShownFields, " more fields differ\n");
  }
}

// Compares RAM page by page, by contents and by what the digests know.
void CompareMemory(machine::Machine& first, machine::Machine& second, TwinState& state) {
  first.StateDigest();
  second.StateDigest();
  const std::vector<machine::Digest>& a = first.memory_digest().pages();
  const std::vector<machine::Digest>& b = second.memory_digest().pages();
  for (uint64_t page = 0; page < a.size(); ++page) {
    const uint64_t base = page << alpha::kPageShift;
    const uint8_t* p = first.memory().host(base);
    const uint8_t* q = second.memory().host(base);
    const bool same = std::memcmp(p, q, alpha::kPageSize) == 0;
    if (same && a[page] != b[page]) {
      absl::StrAppendFormat(
          &state.other, "* the page at 0x%x is the same, but one engine has not marked it dirty\n",
          base);
    }
    if (same) continue;
    for (uint64_t offset = 0; offset < alpha::kPageSize; offset += 8) {
      const auto x = first.memory().Load<uint64_t>(base + offset);
      const auto y = second.memory().Load<uint64_t>(base + offset);
      if (x == y) continue;
      ++state.memory_words;
      if (state.memory.size() < kShownWords) state.memory.push_back({base + offset, x, y});
    }
  }
}

// The instruction that is executed next; nothing where that is not known, or, unless `any`, where a
// CPU waits or takes an interrupt before it.
std::optional<Boundary> NextOf(const machine::Machine& machine, bool any) {
  const std::optional<int> next = machine.next_cpu();
  if (!next.has_value()) return std::nullopt;
  const alpha::Cpu& cpu = machine.cpu(*next);
  if (!any && (machine.waiting(*next) || cpu.InterruptDeliverable())) return std::nullopt;
  return Boundary{machine.moment(), cpu.pc,
                  alpha::FetchWord(cpu, machine.memory(), cpu.pc).value_or(0), cpu.cycle,
                  cpu.index};
}

// The boundaries of Step() on their way out of the child process.
struct Steps {
  std::vector<Boundary> boundaries;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Field("boundaries", self.boundaries, size_t{1} << 28);
  }
};

}  // namespace

std::vector<std::string> FieldDifferences(const machine::Machine& first,
                                          const machine::Machine& second, uint32_t cpu) {
  alpha::StateLister listers[2];
  first.VisitWithoutMemory(listers[0]);
  second.VisitWithoutMemory(listers[1]);
  // By path: the field of either machine.
  std::map<std::string_view, std::array<const alpha::StateField*, 2>> pairs;
  std::vector<std::string_view> order;
  for (size_t i = 0; i < 2; ++i) {
    for (const alpha::StateField& field : listers[i].fields()) {
      const auto [pair, is_new] = pairs.try_emplace(field.path);
      pair->second[i] = &field;
      if (is_new) order.push_back(field.path);
    }
  }
  const std::string own = absl::StrCat("cpu", cpu, ".");
  std::vector<std::string> lines;
  for (const std::string_view path : order) {
    const auto& [a, b] = pairs[path];
    if (path.starts_with(own)) continue;
    if (a != nullptr && b != nullptr && a->value == b->value) continue;
    lines.push_back(
        absl::StrCat("* ", std::string(path), ": ", ValueOf(a), ", ", ValueOf(b), "\n"));
  }
  return lines;
}

alpha::Cpu CpuOf(const std::string& bytes, const alpha::Cpu& like) {
  alpha::Cpu cpu(like.index, like.itb.size(), like.dtb.size());
  // What an engine left may be impossible: shown as far as it can be.
  (void)alpha::RestoreFromBytes(bytes, cpu);
  return cpu;
}

absl::StatusOr<std::unique_ptr<MachineTwins>> MachineTwins::Create(
    const RecordedRun& run, const std::vector<engines::NamedEngine>& engines) {
  Machines machines;
  for (size_t i = 0; i < machines.size(); ++i) {
    absl::StatusOr<std::unique_ptr<RepeatingMachine>> machine =
        RepeatingMachine::Create(run, engines[i]);
    if (!machine.ok()) return machine.status();
    machines[i] = *std::move(machine);
  }
  return std::unique_ptr<MachineTwins>(new MachineTwins(std::move(machines)));
}

template <typename Run>
void MachineTwins::AdvanceBoth(Run run) {
  // With the digests up to date, each experiment hashes only what it has changed itself.
  const auto advance = [&run](RepeatingMachine& machine) {
    run(machine);
    machine.machine().StateDigest();
  };
  absl::StatusOr<std::thread> other = hostio::StartThread([&] { advance(*machines_[1]); });
  advance(*machines_[0]);
  // Without a thread the one has to wait for the other.
  if (other.ok()) {
    other->join();
  } else {
    advance(*machines_[1]);
  }
}

void MachineTwins::Advance(uint64_t moment) {
  AdvanceBoth([moment](RepeatingMachine& machine) { machine.RunTo(moment); });
}

void MachineTwins::AdvanceToCycle(uint64_t cycle) {
  AdvanceBoth([cycle](RepeatingMachine& machine) { machine.RunToCycle(cycle); });
}

uint64_t MachineTwins::MomentsPerCycle() const {
  return machines_[0]->machine().cpu_count() == 1 ? 1 : 2;
}

uint64_t MachineTwins::MomentAt(uint64_t cycle) {
  uint64_t moment = 0;
  for (const auto& machine : machines_) {
    hostio::ChildProcess child([&] {
      machine->RunToCycle(cycle);
      return absl::StrCat(machine->machine().moment());
    });
    const std::optional<std::string> text = child.Finish();
    uint64_t found = 0;
    if (text.has_value() && absl::SimpleAtoi(*text, &found)) moment = std::max(moment, found);
  }
  return moment;
}

void MachineTwins::Perform(size_t which, const Experiment& experiment) {
  RepeatingMachine& machine = *machines_[which];
  if (experiment.stop != 0) {
    machine.RunTo(experiment.stop);
    if (which == 1) {
      machine.machine().TranslateAtMost(experiment.translate, static_cast<int>(experiment.cpu));
    }
  }
  machine.RunTo(experiment.end);
}

bool MachineTwins::Differ(const Experiment& experiment) {
  const auto run = [&](size_t which) {
    return [this, which, &experiment] {
      Perform(which, experiment);
      machine::Machine& machine = machines_[which]->machine();
      return absl::StrCat(machine.StateDigest().ToString(), machines_[which]->ended());
    };
  };
  hostio::ChildProcess first(run(0));
  hostio::ChildProcess second(run(1));
  const std::optional<std::string> a = first.Finish();
  const std::optional<std::string> b = second.Finish();
  // An engine that kills its process differs from one that does not.
  return a != b;
}

std::vector<Boundary> MachineTwins::Step(uint64_t from, uint64_t to) {
  hostio::ChildProcess child([&] {
    RepeatingMachine& machine = *machines_[0];
    machine.RunTo(from);
    Steps steps;
    for (;;) {
      const machine::Machine& here = machine.machine();
      const bool last = machine.ended() || here.moment() >= to;
      if (const std::optional<Boundary> boundary = NextOf(here, last)) {
        steps.boundaries.push_back(*boundary);
      }
      if (last) return alpha::StateBytes(steps);
      machine.RunTo(here.moment() + 1);
    }
  });
  Steps steps;
  const std::optional<std::string> bytes = child.Finish();
  if (!bytes || !alpha::RestoreFromBytes(*bytes, steps).ok()) return {};
  return std::move(steps.boundaries);
}

TwinState MachineTwins::Compare(uint32_t cpu) {
  TwinState state;
  machine::Machine& first = machines_[0]->machine();
  machine::Machine& second = machines_[1]->machine();
  CompareMemory(first, second, state);
  state.first_cpu = alpha::StateBytes(first.cpu(static_cast<int>(cpu)));
  state.second_cpu = alpha::StateBytes(second.cpu(static_cast<int>(cpu)));
  AppendFieldDifferences(first, second, cpu, state.other);
  if (machines_[0]->ended() != machines_[1]->ended()) {
    absl::StrAppend(&state.other, "* the run ends on the ",
                    machines_[0]->ended() ? "first" : "second", " engine only\n");
  }
  return state;
}

TwinState MachineTwins::Capture(const Experiment& experiment, uint32_t cpu) {
  hostio::ChildProcess child([&] {
    Perform(0, experiment);
    std::string code;
    if (experiment.stop != 0) {
      machines_[1]->RunTo(experiment.stop);
      code = machines_[1]->machine().DescribeCode(static_cast<int>(cpu));
    }
    Perform(1, experiment);
    TwinState state = Compare(cpu);
    state.code = code;
    return alpha::StateBytes(state);
  });
  TwinState state;
  const std::optional<std::string> bytes = child.Finish();
  if (!bytes) {
    state.other = "* an engine crashed\n";
    state.first_cpu = state.second_cpu =
        alpha::StateBytes(machines_[0]->machine().cpu(static_cast<int>(cpu)));
    return state;
  }
  (void)alpha::RestoreFromBytes(*bytes, state);
  return state;
}

}  // namespace isochron::conformance
