#include "conformance/bench/metered_engine.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "alpha/cpu.h"
#include "alpha/fetch_word.h"
#include "machine/firmware/firmware_layout.h"
#include "ref/engine.h"

namespace isochron::conformance {
namespace {

constexpr alpha::StopRange kAll = {.space = alpha::StopRange::Space::kPhysical,
                                   .begin = 0,
                                   .size = ~uint64_t{0},
                                   .reads = true,
                                   .writes = true};
// A CPU that is to stand still says so there, and its turn ends. What others notice of it is that
// the horizon has moved, which is measured by itself.
constexpr uint64_t kWait = FW_PLATFORM_PA + FW_PLATFORM_WAIT;

}  // namespace

MeteredEngine::MeteredEngine(alpha::Memory& memory, alpha::IoBus& io,
                             std::unique_ptr<alpha::Engine> plain)
    : memory_(memory),
      plain_(std::move(plain)),
      oracle_(ref::CreateOracle(memory, io)),
      all_({kAll}) {}

void MeteredEngine::SetMeter(RoundMeter* meter) {
  meter_ = meter;
  // What it knows of CPUs is not true any more.
  if (meter == nullptr) plain_->Invalidate();
}

void MeteredEngine::Invalidate() {
  plain_->Invalidate();
  oracle_->Invalidate();
}

alpha::RunResult MeteredEngine::Run(alpha::Cpu& cpu, alpha::Deadline& deadline) {
  return meter_ == nullptr ? plain_->Run(cpu, deadline) : RunMetered(cpu, deadline);
}

alpha::RunResult MeteredEngine::RunMetered(alpha::Cpu& cpu, alpha::Deadline& deadline) {
  meter_->Resume(cpu, deadline.cycle);
  alpha::RunResult result;
  do {
    result = Step(cpu, deadline);
  } while (result.reason != alpha::StopReason::kFatal && !StopsAt(cpu, deadline, memory_));
  meter_->Pause(cpu);
  return result;
}

alpha::RunResult MeteredEngine::Step(alpha::Cpu& cpu, alpha::Deadline& deadline) {
  const std::optional<uint64_t> pa = alpha::FetchAddress(cpu, memory_, cpu.pc);
  if (pa.has_value()) meter_->Fetch(cpu, *pa);
  made_ = all_;
  alpha::StopRanges* const outer = std::exchange(deadline.ranges, &made_);
  alpha::RunResult result;
  {
    const alpha::BoundedDeadline bounded(deadline, cpu.cycle + 1);
    result = oracle_->Run(cpu, deadline);
  }
  deadline.ranges = outer;
  if (made_.hit().has_value()) Tell(*made_.hit());
  return result;
}

void MeteredEngine::Tell(const alpha::MemoryReference& reference) {
  if (!memory_.Contains(reference.pa)) {
    if (reference.pa != kWait) meter_->Device(reference.pa);
  } else if (reference.write) {
    meter_->Write(reference.pa, reference.size);
  } else {
    meter_->Read(reference.pa, reference.size);
  }
}

}  // namespace isochron::conformance
