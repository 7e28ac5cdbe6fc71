#include "conformance/bench/study_window.h"

#include <ctime>

namespace isochron::conformance {
namespace {

// CPU time of the process, which has one thread.
double SecondsNow() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

machine::EngineFactory StudyWindow::EngineFor(const engines::NamedEngine& plain) {
  return [this, factory = plain.factory](
             alpha::Memory& memory,
             alpha::IoBus& io) -> absl::StatusOr<std::unique_ptr<alpha::Engine>> {
    absl::StatusOr<std::unique_ptr<alpha::Engine>> made = factory(memory, io);
    if (!made.ok()) return made.status();
    auto engine = std::make_unique<MeteredEngine>(memory, io, *std::move(made));
    engine_ = engine.get();
    memory_ = &memory;
    return engine;
  };
}

void StudyWindow::Watch(machine::Machine& machine) {
  machine_ = &machine;
  for (int cpu = 0; cpu < machine.cpu_count(); ++cpu) cpus_.push_back(&machine.cpu(cpu));
  from_seen_ = bounds_.from.empty();
  machine.SetTurnSink(this);
  machine.SetConsoleSink(this);
}

void StudyWindow::OnConsoleByte(int uart, uint64_t /*cycle*/, uint8_t byte) {
  if (uart != 0) return;
  shown_ += static_cast<char>(byte);
  if (from_seen_) {
    to_seen_ |= !bounds_.to.empty() && shown_.ends_with(bounds_.to);
  } else if (shown_.ends_with(bounds_.from)) {
    from_seen_ = true;
    shown_.clear();
    first_instruction_ = machine_->Instructions();
  }
}

void StudyWindow::OnRound() {
  const bool may_begin = state_ == State::kBefore && from_seen_ && !to_seen_;
  if (may_begin && InstructionsNow() >= bounds_.skip) Begin();
  if (state_ != State::kInside) return;
  if (to_seen_ || rounds_ == bounds_.rounds || InstructionsNow() >= bounds_.instructions) {
    return End();
  }
  ++rounds_;
  if (meter_ != nullptr) meter_->BeginRound(cpus_);
}

void StudyWindow::Begin() {
  state_ = State::kInside;
  first_instruction_ = machine_->Instructions();
  if (metered_) {
    meter_ = std::make_unique<RoundMeter>(*memory_);
    engine_->SetMeter(meter_.get());
  }
  seconds_ = SecondsNow();
}

void StudyWindow::End() {
  if (state_ != State::kInside) return;
  state_ = State::kBehind;
  seconds_ = SecondsNow() - seconds_;
  instructions_ = InstructionsNow();
  if (meter_ == nullptr) return;
  meter_->End();
  engine_->SetMeter(nullptr);
}

}  // namespace isochron::conformance
