#include "conformance/sequences/sequence_check.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/disassemble.h"
#include "alpha/encode.h"
#include "alpha/fetch_word.h"
#include "conformance/compare/cpu_fields.h"
#include "conformance/compare/guest_code.h"
#include "conformance/compare/narrowing.h"
#include "conformance/sequences/sequence_machine.h"
#include "conformance/sequences/sequence_operands.h"
#include "conformance/sequences/shrinking.h"
#include "machine/events/digest.h"

namespace isochron::conformance {
namespace {

constexpr std::string_view kPlanNames[] = {"whole", "blocks", "forgetting"};

// One stop of a plan: run to `cycle`, then do what the flags say.
struct Stop {
  uint64_t cycle = 0;
  bool digest = false;  // clear dirty marks
  bool forget = false;  // drop translations
};

// The stops of a plan, one after the other. Each depends on where the machine stopped, and on
// nothing else.
class StopMaker {
 public:
  StopMaker(SequencePlan plan, const Sequence& sequence)
      : plan_(plan), end_(sequence.cycles), random_(sequence.seed + 7) {}

  Stop Next(uint64_t now) {
    if (plan_ == SequencePlan::kWhole) return {end_, true, false};
    const uint64_t kind = random_() % 16;
    const uint64_t step = kind == 0 ? 1 : kind < 12 ? 1 + random_() % 60 : 1 + random_() % 3000;
    Stop stop{std::min(end_, now + step), random_() % 32 == 0, false};
    if (plan_ == SequencePlan::kForgetting) stop.forget = random_() % 16 == 0;
    stop.digest = stop.digest || stop.cycle == end_;
    return stop;
  }

 private:
  SequencePlan plan_;
  uint64_t end_;
  Random random_;
};

// Two machines at the same boundary.
struct Pair {
  Pair(const std::vector<engines::NamedEngine>& engines, const Sequence& sequence)
      : first(std::make_unique<SequenceMachine>(sequence, engines[0].factory)),
        second(std::make_unique<SequenceMachine>(sequence, engines[1].factory)) {}

  void RunTo(uint64_t cycle) {
    first->RunTo(cycle);
    second->RunTo(cycle);
  }
  bool SameCpus() const { return first->State() == second->State(); }
  bool SameMemory() const {
    return std::memcmp(first->memory().host(0), second->memory().host(0),
                       SequenceLayout::kMemorySize) == 0;
  }
  // Compares all, and that each page that changed has its dirty mark.
  bool SameDigests() const {
    const machine::Digest a = first->UpdateMemoryDigest();
    const machine::Digest b = second->UpdateMemoryDigest();
    return a == b && a == first->RecomputeMemoryDigest() && b == second->RecomputeMemoryDigest();
  }
  bool Same(bool digest) const { return SameCpus() && SameMemory() && (!digest || SameDigests()); }
  void Forget() {
    first->engine().Invalidate();
    second->engine().Invalidate();
  }
  uint64_t now() const { return first->cpu().cycle; }

  std::unique_ptr<SequenceMachine> first;
  std::unique_ptr<SequenceMachine> second;
};

// The stops up to the first at which the engines differ.
struct Failure {
  std::vector<Stop> equal;
  Stop different;
};

std::optional<Failure> FindFailure(const std::vector<engines::NamedEngine>& engines,
                                   const Sequence& sequence, SequencePlan plan,
                                   SequenceVerdict* verdict) {
  Pair pair(engines, sequence);
  StopMaker maker(plan, sequence);
  Failure failure;
  while (!pair.first->stopped() && pair.now() < sequence.cycles) {
    const Stop stop = maker.Next(pair.now());
    pair.RunTo(stop.cycle);
    const bool last = pair.first->stopped() || stop.cycle >= sequence.cycles;
    // Comparing RAM after every call would cost more than the calls.
    const bool same = stop.digest || last ? pair.Same(true) : pair.SameCpus();
    if (!same) {
      failure.different = stop;
      return failure;
    }
    failure.equal.push_back(stop);
    if (stop.forget) pair.Forget();
  }
  if (verdict != nullptr) {
    verdict->cycles = pair.now();
    verdict->instructions = pair.first->cpu().instructions;
    const machine::Digest memory = pair.first->UpdateMemoryDigest();
    verdict->digest =
        machine::DigestOf(absl::StrCat(pair.first->State(), memory.ToString())).ToString();
  }
  return std::nullopt;
}

// The last cycle at which all was compared, RAM and dirty marks included.
uint64_t EqualCycle(const Failure& failure) {
  uint64_t cycle = 0;
  for (const Stop& stop : failure.equal) {
    if (stop.digest) cycle = stop.cycle;
  }
  return cycle;
}

// Two machines run with the same calls of the engine as in the failing run, and stopped in between.
class Repetition {
 public:
  Repetition(const std::vector<engines::NamedEngine>& engines, const Sequence& sequence,
             const Failure& failure)
      : pair(engines, sequence), failure_(failure) {}

