#include "debug/stepper.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "alpha/cost.h"
#include "alpha/decode.h"
#include "alpha/disassemble.h"
#include "alpha/fetch_word.h"
#include "alpha/memory.h"
#include "machine/events/event.h"
#include "machine/stop_condition.h"

namespace isochron::debug {
namespace {

using alpha::Cpu;
using machine::StopCondition;
using timeline::Arrival;

// Every reference, whether translated or not.
StopCondition AnyReference() {
  alpha::StopRange all;
  all.space = alpha::StopRange::Space::kPhysical;
  all.size = ~uint64_t{0};
  all.reads = all.writes = true;
  return StopCondition::AtReference(all);
}

uint64_t Exceptions(const alpha::CpuCounters& counters) {
  return counters.itb_misses + counters.dtb_misses + counters.exceptions;
}

// What the low `size` bytes of a register hold.
uint64_t LowBytes(uint64_t value, uint64_t size) {
  return size >= 8 ? value : value & ((uint64_t{1} << 8 * size) - 1);
}

}  // namespace

Level LevelOf(const Cpu& cpu) { return LevelAt(cpu, cpu.pc); }

Level LevelAt(const Cpu& cpu, uint64_t pc) {
  if ((pc & 1) != 0) return Level::kPal;
  return cpu.mode == alpha::Mode::kKernel ? Level::kKernel : Level::kUser;
}

const char* LevelName(Level level) {
  switch (level) {
    case Level::kPal: return "pal";
    case Level::kKernel: return "kernel";
    case Level::kUser: break;
  }
  return "user";
}

std::string RegisterWrite::Name() const {
  if (file == File::kFpcr) return "fpcr";
  if (file == File::kFloat) return absl::StrCat("f", place);
  if (place < Cpu::kShadowBase) return std::string(alpha::IntegerRegisterName(place));
  const int shadow = place - Cpu::kShadowBase;
  return absl::StrCat("p", shadow < 4 ? 4 + shadow : 16 + shadow);
}

Stepper::Stepper(timeline::Timeline& timeline, uint64_t to) : timeline_(timeline), to_(to) {
  const int cpus = timeline.machine().cpu_count();
  for (int index = 0; cpus != 1 && index < cpus; ++index) {
    if (timeline.machine().waiting(index)) {
      waits_[static_cast<size_t>(index)] = Start(Step::Kind::kWait, index, cpu(index).cycle);
    }
  }
}

Stepper::Before Stepper::Remember(int index) const {
  const Cpu& c = cpu(index);
  return {c.cycle,
          c.instructions,
          c.pc,
          c.shadow_active(),
          c.r,
          c.f,
          c.fpcr,
          Exceptions(c.counters),
          c.counters.interrupts};
}

Step Stepper::Start(Step::Kind kind, int index, uint64_t cycle) const {
  Step step;
  step.kind = kind;
  step.cpu = index;
  step.cycle = cycle;
  step.pc = cpu(index).pc;
  step.level = LevelOf(cpu(index));
  step.asn = cpu(index).asn;
  return step;
}

void Stepper::NoteRegisters(const Before& before, Step& step) const {
  using File = RegisterWrite::File;
  const Cpu& c = cpu(step.cpu);
  const alpha::Instruction instruction = alpha::Decode(step.word);
  const uint32_t integers = alpha::IntegerWrites(instruction);
  const uint32_t floats = alpha::FloatWrites(instruction);
  // What it says that it writes, and what it writes besides, as CALL_PAL does.
  std::array<bool, Cpu::kIntegerSink> written{};
  for (int reg = 0; reg < 31; ++reg) {
    if ((integers >> reg & 1) != 0) written[Cpu::IntegerPlace(reg, before.shadow)] = true;
  }
  for (int place = 0; place < Cpu::kIntegerSink; ++place) {
    if (place == 31 || !(written[place] || c.r[place] != before.r[place])) continue;
    step.registers.push_back({File::kInteger, place, c.r[place]});
  }
  for (int place = 0; place < 31; ++place) {
    if ((floats >> place & 1) == 0 && c.f[place] == before.f[place]) continue;
    step.registers.push_back({File::kFloat, place, c.f[place]});
  }
  if (c.fpcr != before.fpcr) step.registers.push_back({File::kFpcr, 0, c.fpcr});
}

void Stepper::NoteMemory(const Before& before, Step& step) const {
  const std::optional<alpha::MemoryReference>& made = timeline_.reference();
  if (!made.has_value() || !made->pc.has_value()) return;  // a device's
  step.memory = made;
  const alpha::Memory& memory = timeline_.machine().memory();
  if (memory.Contains(made->pa, made->size)) {
    uint64_t value = 0;
    std::memcpy(&value, memory.host(made->pa), std::min<uint64_t>(made->size, sizeof(value)));
    step.value = value;
    return;
  }
  // A device cannot be asked again, but what it was sent is in a register.
  const alpha::Instruction instruction = alpha::Decode(step.word);
  const alpha::Shape shape = alpha::Info(instruction.op).shape;
  const bool sends =
      made->write && (shape == alpha::Shape::kStore || shape == alpha::Shape::kHwStore ||
                      shape == alpha::Shape::kStoreConditional);
  if (!sends) return;
  step.value = LowBytes(before.r[Cpu::IntegerPlace(instruction.ra, before.shadow)], made->size);
}

absl::StatusOr<bool> Stepper::Next(Step& step) {
  while (ready_.empty()) {
    if (Ends()) return false;
    const machine::Machine& machine = timeline_.machine();
    const uint64_t here = machine.moment();
    const absl::Status status = machine.cpu_count() == 1 ? StepAlone() : StepOne();
    if (!status.ok()) return status;
    // The end, where nothing more happened.
    if (ready_.empty() && (machine.cpu_count() == 1 || machine.moment() == here)) return false;
  }
  step = std::move(ready_.back());
  ready_.pop_back();
  return true;
}

bool Stepper::Ends() const {
  const machine::Machine& machine = timeline_.machine();
  return timeline_.run_end().has_value() || (!machine.inside_round() && machine.now() >= to_);
}

absl::Status Stepper::StepAlone() {
  static const StopCondition kAnyReference = AnyReference();
  const Cpu& c = cpu(0);
  const bool waiting = timeline_.machine().waiting();
  StopCondition next = waiting ? StopCondition::AtPcs({c.pc}) : kAnyReference;
  next.cycle = waiting ? to_ : c.cycle + 1;
  if (waiting) next.events = StopCondition::AtEvent<machine::InterruptEvent>().events;
  const Before before = Remember(0);
  Step done = Start(Step::Kind::kInstruction, 0, before.cycle);
  // Where nothing can be fetched it takes an exception.
  const alpha::Memory& memory = timeline_.machine().memory();
  if (!waiting) done.word = alpha::FetchWord(c, memory, c.pc).value_or(0);
  const absl::StatusOr<Arrival> arrival = timeline_.RunForward(next);
  if (arrival.ok()) Finish(before, std::move(done));
  return arrival.status();
}

void Stepper::Finish(const Before& before, Step done) {
  const Cpu& c = cpu(done.cpu);
  done.to_pc = c.pc;
  const bool retired = c.instructions != before.instructions;
  const bool interrupt = c.counters.interrupts != before.interrupts;
  const bool exception = Exceptions(c.counters) != before.exceptions;
  const bool entered = interrupt || exception;
  const uint64_t entry_cycles = entered ? alpha::InstructionCost(alpha::CostClass::kPalEntry) : 0;
  if (entered) {
    Step entry = done;
    entry.kind = interrupt ? Step::Kind::kInterrupt : Step::Kind::kException;
    entry.cycle = c.cycle - entry_cycles;
    entry.cycles = entry_cycles;
    ready_.push_back(std::move(entry));
  }
  done.cycles = c.cycle - entry_cycles - before.cycle;
  if (retired) {
    NoteRegisters(before, done);
    NoteMemory(before, done);
  } else {
    done.kind = Step::Kind::kWait;
  }
  if (retired || done.cycles != 0) ready_.push_back(std::move(done));
}

absl::Status Stepper::StepOne() {
  static const StopCondition kAnyReference = AnyReference();
  const machine::Machine& machine = timeline_.machine();
  const std::optional<int> who = machine.next_cpu();
  if (!who.has_value()) return BeginRound();
  const Cpu& c = cpu(*who);
  StopCondition next = kAnyReference;
  next.moment = machine.moment() + 1;
  const Before before = Remember(*who);
  const uint64_t stood = machine.wait_cycles(*who);
  Step done = Start(Step::Kind::kInstruction, *who, before.cycle);
  done.word = alpha::FetchWord(c, machine.memory(), c.pc).value_or(0);
  const absl::StatusOr<Arrival> arrival = timeline_.RunForward(next);
  if (!arrival.ok()) return arrival.status();
  Finish(before, std::move(done));
  if (!machine.waiting(*who) || ready_.empty()) return absl::OkStatus();
  // Where the round has ended, it has stood still to its end already.
  const uint64_t began = c.cycle - (machine.wait_cycles(*who) - stood);
  ready_.back().cycles = began - before.cycle;
  waits_[static_cast<size_t>(*who)] = Start(Step::Kind::kWait, *who, began);
  return absl::OkStatus();
}

absl::Status Stepper::BeginRound() {
  const machine::Machine& machine = timeline_.machine();
  std::vector<Before> before;
  StopCondition next = StopCondition::AtEvent<machine::InterruptEvent>();
  next.cycle = to_;
  bool all_wait = true;
  for (int index = 0; index < machine.cpu_count(); ++index) {
    before.push_back(Remember(index));
    next.pcs.push_back(cpu(index).pc);
    all_wait = all_wait && machine.waiting(index);
  }
  if (!all_wait) next.moment = machine.moment() + 1;
  const absl::StatusOr<Arrival> arrival = timeline_.RunForward(next);
  if (!arrival.ok()) return arrival.status();
  // In the order of their numbers, the last of `ready_` first.
  for (int index = machine.cpu_count(); index-- > 0;) {
    const Cpu& c = cpu(index);
    const bool entered = c.counters.interrupts != before[static_cast<size_t>(index)].interrupts;
    const uint64_t cycles =
        entered ? alpha::InstructionCost(alpha::CostClass::kPalEntry) : uint64_t{0};
    if (entered) {
      Step entry = Start(Step::Kind::kInterrupt, index, c.cycle - cycles);
      entry.cycles = cycles;
      entry.pc = before[static_cast<size_t>(index)].pc;
      entry.level = LevelAt(c, entry.pc);
      entry.to_pc = c.pc;
      ready_.push_back(std::move(entry));
    }
    NoteWait(index, c.cycle - cycles);
  }
  return absl::OkStatus();
}

void Stepper::NoteWait(int index, uint64_t until) {
  std::optional<Step>& wait = waits_[static_cast<size_t>(index)];
  if (!wait.has_value() || timeline_.machine().waiting(index)) return;
  wait->cycles = until - wait->cycle;
  if (wait->cycles != 0) ready_.push_back(*wait);
  wait.reset();
}

}  // namespace isochron::debug
