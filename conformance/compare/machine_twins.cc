#include "conformance/compare/machine_twins.h"

#include <cstring>
#include <map>
#include <optional>
#include <string_view>
#include <thread>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/fetch_word.h"
#include "alpha/state_visitor.h"
#include "hostio/child_process.h"
#include "hostio/thread.h"
#include "machine/events/input.h"

namespace isochron::conformance {

// The inputs of a recorded run.
class RepeatingMachine::Inputs final : public machine::InputSource {
 public:
  explicit Inputs(const RecordedRun& run) : events_(run.events) {}

  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    for (; next_ < events_.size() && events_[next_].cycle <= point.cycle; ++next_) {
      const auto* input = std::get_if<replaylog::InputEvent>(&events_[next_].body);
      if (input != nullptr) inputs.push_back(input->input);
    }
  }

 private:
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

void RepeatingMachine::RunTo(uint64_t cycle) {
  if (!ended_) ended_ = machine_->RunUntil(machine::StopCondition::AtCycle(cycle)).has_value();
}

namespace {

// Splits the walk of a machine's state by component.
class SectionVisitor final : public alpha::StateVisitor {
 public:
  bool restoring() const override { return false; }
  void Fail(std::string_view) override {}
  const std::map<std::string, std::string>& sections() const { return sections_; }

 protected:
  // StateVisitor::Section() gives the length of a name and the name.
  void Raw(void* data, size_t size) override {
    const std::string_view bytes(static_cast<const char*>(data), size);
    if (current_ == "memory") return;
    if (last_length_ == size && LooksLikeName(bytes)) {
      current_ = std::string(bytes);
      last_length_ = 0;
      return;
    }
    last_length_ = 0;
    if (size == sizeof(uint32_t)) {
      uint32_t length = 0;
      std::memcpy(&length, data, sizeof length);
      last_length_ = length;
    }
    sections_[current_].append(bytes);
  }

 private:
  static bool LooksLikeName(std::string_view bytes) {
    for (const char c : bytes) {
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ' ' || c == '-' ||
            c == '_' || c == '.')) {
        return false;
      }
    }
    return bytes.size() > 1;
  }

  std::string current_ = "start";
  size_t last_length_ = 0;
  std::map<std::string, std::string> sections_;
};

std::map<std::string, std::string> SectionsOf(machine::Machine& machine) {
  SectionVisitor visitor;
  machine.VisitState(visitor);
  return visitor.sections();
}

void AppendSectionDifferences(machine::Machine& first, machine::Machine& second,
                              std::string& text) {
  const std::map<std::string, std::string> a = SectionsOf(first);
  std::map<std::string, std::string> b = SectionsOf(second);
  for (const auto& [name, bytes] : a) {
    const std::string& other = b[name];
    if (name == "cpu" || bytes == other) continue;
    size_t at = 0;
    while (at < bytes.size() && at < other.size() && bytes[at] == other[at]) ++at;
    const auto byte = [at](const std::string& s) {
      return at < s.size() ? static_cast<unsigned char>(s[at]) : 0u;
    };
    absl::StrAppendFormat(&text, "* state of '%s' differs at byte %d of %d: 0x%02x, 0x%02x\n",
                          name, at, bytes.size(), byte(bytes), byte(other));
  }
}

constexpr size_t kShownWords = 16;

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

std::string CpuBytes(const machine::Machine& machine) {
  alpha::Cpu cpu = machine.cpu();
  alpha::StateWriter writer;
  cpu.VisitState(writer);
  return writer.Release();
}

void VisitTwinState(alpha::StateVisitor& visitor, TwinState& state) {
  constexpr size_t kMax = size_t{1} << 28;
  visitor.Field(state.first_cpu, kMax);
  visitor.Field(state.second_cpu, kMax);
  uint32_t count = static_cast<uint32_t>(state.memory.size());
  visitor.Field(count);
  state.memory.resize(count);
  for (MemoryDifference& word : state.memory) visitor.Field(word.pa, word.first, word.second);
  visitor.Field(state.memory_words);
  visitor.Field(state.other, kMax);
  visitor.Field(state.code, kMax);
}

}  // namespace

alpha::Cpu CpuOf(const std::string& bytes, const alpha::Cpu& like) {
  alpha::Cpu cpu(like.index, like.itb.size(), like.dtb.size());
  alpha::StateReader reader(bytes);
  cpu.VisitState(reader);
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

void MachineTwins::Advance(uint64_t cycle) {
  // With the digests up to date, each experiment hashes only what it has changed itself.
  const auto run = [cycle](RepeatingMachine& machine) {
    machine.RunTo(cycle);
    machine.machine().StateDigest();
  };
  absl::StatusOr<std::thread> other = hostio::StartThread([&] { run(*machines_[1]); });
  run(*machines_[0]);
  // Without a thread the one has to wait for the other.
  if (other.ok()) {
    other->join();
  } else {
    run(*machines_[1]);
  }
}

void MachineTwins::Perform(size_t which, const Experiment& experiment) {
  RepeatingMachine& machine = *machines_[which];
  if (experiment.stop != 0) {
    machine.RunTo(experiment.stop);
    if (which == 1) machine.machine().TranslateAtMost(experiment.translate);
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
    alpha::StateWriter writer;
    for (;;) {
      const alpha::Cpu& cpu = machine.machine().cpu();
      const bool last = machine.ended() || cpu.cycle >= to;
      // Where the CPU waits or takes an interrupt, it executes nothing.
      if (last || !(machine.machine().waiting() || cpu.InterruptDeliverable())) {
        Boundary at{cpu.cycle, cpu.pc,
                    alpha::FetchWord(cpu, machine.machine().memory(), cpu.pc).value_or(0)};
        writer.Field(at.cycle, at.pc, at.word);
      }
      if (last) return writer.Release();
      machine.RunTo(cpu.cycle + 1);
    }
  });
  const std::string bytes = child.Finish().value_or("");
  std::vector<Boundary> steps(bytes.size() / (2 * sizeof(uint64_t) + sizeof(uint32_t)));
  alpha::StateReader reader(bytes);
  for (Boundary& at : steps) reader.Field(at.cycle, at.pc, at.word);
  return steps;
}

TwinState MachineTwins::Compare() {
  TwinState state;
  machine::Machine& first = machines_[0]->machine();
  machine::Machine& second = machines_[1]->machine();
  CompareMemory(first, second, state);
  state.first_cpu = CpuBytes(first);
  state.second_cpu = CpuBytes(second);
  AppendSectionDifferences(first, second, state.other);
  if (machines_[0]->ended() != machines_[1]->ended()) {
    absl::StrAppend(&state.other, "* the run ends on the ",
                    machines_[0]->ended() ? "first" : "second", " engine only\n");
  }
  return state;
}

TwinState MachineTwins::Capture(const Experiment& experiment) {
  hostio::ChildProcess child([&] {
    Perform(0, experiment);
    std::string code;
    if (experiment.stop != 0) {
      machines_[1]->RunTo(experiment.stop);
      code = machines_[1]->machine().DescribeCode();
    }
    Perform(1, experiment);
    TwinState state = Compare();
    state.code = code;
    alpha::StateWriter writer;
    VisitTwinState(writer, state);
    return writer.Release();
  });
  TwinState state;
  const std::optional<std::string> bytes = child.Finish();
  if (!bytes) {
    state.other = "* an engine crashed\n";
    state.first_cpu = state.second_cpu = CpuBytes(machines_[0]->machine());
    return state;
  }
  alpha::StateReader reader(*bytes);
  VisitTwinState(reader, state);
  return state;
}

}  // namespace isochron::conformance