  void RunTo(uint64_t cycle) {
    for (; next_ < failure_.equal.size() && failure_.equal[next_].cycle < cycle; ++next_) {
      const Stop& stop = failure_.equal[next_];
      pair.RunTo(stop.cycle);
      if (stop.digest) pair.SameDigests();
      if (stop.forget) pair.Forget();
    }
    pair.RunTo(cycle);
  }

  Pair pair;

 private:
  const Failure& failure_;
  size_t next_ = 0;
};

std::string MemoryLines(SequenceMachine& first, SequenceMachine& second) {
  std::string text;
  int lines = 0;
  for (uint64_t pa = 0; pa < SequenceLayout::kMemorySize && lines < 8; pa += 8) {
    const auto a = first.memory().Load<uint64_t>(pa);
    const auto b = second.memory().Load<uint64_t>(pa);
    if (a == b) continue;
    absl::StrAppendFormat(&text, "* memory 0x%08x: 0x%016x, 0x%016x\n", pa, a, b);
    ++lines;
  }
  for (SequenceMachine* machine : {&first, &second}) {
    if (machine->UpdateMemoryDigest() != machine->RecomputeMemoryDigest()) {
      absl::StrAppend(&text, "* a page of the ", machine == &first ? "first" : "second",
                      " engine has changed without its dirty mark\n");
    }
  }
  if (!first.fatal().empty() || !second.fatal().empty()) {
    absl::StrAppend(&text, "  stopped: '", first.fatal(), "', '", second.fatal(), "'\n");
  }
  return text;
}

// Experiments by running from the start, as often as needed.
class SequenceTwins final : public Twins {
 public:
  SequenceTwins(const std::vector<engines::NamedEngine>& engines, const Sequence& sequence,
                const Failure& failure)
      : engines_(engines), sequence_(sequence), failure_(failure) {}

  bool Differ(const Experiment& experiment) override { return !Run(experiment).Same(true); }

  Pair Run(const Experiment& experiment) const {
    Repetition repetition(engines_, sequence_, failure_);
    if (experiment.stop != 0) {
      repetition.RunTo(experiment.stop);
      repetition.pair.second->TranslateAtMost(experiment.translate);
    }
    repetition.RunTo(experiment.end);
    return std::move(repetition.pair);
  }

  std::vector<Boundary> Step(uint64_t from, uint64_t to) override {
    const Pair pair = Run({from});
    SequenceMachine& machine = *pair.first;
    std::vector<Boundary> steps;
    for (;;) {
      const alpha::Cpu& cpu = machine.cpu();
      const bool last = machine.stopped() || cpu.cycle >= to;
      // Where the CPU takes an interrupt, it executes nothing.
      if (last || !cpu.InterruptDeliverable()) {
        steps.push_back({cpu.cycle, cpu.pc,
                         alpha::FetchWord(cpu, machine.memory(), cpu.pc).value_or(0), cpu.cycle});
      }
      if (last) return steps;
      machine.RunTo(cpu.cycle + 1);
    }
  }

