#include "cli/control/panic_watch.h"

#include <cstring>
#include <memory>
#include <utility>

#include <re2/re2.h>

#include "machine/firmware/elf_image.h"

namespace isochron::cli {
namespace {

// "<0>[   12.345678][    T1] " in front of a line of the kernel.
constexpr const char* kPrefix = R"(^(?:<\d>)?(?:\[[^\]]*\] ?)*)";

constexpr int kLongestDeadLoop = 32;  // instructions

// What a loop that waits for nothing consists of, beside branches.
bool IsNoOperation(uint32_t instruction) {
  constexpr uint32_t kIntegerLogical = 0x11;
  constexpr uint32_t kMisc = 0x18;
  constexpr uint32_t kLoadUnaligned = 0x0b;
  const uint32_t opcode = instruction >> 26;
  if (opcode == kMisc) {
    const uint32_t function = instruction & 0xffff;
    return function == 0x0000 || function == 0x0400 || function == 0x4000 || function == 0x4400;
  }
  if (opcode == kIntegerLogical) return (instruction & 0x1f) == 31;       // into R31
  if (opcode == kLoadUnaligned) return (instruction >> 21 & 0x1f) == 31;  // unop
  return false;
}

// BR and BSR that write no register.
bool IsJump(uint32_t instruction) {
  const uint32_t opcode = instruction >> 26;
  return (opcode == 0x30 || opcode == 0x34) && (instruction >> 21 & 0x1f) == 31;
}

}  // namespace

struct PanicWatch::Compiled {
  std::shared_ptr<const re2::RE2> message;
  std::shared_ptr<const re2::RE2> confirmation;  // nullptr: none is needed
  std::shared_ptr<const re2::RE2> end;
};

std::vector<PanicPattern> KnownPanics() {
  return {
      {"Linux", "Kernel panic - not syncing: ", "", R"(---\[ end Kernel panic - not syncing)"},
      // Programs of users begin a line like that, too.
      {"NetBSD", "panic: ",
       R"((?:cpu\d+: )?Begin traceback\.\.\.|Stopped in pid |db(?:\{\d+\})?> |syncing disks)",
       R"((?:cpu\d+: )?End traceback\.\.\.|db(?:\{\d+\})?> |dump(?:ing)? to dev|rebooting\.\.\.)"},
  };
}

bool IsDeadLoop(const alpha::Cpu& cpu, const alpha::Memory& memory) {
  if (!cpu.pal_mode() && cpu.ier != 0) return false;
  const uint64_t start = cpu.pc & ~uint64_t{3};
  if (!cpu.pal_mode() && !machine::IsKseg(start)) return false;
  uint64_t pc = start;
  for (int i = 0; i < kLongestDeadLoop; ++i) {
    const uint64_t physical = cpu.pal_mode() ? pc : machine::KsegToPhysical(pc);
    uint32_t instruction = 0;
    if (physical + sizeof(instruction) > memory.size()) return false;
    memcpy(&instruction, memory.host(physical), sizeof(instruction));
    pc += 4;
    if (IsJump(instruction)) {
      const int64_t displacement = static_cast<int32_t>(instruction << 11) >> 11;
      pc += static_cast<uint64_t>(displacement * 4);
    } else if (!IsNoOperation(instruction)) {
      return false;
    }
    if (pc == start) return true;
  }
  return false;
}

PanicWatch::PanicWatch(uint64_t clock_hz, std::function<bool()> is_dead)
    : clock_hz_(clock_hz), is_dead_(std::move(is_dead)), patterns_([] {
        std::vector<Compiled> compiled;
        auto compile = [](const char* pattern) {
          return std::make_shared<const re2::RE2>(std::string(kPrefix) + "(?:" + pattern + ")");
        };
        for (const PanicPattern& known : KnownPanics()) {
          compiled.push_back({compile(known.message),
                              *known.confirmation == '\0' ? nullptr : compile(known.confirmation),
                              compile(known.end)});
        }
        return compiled;
      }()) {}

PanicWatch::~PanicWatch() = default;

void PanicWatch::OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) {
  if (uart != 0 || ended_) return;
  if (byte == '\n') return EndLine(cycle);
  if (byte != '\r' && line_.size() < kMaxLine) line_.push_back(static_cast<char>(byte));
  // The prompt of a debugger ends no line.
  if (seen_ != nullptr && byte == ' ' && line_.starts_with("db")) EndLine(cycle);
}

void PanicWatch::EndLine(uint64_t cycle) {
  const std::string line = std::exchange(line_, {});
  const auto matches = [&line](const std::shared_ptr<const re2::RE2>& pattern) {
    return re2::RE2::PartialMatch(line, *pattern);
  };
  if (seen_ == nullptr) {
    for (const Compiled& pattern : patterns_) {
      if (!matches(pattern.message)) continue;
      seen_ = &pattern;
      message_ = line;
      confirmed_ = pattern.confirmation == nullptr;
      since_ = cycle;
      return;
    }
    return;
  }
  if (!confirmed_ && matches(seen_->confirmation)) {
    confirmed_ = true;
    since_ = cycle;
  }
  if (confirmed_ && matches(seen_->end)) ended_ = true;
}

void PanicWatch::Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) {
  const uint64_t passed = point.cycle - since_;
  if (seen_ != nullptr && !confirmed_ && passed > kConfirmSeconds * clock_hz_) {
    seen_ = nullptr;
    message_.clear();
  }
  dead_points_ = is_dead_() ? dead_points_ + 1 : 0;
  if (ended_ || (confirmed_ && passed > kAftermathSeconds * clock_hz_)) {
    inputs.push_back(machine::Input::Stop(machine::StopCause::kPanic, kMessage));
  } else if (dead_points_ >= kDeadPoints) {
    inputs.push_back(machine::Input::Stop(machine::StopCause::kPanic, kDeadLoop));
  }
}

}  // namespace isochron::cli
