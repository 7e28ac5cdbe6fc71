#include "engines/faulty_engine.h"

#include <charconv>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "alpha/decode.h"
#include "alpha/fetch_word.h"
#include "alpha/fpcr.h"
#include "alpha/translate.h"
#include "ref/engine.h"

namespace isochron::engines {
namespace {

using alpha::Cpu;
using alpha::Op;

// What a fault may know: the CPU after the instruction, and before.
struct Step {
  const alpha::Instruction& instruction;
  const Cpu& before;
  Cpu& cpu;
  alpha::Memory& memory;

  uint64_t& target(uint8_t reg) const {
    const int place = Cpu::IntegerPlace(reg, before.shadow_active());
    return cpu.r[reg == 31 ? Cpu::kIntegerSink : place];
  }
  bool retired() const { return cpu.instructions == before.instructions + 1; }
};

struct InstructionFault {
  std::string_view name;
  Op op;
  void (*apply)(const Step& step);
};

void StoreOneBitTooMany(const Step& step) {
  const uint8_t rb = step.instruction.rb;
  if (rb == 31) return;
  const uint64_t va = step.before.r[Cpu::IntegerPlace(rb, step.before.shadow_active())] +
                      static_cast<uint64_t>(step.instruction.immediate);
  const alpha::Translation translation =
      TranslateData(step.cpu, va, alpha::DataAccess::kWrite, step.cpu.mode);
  if (translation.status != alpha::TranslationStatus::kOk) return;
  if (!step.memory.Contains(translation.pa ^ 1)) return;
  step.memory.Store<uint8_t>(translation.pa ^ 1,
                             step.memory.Load<uint8_t>(translation.pa ^ 1) ^ 0x80);
}

constexpr InstructionFault kFaults[] = {
    {"addl", Op::kAddl, [](const Step& s) { s.target(s.instruction.rc) &= 0xffff'ffff; }},
    {"cmovlbs", Op::kCmovlbs,
     [](const Step& s) {
       uint64_t& target = s.target(s.instruction.rc);
       const auto old = s.before.r[Cpu::IntegerPlace(s.instruction.rc, s.before.shadow_active())];
       if (target == old) target ^= 1;
     }},
    {"stb", Op::kStb, StoreOneBitTooMany},
    {"beq", Op::kBeq, [](const Step& s) { ++s.cpu.cycle; }},
    {"ldq_l", Op::kLdqL, [](const Step& s) { s.cpu.lock_flag = false; }},
    {"callpal", Op::kCallPal, [](const Step& s) { --s.cpu.counters.pal_calls; }},
    {"adds", Op::kAdds, [](const Step& s) { s.cpu.fpcr = s.before.fpcr; }},
};

// A fault that strikes once.
struct TimedFault {
  std::string kind;
  uint64_t cycle = 0;
};

class FaultyEngine final : public alpha::Engine {
 public:
  FaultyEngine(alpha::Memory& memory, alpha::IoBus& io, const InstructionFault* fault,
               std::optional<TimedFault> timed)
      : memory_(memory),
        inner_(ref::CreateEngine(memory, io)),
        fault_(fault),
        timed_(std::move(timed)) {}

  alpha::RunResult Run(Cpu& cpu, alpha::Deadline& deadline) override {
    for (;;) {
      alpha::RunResult result = fault_ != nullptr ? RunOne(cpu, deadline) : RunTimed(cpu, deadline);
      if (result.reason == alpha::StopReason::kFatal || alpha::StopsAt(cpu, deadline, memory_)) {
        return result;
      }
    }
  }
  void Invalidate() override { inner_->Invalidate(); }
  alpha::EngineStats stats() const override { return inner_->stats(); }
  alpha::TranslationProbe* probe() override { return inner_->probe(); }

 private:
  alpha::RunResult RunTo(uint64_t cycle, Cpu& cpu, alpha::Deadline& deadline) {
    const alpha::BoundedDeadline bounded(deadline, cycle);
    return inner_->Run(cpu, deadline);
  }

  alpha::RunResult RunOne(Cpu& cpu, alpha::Deadline& deadline) {
    const std::optional<uint32_t> word = alpha::FetchWord(cpu, memory_, cpu.pc);
    const alpha::Instruction instruction = alpha::Decode(word.value_or(0));
    if (!word || instruction.op != fault_->op) return RunTo(cpu.cycle + 1, cpu, deadline);
    const Cpu before = cpu;
    alpha::RunResult result = RunTo(cpu.cycle + 1, cpu, deadline);
    const Step step{instruction, before, cpu, memory_};
    const bool entered = fault_->op == Op::kCallPal && cpu.cycle != before.cycle;
    if (step.retired() || entered) fault_->apply(step);
    return result;
  }

  alpha::RunResult RunTimed(Cpu& cpu, alpha::Deadline& deadline) {
    const bool to_come = timed_ && cpu.cycle < timed_->cycle;
    alpha::RunResult result =
        to_come ? RunTo(timed_->cycle, cpu, deadline) : inner_->Run(cpu, deadline);
    if (timed_ && cpu.cycle >= timed_->cycle) {
      Strike(cpu);
      timed_.reset();
    }
    return result;
  }

  void Strike(Cpu& cpu) {
    if (timed_->kind == "register" || timed_->kind == "vanishing") cpu.r[1] ^= 0x10;
    if (timed_->kind == "memory") {
      memory_.Store<uint8_t>(0x2'0100, memory_.Load<uint8_t>(0x2'0100) ^ 1);
    }
    if (timed_->kind == "cycle") ++cpu.cycle;
    if (timed_->kind == "tlb") cpu.dtb.InvalidateAll();
  }

  alpha::Memory& memory_;
  std::unique_ptr<alpha::Engine> inner_;
  const InstructionFault* fault_;
  std::optional<TimedFault> timed_;
};

std::optional<TimedFault> ParseTimed(std::string_view text) {
  const size_t at = text.find('@');
  if (at == text.npos) return std::nullopt;
  TimedFault fault{std::string(text.substr(0, at)), 0};
  const std::string_view number = text.substr(at + 1);
  const auto result = std::from_chars(number.data(), number.data() + number.size(), fault.cycle);
  if (result.ec != std::errc() || result.ptr != number.data() + number.size()) {
    return std::nullopt;
  }
  for (const std::string_view kind : {"register", "memory", "cycle", "tlb", "vanishing"}) {
    if (fault.kind == kind) return fault;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> InstructionFaults() {
  std::vector<std::string> names;
  for (const InstructionFault& fault : kFaults) names.emplace_back(fault.name);
  return names;
}

absl::StatusOr<machine::EngineFactory> FaultyInterpreter(std::string_view fault) {
  const InstructionFault* found = nullptr;
  for (const InstructionFault& candidate : kFaults) {
    if (candidate.name == fault) found = &candidate;
  }
  std::optional<TimedFault> timed = ParseTimed(fault);
  if (found == nullptr && !timed) {
    return absl::InvalidArgumentError(absl::StrCat("there is no fault '", std::string(fault), "'"));
  }
  auto used = std::make_shared<bool>(false);
  return [found, timed, used](alpha::Memory& memory,
                              alpha::IoBus& io) -> std::unique_ptr<alpha::Engine> {
    std::optional<TimedFault> mine = timed;
    if (mine && mine->kind == "vanishing" && std::exchange(*used, true)) mine.reset();
    return std::make_unique<FaultyEngine>(memory, io, found, std::move(mine));
  };
}

}  // namespace isochron::engines
