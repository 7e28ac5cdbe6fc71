// The sequencer of several CPUs: docs/smp.md has the rules.

#include <algorithm>

#include "alpha/performance.h"
#include "machine/events/planted_breaks.h"
#include "machine/firmware/hwrpb.h"
#include "machine/machine.h"

namespace isochron::machine {

uint64_t Machine::wait_cycles() const {
  uint64_t cycles = 0;
  for (const Processor& processor : processors_) cycles += processor.wait_cycles;
  return cycles;
}

uint64_t Machine::idle_cycles() const {
  if (processors_.size() == 1) return wait_cycles() + engine_->stats().spin_cycles_skipped;
  uint64_t cycles = kNever;
  for (const Processor& processor : processors_) cycles = std::min(cycles, processor.wait_cycles);
  return cycles;
}

bool Machine::AllHaveHalted() const {
  if (processors_.size() == 1) return false;
  return std::ranges::all_of(processors_, [this](const Processor& processor) {
    return processor.waiting && processor.cpu.ier == 0 &&
           !IsInOperation(processor.cpu.index, memory_);
  });
}

bool Machine::OthersAreInOperation(uint32_t cpu) const {
  return std::ranges::any_of(processors_, [&](const Processor& processor) {
    return processor.cpu.index != cpu && IsInOperation(processor.cpu.index, memory_);
  });
}

PowerRequest Machine::TakePowerRequest() {
  PlatformDevice& platform = board_.platform();
  const PowerRequest request = platform.power_request();
  platform.ClearPowerRequest();
  if (request == PowerRequest::kNone) return AllHaveHalted() ? PowerRequest::kOff : request;
  // A primary that has halted and has not said that the machine is to stands still now.
  const uint32_t cpu = platform.power_cpu();
  const bool stands_still = request == PowerRequest::kOff && !IsInOperation(cpu, memory_) &&
                            !HasHaltAction(cpu, memory_) && OthersAreInOperation(cpu);
  return stands_still ? PowerRequest::kNone : request;
}

uint64_t Machine::Instructions() const {
  uint64_t instructions = 0;
  for (const Processor& processor : processors_) instructions += processor.cpu.instructions;
  return instructions;
}

// Beyond that machine time a moment of four CPUs would not fit.
static constexpr uint64_t kLastMoment = uint64_t{1} << 60;

uint64_t Machine::moment() const {
  if (processors_.size() == 1) return processors_.front().cpu.cycle;
  if (now() >= kLastMoment) return kNever - 1;
  uint64_t cycles = 0;
  for (const Processor& processor : processors_) cycles += processor.cpu.cycle;
  return 2 * cycles + (round_.open ? 1 : 0);
}

std::optional<int> Machine::next_cpu() const {
  if (processors_.size() == 1) return 0;
  if (turn_ == nullptr) return std::nullopt;
  return static_cast<int>(turn_->cpu.index);
}

StopPlace Machine::PlaceHere() const {
  if (processors_.size() == 1) return StopWatch::PlaceOf(cpu());
  StopPlace place;
  place.moment = moment();
  if (!round_.open) place.cycle = now();
  if (turn_ != nullptr) place.next = &turn_->cpu;
  place.last = acting_cpu_;
  for (size_t index = 0; index < processors_.size(); ++index) {
    place.cpus[index] = &processors_[index].cpu;
    place.instructions += processors_[index].cpu.instructions;
  }
  return place;
}

uint64_t Machine::Horizon() const {
  return std::min({round_.limit, events_.next(), alpha::Cpu::kEndOfTime});
}

void Machine::StandStill(Processor& processor, uint64_t until) {
  if (until <= processor.cpu.cycle) return;
  processor.wait_cycles += until - processor.cpu.cycle;
  processor.cpu.cycle = until;
  alpha::LatchOverflows(processor.cpu, alpha::Retiring::kNo);
}

bool Machine::BeginRound() {
  uint64_t wake = std::min(events_.next(), alpha::Cpu::kEndOfTime);
  bool runs = false;
  for (Processor& processor : processors_) {
    if (processor.waiting) {
      wake = std::min(wake, alpha::LatchOverflows(processor.cpu, alpha::Retiring::kNo));
      processor.waiting = processor.cpu.PendingInterrupts() == 0;
    }
    runs = runs || !processor.waiting;
  }
  if (runs) {
    for (Processor& processor : processors_) TakeInterrupt(processor);
    NextStop(now());  // says at which boundary the source is asked
    round_.open = true;
    round_.begun = now();
    round_.next = 0;
    round_.limit = round_.begun + config_.quantum;
    if (turn_sink_ != nullptr) turn_sink_->OnRound();
    return true;
  }
  quiet_until_ = wake;
  const uint64_t until = std::min(
      {wake, NextStop(wake), stop_watch_.RoundWaitLimit(static_cast<uint32_t>(cpu_count()))});
  for (Processor& processor : processors_) StandStill(processor, until);
  return false;
}

void Machine::EndRound() {
  round_.open = false;
  turn_ = nullptr;
  // A write to a register that there is not has the Cchip drive its pins anew.
  if (Planted(Break::kIpiLate)) board_.cchip().Write({0x580, 8, 0}, 0);
  const uint64_t end = now();
  for (Processor& processor : processors_) {
    if (processor.waiting) StandStill(processor, end);
  }
}

TurnPlaces Machine::PlacesNow() const {
  TurnPlaces places;
  for (uint32_t index = 0; index < processors_.size(); ++index) {
    const Processor& processor = processors_[index];
    places.able |= uint32_t{CanRun(processor)} << index;
    places.cycles[index] = processor.cpu.cycle;
    places.instructions += processor.cpu.instructions;
  }
  return places;
}

void Machine::CheckRound(alpha::StateReader& reader) const {
  if (processors_.size() == 1) return;
  if (round_.next > processors_.size()) reader.Fail("it is the turn of no CPU");
  // What is farther behind, or may go farther, would have a turn without an end.
  const uint64_t most = 4 * config_.quantum + config_.input_interval;
  bool far = round_.open && round_.limit > now() + most;
  for (const Processor& processor : processors_) far |= now() - processor.cpu.cycle > most;
  if (far) reader.Fail("CPUs are farther from one another than turns are long");
}

bool Machine::StopsHere() {
  if (processors_.size() == 1) {
    const Processor& alone = processors_.front();
    stopped_by_ = stop_watch_.Met(alone.cpu, memory_, !alone.waiting);
  } else {
    if (!stop_watch_.looks()) return false;
    stopped_by_ = stop_watch_.Met(PlaceHere(), memory_);
  }
  return stopped_by_.any();
}

Machine::Processor* Machine::NextTurn() {
  turn_ = nullptr;
  if (PlantedCount(Break::kOrderOfHost) % 16 == 15) {
    const auto last = std::find_if(processors_.rbegin(), processors_.rend(),
                                   [this](const Processor& of) { return CanRun(of); });
    if (last != processors_.rend()) return turn_ = &*last;
  }
  if (schedule_.has_value()) {
    const TurnPlaces places = PlacesNow();
    const std::optional<uint32_t> turn = schedule_->Turn(places);
    if (!turn.has_value()) return nullptr;
    if (turn_sink_ != nullptr) turn_sink_->OnTurn(places, *turn);
    return turn_ = &processors_[*turn];
  }
  while (round_.next < processors_.size() && !CanRun(processors_[round_.next])) ++round_.next;
  if (round_.next < processors_.size()) turn_ = &processors_[round_.next];
  return turn_;
}

alpha::RunResult Machine::AdvanceRound() {
  if (!round_.open) {
    if (now() >= quiet_until_) round_.begun = now();
    if (!BeginRound()) return {};
  }
  // Where a run stops the schedule has been asked already, whose turn it is, so that the state
  // there is the same whether the run stops or not.
  for (Processor* next = NextTurn(); next != nullptr;) {
    Processor& processor = *next;
    lock_watch_.Resume(processor.cpu);
    deadline_.pcs = stop_watch_.pcs(processor.cpu);
    alpha::RunResult result;
    bool stops = false;
    while (next == &processor && !stops) {
      stops = StopsHere();
      if (stops) break;
      result = GoOn(processor);
      stops = result.reason == alpha::StopReason::kFatal;
      if (!stops) next = NextTurn();
    }
    if (!Planted(Break::kLockOutlivesStore)) lock_watch_.Park(processor.cpu);
    if (stops) return result;
  }
  EndRound();
  return {};
}

alpha::RunResult Machine::GoOn(Processor& processor) {
  alpha::Cpu& cpu = processor.cpu;
  acting_cpu_ = cpu.index;
  // Not where a turn ends: there the run may have stopped, and who goes on knows no more than whose
  // turn it is.
  TakeInterrupt(processor);
  const uint64_t turn = schedule_.has_value() ? schedule_->Limit(PlacesNow()) : kNever;
  const uint64_t stop = stop_watch_.looks() ? stop_watch_.TurnLimit(PlaceHere()) : kNever;
  deadline_.cycle = std::min({Horizon(), turn, stop});
  alpha::RunResult result = engine_->Run(cpu, deadline_);
  if (result.reason == alpha::StopReason::kFatal) return result;
  if (deadline_.leave.load(std::memory_order_relaxed)) {
    deadline_.leave.store(false);
    stop_requested_ = true;
  }
  processor.waiting = board_.platform().ConsumeWait(static_cast<int>(cpu.index));
  return result;
}

}  // namespace isochron::machine
