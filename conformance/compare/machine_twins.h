// Repeating a run on two engines, as far as one likes and from wherever one is.

#ifndef ISOCHRON_CONFORMANCE_COMPARE_MACHINE_TWINS_H_
#define ISOCHRON_CONFORMANCE_COMPARE_MACHINE_TWINS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/compare/narrowing.h"
#include "engines/engines.h"
#include "machine/machine.h"
#include "replaylog/event.h"

namespace isochron::conformance {

// A run that is to be repeated: what defines it.
struct RecordedRun {
  machine::MachineConfig config;
  machine::BootImages images;
  std::vector<replaylog::Event> events;  // only inputs are used
};

// A machine that repeats a run and can be stopped at any boundary. Checkpoints are made as in the
// run, since they clear dirty marks, of which an engine takes notice.
class RepeatingMachine {
 public:
  // `run` must outlive the machine.
  static absl::StatusOr<std::unique_ptr<RepeatingMachine>> Create(
      const RecordedRun& run, const engines::NamedEngine& engine);
  ~RepeatingMachine();

  // To the first boundary at or past a moment, or at which machine time is at or past a cycle; or
  // to the end of the run.
  void RunTo(uint64_t moment);
  void RunToCycle(uint64_t cycle);

  machine::Machine& machine() { return *machine_; }
  const machine::Machine& machine() const { return *machine_; }
  bool ended() const { return ended_; }

 private:
  class Inputs;
  RepeatingMachine();

  std::unique_ptr<Inputs> inputs_;
  std::unique_ptr<machine::Machine> machine_;
  bool ended_ = false;
};

// A number of RAM in which two machines differ.
struct MemoryDifference {
  uint64_t pa = 0;
  uint64_t first = 0;
  uint64_t second = 0;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Field("pa", self.pa);
    visitor.Field("first", self.first);
    visitor.Field("second", self.second);
  }
};

// Two machines side by side, taken apart.
struct TwinState {
  std::string first_cpu;  // the one that is looked at, as Cpu::VisitState writes it
  std::string second_cpu;
  std::vector<MemoryDifference> memory;  // the first ones
  uint64_t memory_words = 0;             // how many there are
  // Lines: fields other than those of that CPU and RAM that differ, pages whose dirty mark is
  // missing.
  std::string other;
  std::string code;  // of the second engine, see alpha::TranslationProbe

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    constexpr size_t kMax = size_t{1} << 28;
    visitor.Field("first_cpu", self.first_cpu, kMax);
    visitor.Field("second_cpu", self.second_cpu, kMax);
    visitor.Field("memory", self.memory, kMax);
    visitor.Field("memory_words", self.memory_words);
    visitor.Field("other", self.other, kMax);
    visitor.Field("code", self.code, kMax);
  }
};

// Experiments are made in child processes, so that the base keeps exactly the translations that
// the engines had made by then.
class MachineTwins final : public Twins {
 public:
  // Powers both machines on. `run` must outlive this.
  static absl::StatusOr<std::unique_ptr<MachineTwins>> Create(
      const RecordedRun& run, const std::vector<engines::NamedEngine>& engines);

  // Run both to there, on two threads.
  void Advance(uint64_t moment) override;
  void AdvanceToCycle(uint64_t cycle);
  bool Differ(const Experiment& experiment) override;
  std::vector<Boundary> Step(uint64_t from, uint64_t to) override;
  uint64_t MomentsPerCycle() const override;
  // The moment at which the later of both is where machine time comes to `cycle`.
  uint64_t MomentAt(uint64_t cycle);
  // The state of both after an experiment, and of their CPUs the one of that number.
  TwinState Capture(const Experiment& experiment, uint32_t cpu);

  RepeatingMachine& first() { return *machines_[0]; }
  RepeatingMachine& second() { return *machines_[1]; }

 private:
  using Machines = std::array<std::unique_ptr<RepeatingMachine>, 2>;
  explicit MachineTwins(Machines machines) : machines_(std::move(machines)) {}

  template <typename Run>
  void AdvanceBoth(Run run);
  void Perform(size_t which, const Experiment& experiment);
  TwinState Compare(uint32_t cpu);

  Machines machines_;
};

// The fields in which the machines differ, but for those of one CPU and RAM, a line each: "*
// uart0.ier: 0x01, 0x03\n". What only one has, such as an element of a longer queue, is "none" in
// the other.
std::vector<std::string> FieldDifferences(const machine::Machine& first,
                                          const machine::Machine& second, uint32_t cpu = 0);

// Reads a CPU out of TwinState. `like` says how large its TLBs are.
alpha::Cpu CpuOf(const std::string& bytes, const alpha::Cpu& like);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_COMPARE_MACHINE_TWINS_H_
