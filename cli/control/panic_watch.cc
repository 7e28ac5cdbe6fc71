#include "cli/control/panic_watch.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include <re2/re2.h>

#include "machine/bus/event_queue.h"
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
  Stream& stream = streams_[uart];
  if (stream.ended) return;
  if (byte == '\n') return EndLine(cycle, stream);
  if (byte != '\r' && stream.line.size() < kMaxLine) stream.line.push_back(static_cast<char>(byte));
  // The prompt of a debugger ends no line.
  if (stream.seen != nullptr && byte == ' ' && stream.line.starts_with("db")) {
    EndLine(cycle, stream);
  }
}

void PanicWatch::Expire(uint64_t cycle, Stream& stream) const {
  if (stream.seen == nullptr || stream.confirmed) return;
  if (cycle - stream.since <= kConfirmSeconds * clock_hz_) return;
  stream.seen = nullptr;
  stream.message.clear();
}

void PanicWatch::EndLine(uint64_t cycle, Stream& stream) {
  const std::string line = std::exchange(stream.line, {});
  const auto matches = [&line](const std::shared_ptr<const re2::RE2>& pattern) {
    return re2::RE2::PartialMatch(line, *pattern);
  };
  Expire(cycle, stream);
  if (stream.seen == nullptr) {
    for (const Compiled& pattern : patterns_) {
      if (!matches(pattern.message)) continue;
      stream.seen = &pattern;
      stream.message = line;
      stream.confirmed = pattern.confirmation == nullptr;
      stream.since = cycle;
      return;
    }
    return;
  }
  if (!stream.confirmed && matches(stream.seen->confirmation)) {
    stream.confirmed = true;
    stream.since = cycle;
  }
  if (stream.confirmed && matches(stream.seen->end)) stream.ended = true;
}

uint64_t PanicWatch::DueCycle(const Stream& stream) const {
  if (stream.ended) return 0;
  return stream.confirmed ? stream.since + kAftermathSeconds * clock_hz_ + 1 : machine::kNever;
}

const std::string& PanicWatch::message() const {
  const Stream& first = streams_[0];
  const Stream& second = streams_[1];
  return DueCycle(second) < DueCycle(first) || first.message.empty() ? second.message
                                                                     : first.message;
}

std::optional<machine::Input> PanicWatch::Look(uint64_t cycle) {
  dead_points_ = is_dead_() ? dead_points_ + 1 : 0;
  for (Stream& stream : streams_) {
    Expire(cycle, stream);
    if (cycle >= DueCycle(stream)) {
      return machine::Input::Stop(machine::StopCause::kPanic, kMessage);
    }
  }
  if (dead_points_ < kDeadPoints) return std::nullopt;
  return machine::Input::Stop(machine::StopCause::kPanic, kDeadLoop);
}

void PanicWatch::Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) {
  if (std::optional<machine::Input> stop = Look(point.cycle)) inputs.push_back(*std::move(stop));
}

uint64_t PanicWatch::NextStop(uint64_t cycle, uint64_t until) {
  for (const Stream& stream : streams_) {
    until = machine::NextStopOfLimit(std::max(cycle + 1, DueCycle(stream)), cycle, until);
  }
  return until;
}

std::optional<machine::Input> PanicWatch::TakeStop(const machine::InputPoint& point,
                                                   Occasion occasion) {
  return occasion == Occasion::kRequest ? std::nullopt : Look(point.cycle);
}

}  // namespace isochron::cli