 private:
  const std::vector<engines::NamedEngine>& engines_;
  const Sequence& sequence_;
  const Failure& failure_;
};

std::string TraceLines(const std::vector<Boundary>& trace) {
  std::string text;
  for (const Boundary& at : trace) {
    absl::StrAppendFormat(&text, "  cycle %8d  %s\n", at.cycle,
                          alpha::ListedInstruction(at.pc, at.word));
  }
  return text;
}

SequenceMismatch NarrowSequence(const std::vector<engines::NamedEngine>& engines,
                                const Sequence& sequence, SequencePlan plan,
                                const Failure& failure) {
  SequenceTwins twins(engines, sequence, failure);
  SequenceMismatch mismatch;
  mismatch.plan = plan;
  mismatch.equal_cycle = EqualCycle(failure);
  mismatch.different_cycle = failure.different.cycle;
  Narrowed found = Narrow(twins, mismatch.equal_cycle, mismatch.different_cycle);
  if (found.certainty == Certainty::kNotReproduced) {
    mismatch.reproduced = false;
    mismatch.report = "the difference did not come back in the rerun\n";
    return mismatch;
  }
  mismatch.different_cycle = found.different;
  // Both engines up to the first instruction of what was run at once, and behind it.
  const Pair before = twins.Run({StartOf(found).cycle});
  const Pair after = twins.Run(found.experiment);
  const std::vector<FieldChange> changes =
      CompareCpus(before.first->cpu(), after.first->cpu(), after.second->cpu());
  Settle(found, changes);
  mismatch.certainty = found.certainty;
  mismatch.equal_cycle = found.culprit.cycle;
  mismatch.pc = found.culprit.pc;
  mismatch.word = found.culprit.word;
  mismatch.report = absl::StrFormat(
      "plan %s: %s at cycle %d, PC 0x%x%s; different at cycle %d\n%s",
      std::string(kPlanNames[static_cast<size_t>(plan)]),
      found.certainty == Certainty::kInstruction ? "the instruction"
                                                 : "an instruction of this region, likely the one",
      mismatch.equal_cycle, mismatch.pc & ~uint64_t{3}, (mismatch.pc & 1) != 0 ? " (PALmode)" : "",
      found.different, InstructionLines(before.first->cpu(), before.first->memory(), mismatch.pc));
  if (found.trace.size() > 1) {
    absl::StrAppend(&mismatch.report, "executed at once:\n", TraceLines(found.trace));
  }
  absl::StrAppend(&mismatch.report, FormatChanges(changes, engines[0].name, engines[1].name),
                  MemoryLines(*after.first, *after.second), before.second->DescribeCode());
  return mismatch;
}

// Steps the first engine, counts, and compares its end with `verdict`.
std::optional<SequenceMismatch> CountCoverage(const engines::NamedEngine& engine,
                                              const Sequence& sequence,
                                              const SequenceVerdict& verdict,
                                              SequenceCoverage& coverage) {
  SequenceMachine machine(sequence, engine.factory);
  while (!machine.stopped() && machine.cpu().cycle < sequence.cycles) {
    const std::optional<uint32_t> word =
        alpha::FetchWord(machine.cpu(), machine.memory(), machine.cpu().pc);
    const alpha::CpuCounters before = machine.cpu().counters;
    const bool interrupted = machine.cpu().InterruptDeliverable();
    machine.RunTo(machine.cpu().cycle + 1);
    if (word && !interrupted) coverage.Count(*word, before, machine.cpu());
  }
  const machine::Digest memory = machine.UpdateMemoryDigest();
  const std::string digest =
      machine::DigestOf(absl::StrCat(machine.State(), memory.ToString())).ToString();
  if (digest == verdict.digest) return std::nullopt;
  SequenceMismatch mismatch;
  mismatch.reproduced = false;
  mismatch.report = absl::StrCat("engine ", engine.name,
                                 " ends otherwise when it is run one instruction at a time\n");
  return mismatch;
}

}  // namespace

std::optional<SequenceMismatch> CheckPlan(const std::vector<engines::NamedEngine>& engines,
                                          const Sequence& sequence, SequencePlan plan) {
  std::optional<Failure> failure = FindFailure(engines, sequence, plan, nullptr);
  if (!failure) return std::nullopt;
  SequenceMismatch mismatch;
  mismatch.plan = plan;
  mismatch.different_cycle = failure->different.cycle;
  return mismatch;
}

SequenceVerdict CheckSequence(const std::vector<engines::NamedEngine>& engines,
                              const Sequence& sequence, SequenceCoverage* coverage) {
  SequenceVerdict verdict;
  for (const SequencePlan plan :
       {SequencePlan::kWhole, SequencePlan::kBlocks, SequencePlan::kForgetting}) {
    std::optional<Failure> failure =
        FindFailure(engines, sequence, plan, plan == SequencePlan::kWhole ? &verdict : nullptr);
    if (failure) {
      verdict.mismatch = NarrowSequence(engines, sequence, plan, *failure);
      return verdict;
    }
  }
  if (coverage != nullptr) {
    verdict.mismatch = CountCoverage(engines[0], sequence, verdict, *coverage);
  }
  return verdict;
}

Sequence ShrinkSequence(const std::vector<engines::NamedEngine>& engines, const Sequence& sequence,
                        const SequenceMismatch& mismatch, int tries) {
  const auto fails = [&](const Sequence& candidate) {
    return CheckPlan(engines, candidate, mismatch.plan).has_value();
  };
  Shrinker<Sequence> shrinker(sequence, fails, tries);
  Sequence shorter = sequence;
  shorter.cycles = mismatch.different_cycle;
  shrinker.Try(std::move(shorter));
  ShrinkProgram(shrinker, IsSequenceCode);
  return shrinker.best();
}

bool IsSequenceCode(uint64_t pa) {
  return pa >= SequenceLayout::kCode && pa < SequenceLayout::kData;
}

std::string ListSequence(const Sequence& sequence, IsCode is_code) {
  std::string text;
  for (const Segment& segment : sequence.segments) {
    if (!is_code(segment.pa)) continue;
    for (size_t i = 0; i < segment.words.size(); ++i) {
      const uint32_t word = segment.words[i];
      if (word == alpha::words::Nop()) continue;
      const uint64_t pa = segment.pa + 4 * i;
      absl::StrAppend(&text, "  ", alpha::ListedInstruction(pa, word), "\n");
    }
  }
  return text;
}

}  // namespace isochron::conformance
