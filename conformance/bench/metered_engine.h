// An engine that has a part of a run measured.

#ifndef ISOCHRON_CONFORMANCE_BENCH_METERED_ENGINE_H_
#define ISOCHRON_CONFORMANCE_BENCH_METERED_ENGINE_H_

#include <memory>
#include <utility>

#include "alpha/engine.h"
#include "alpha/memory.h"
#include "alpha/stop_ranges.h"
#include "conformance/bench/round_meter.h"

namespace isochron::conformance {

// Runs a machine on one engine or, while there is a meter, instruction by instruction on the
// oracle, of which the meter is told all references. The run is the same, but for stop ranges of
// the machine, which nobody looks at meanwhile. Some hundred times as slow as a translating engine
// while there is one.
class MeteredEngine final : public alpha::Engine {
 public:
  // `plain` is the engine for where nothing is measured. Memory and I/O space must outlive it.
  MeteredEngine(alpha::Memory& memory, alpha::IoBus& io, std::unique_ptr<alpha::Engine> plain);

  // From the next call of Run() on; nullptr: no more. The meter must outlive that or be replaced.
  void SetMeter(RoundMeter* meter);

  alpha::RunResult Run(alpha::Cpu& cpu, alpha::Deadline& deadline) override;
  void Invalidate() override;
  alpha::EngineStats stats() const override { return plain_->stats(); }
  void NameGuestCode(CodeNamer namer) override { plain_->NameGuestCode(std::move(namer)); }
  alpha::TranslationProbe* probe() override { return plain_->probe(); }

 private:
  alpha::RunResult RunMetered(alpha::Cpu& cpu, alpha::Deadline& deadline);
  // Executes one instruction.
  alpha::RunResult Step(alpha::Cpu& cpu, alpha::Deadline& deadline);
  void Tell(const alpha::MemoryReference& reference);

  alpha::Memory& memory_;
  std::unique_ptr<alpha::Engine> plain_;
  std::unique_ptr<alpha::Engine> oracle_;
  RoundMeter* meter_ = nullptr;
  const alpha::StopRanges all_;  // every reference
  alpha::StopRanges made_;       // those of one instruction
};

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_BENCH_METERED_ENGINE_H_
