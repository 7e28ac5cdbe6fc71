#include "conformance/sequences/board_case.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/encode.h"
#include "alpha/state_visitor.h"
#include "conformance/sequences/board_dma.h"
#include "conformance/sequences/board_program.h"
#include "conformance/sequences/sequence_machine.h"
#include "conformance/sequences/text_lines.h"
#include "machine/disks/disk.h"
#include "machine/disks/disk_contents.h"
#include "machine/firmware/elf_image.h"
#include "ref/engine.h"

namespace isochron::conformance {
namespace {

using machine::Input;
using machine::Machine;

class CaseDisk final : public machine::DiskContents {
 public:
  explicit CaseDisk(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  absl::Status Read(uint64_t offset, std::span<uint8_t> bytes) const override {
    std::memcpy(bytes.data(), bytes_.data() + offset, bytes.size());
    return absl::OkStatus();
  }

 private:
  const std::string bytes_;
};

const Sequence& ProgramOf(const BoardCase& board_case, int cpu) {
  return cpu == 0 ? board_case.program : board_case.others[static_cast<size_t>(cpu) - 1];
}

// The state of a machine that was just made, with the case's CPUs and flips.
absl::StatusOr<std::string> StateOf(const BoardCase& board_case, Machine& machine) {
  std::string state = machine.SaveWithoutMemory();
  size_t begin = 0;
  for (int i = 0; i < machine.cpu_count(); ++i) {
    const std::string reset = alpha::StateBytes(machine.cpu(i));
    const size_t at = state.find(reset, begin);
    if (at == std::string::npos) return absl::InternalError("a state without its CPUs");
    alpha::Cpu cpu = machine.cpu(i);
    SetRegisters(ProgramOf(board_case, i), cpu);
    state.replace(at, reset.size(), alpha::StateBytes(cpu));
    begin = at + reset.size();
  }
  for (const StateFlip& flip : board_case.flips) {
    if (flip.offset >= state.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("a flip at byte ", flip.offset, " of a state of ", state.size()));
    }
    state[flip.offset] ^= static_cast<char>(flip.bits);
  }
  return state;
}

// Flips a few bits, if a machine takes that.
absl::Status Disturb(Random& random, BoardCase& board_case) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    absl::StatusOr<std::unique_ptr<Machine>> machine = MakeBoard(board_case, ref::CreateEngine);
    if (!machine.ok()) return machine.status();
    const size_t size = (*machine)->SaveWithoutMemory().size();
    for (uint64_t count = 1 + random() % 6; count != 0; --count) {
      board_case.flips.push_back({random() % size, static_cast<uint8_t>(1 << random() % 8)});
    }
    if (PutToCase(board_case, **machine).ok()) break;
    board_case.flips.clear();
  }
  return absl::OkStatus();
}

constexpr uint64_t kCycles = 90'000;

// Bytes and breaks for both UARTs, at some of the input points.
void AddInputs(Random& random, BoardCase& board_case) {
  for (uint64_t after = 0; after < kCycles; after += board_case.config.input_interval) {
    const machine::Port port = machine::Port::Uart(static_cast<int>(random() % 2));
    if (random() % 8 == 0) board_case.inputs.push_back({after, Input::Break(port)});
    if (random() % 2 == 0) board_case.inputs.push_back({after, Input::Bytes(port, "ab")});
  }
}

// More CPUs with their programs, and a schedule: turns of a few cycles and longer ones, so that all
// CPUs see one another's doings in the middle.
void AddCpus(Random& random, BoardCase& board_case) {
  machine::MachineConfig& config = board_case.config;
  for (uint32_t cpu = 1; cpu < config.cpus; ++cpu) {
    board_case.others.push_back(
        GenerateProgramBeside(random, cpu, config.cpus, board_case.program));
  }
  config.quantum = random();
  config.quantum = 1 + config.quantum % (uint64_t{2} << random() % 13);
  config.checkpoint_interval = 1000 + random() % 2000;
  machine::ScheduleConfig& schedule = config.schedule;
  using Kind = machine::ScheduleConfig::Kind;
  constexpr Kind kKinds[] = {Kind::kFixed,  Kind::kFixed, Kind::kRandom,  Kind::kRandom,
                             Kind::kRandom, Kind::kPct,   Kind::kSwitches};
  schedule.kind = kKinds[random() % std::size(kKinds)];
  schedule.seed = random();
  switch (schedule.kind) {
    case Kind::kFixed: schedule.seed = 0; break;
    case Kind::kRandom:
      schedule.min_turn = 1 + random() % 4;
      schedule.max_turn = random();
      schedule.max_turn = schedule.min_turn + schedule.max_turn % (uint64_t{2} << random() % 10);
      break;
    case Kind::kPct:
      schedule.depth = 1 + static_cast<uint32_t>(random() % machine::ScheduleConfig::kMaxDepth);
      schedule.length = kCycles;
      break;
    case Kind::kSwitches:
      schedule.seed = 0;
      for (uint64_t cycle = random() % 1000; cycle < kCycles; cycle += random() % 4000) {
        const auto from = static_cast<uint32_t>(random() % config.cpus);
        const auto to = (from + 1 + static_cast<uint32_t>(random() % (config.cpus - 1)));
        schedule.switches.push_back({cycle, from, to % config.cpus});
      }
      break;
  }
}

constexpr std::string_view kMagic = "isochron-board 1";
constexpr std::string_view kProgramFollows = "program";
constexpr size_t kSectorWords = machine::kSectorSize / sizeof(uint64_t);

// The fields that are one number each.
template <typename AnyCase, typename Visit>
void VisitNumbers(AnyCase& board_case, Visit&& visit) {
  visit("seed", board_case.seed);
  visit("memory_bytes", board_case.config.memory_bytes);
  visit("clock_hz", board_case.config.clock_hz);
  visit("itb_entries", board_case.config.itb_entries);
  visit("dtb_entries", board_case.config.dtb_entries);
  visit("entropy_seed", board_case.config.seed);
  visit("input_interval", board_case.config.input_interval);
  visit("checkpoint_interval", board_case.config.checkpoint_interval);
}

// The same of several CPUs and their schedule.
bool TakeCpus(std::string_view key, const std::vector<uint64_t>& numbers,
              machine::MachineConfig& config) {
  machine::ScheduleConfig& schedule = config.schedule;
  if (key == "switch") {
    if (numbers.size() != 3 || std::max(numbers[1], numbers[2]) >= config.kMaxCpus) return false;
    schedule.switches.push_back(
        {numbers[0], static_cast<uint32_t>(numbers[1]), static_cast<uint32_t>(numbers[2])});
    return true;
  }
  if (numbers.size() != 8 || std::max(numbers[0], numbers[6]) > UINT32_MAX) return false;
  if (numbers[2] > static_cast<uint64_t>(machine::ScheduleConfig::Kind::kSwitches)) return false;
  config.cpus = static_cast<uint32_t>(numbers[0]);
  config.quantum = numbers[1];
  schedule.kind = static_cast<machine::ScheduleConfig::Kind>(numbers[2]);
  schedule.seed = numbers[3];
  schedule.min_turn = numbers[4];
  schedule.max_turn = numbers[5];
  schedule.depth = static_cast<uint32_t>(numbers[6]);
  schedule.length = numbers[7];
  return true;
}

// Puts one line into the case; false when it makes no sense.
bool TakeLine(std::string_view key, const std::vector<uint64_t>& numbers, BoardCase& board_case) {
  if (key == "flip") {
    if (numbers.size() != 2 || numbers[1] > 0xff) return false;
    board_case.flips.push_back({numbers[0], static_cast<uint8_t>(numbers[1])});
    return true;
  }
  if (key == "break" || key == "bytes") {
    const bool bytes = key == "bytes";
    if (bytes ? numbers.size() < 3 : numbers.size() != 2) return false;
    if (numbers[1] >= machine::Port::kUartStreams) return false;
    const machine::Port port = machine::Port::Uart(static_cast<int>(numbers[1]));
    std::string typed;
    for (size_t i = 2; i < numbers.size(); ++i) {
      if (numbers[i] > 0xff) return false;
      typed += static_cast<char>(numbers[i]);
    }
    board_case.inputs.push_back(
        {numbers[0], bytes ? Input::Bytes(port, typed) : Input::Break(port)});
    return true;
  }
  if (key == "sector") {
    if (numbers.size() != kSectorWords) return false;
    for (const uint64_t word : numbers) {
      board_case.disk.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
    board_case.config.disks = {{.bytes = board_case.disk.size()}};
    return true;
  }
  if (key == "cpus" || key == "switch") return TakeCpus(key, numbers, board_case.config);
  NumberTaker taker{key, numbers};
  VisitNumbers(board_case, taker);
  return taker.taken;
}

std::string FormatCpus(const machine::MachineConfig& config) {
  if (config.cpus == 1) return "";
  const machine::ScheduleConfig& schedule = config.schedule;
  std::string text =
      absl::StrFormat("cpus %x %x %x %x %x %x %x %x\n", config.cpus, config.quantum,
                      static_cast<int>(schedule.kind), schedule.seed, schedule.min_turn,
                      schedule.max_turn, schedule.depth, schedule.length);
  for (const machine::TurnSwitch& at : schedule.switches) {
    absl::StrAppendFormat(&text, "switch %x %x %x\n", at.cycle, at.from, at.to);
  }
  return text;
}

}  // namespace

absl::StatusOr<BoardCase> GenerateBoardCase(uint64_t seed, BoardKind kind) {
  Random random(seed ^ 0x626f617264);
  BoardCase made;
  made.seed = seed;
  if (kind == BoardKind::kCpus) made.config.cpus = 2 + static_cast<uint32_t>(random() % 3);
  made.program = GenerateBoardProgram(random, seed, made.config.cpus);
  made.program.cycles = kCycles;
  made.config.memory_bytes = machine::MachineConfig::kMinMemory;
  made.config.itb_entries = made.config.dtb_entries = std::max<uint32_t>(
      machine::MachineConfig::kMinTlbEntries, static_cast<uint32_t>(made.program.tlb_entries));
  // A slow clock makes the devices fast, but no faster than the interrupt handler.
  constexpr uint64_t kClocks[] = {8'000'000, 16'000'000, 40'000'000};
  made.config.clock_hz = kClocks[random() % std::size(kClocks)];
  made.config.input_interval = 1000 + random() % 2000;
  made.config.checkpoint_interval = 2000 + random() % 4000;
  made.config.seed = random();
  AddInputs(random, made);
  if (kind == BoardKind::kDma) {
    made.disk = AddDma(random, made.program);
    made.config.disks = {{.bytes = made.disk.size()}};
  }
  if (kind == BoardKind::kCpus) AddCpus(random, made);
  if (random() % 2 == 0) {
    if (absl::Status status = Disturb(random, made); !status.ok()) return status;
  }
  return made;
}

absl::StatusOr<std::unique_ptr<Machine>> MakeBoard(const BoardCase& board_case,
                                                   const machine::EngineFactory& engine) {
  // What the firmware loads is overwritten, and comes back only after a reset.
  machine::BootImages images;
  const uint32_t forever = alpha::words::BranchOp(alpha::Op::kBr, 31, -1);
  machine::KernelSegment segment;
  segment.address = machine::PhysicalToKseg(0x310000);
  segment.memory_bytes = alpha::kPageSize;
  segment.contents.assign(reinterpret_cast<const char*>(&forever), sizeof forever);
  images.kernel.entry = segment.address;
  images.kernel.segments.push_back(std::move(segment));
  if (!board_case.disk.empty()) {
    images.disks.push_back(std::make_shared<CaseDisk>(board_case.disk));
  }
  return Machine::Create(board_case.config, std::move(images), engine);
}

absl::Status PutToCase(const BoardCase& board_case, Machine& machine) {
  absl::StatusOr<std::string> state = StateOf(board_case, machine);
  if (!state.ok()) return state.status();
  return machine.Restore(
      [&](alpha::Memory& memory, std::span<machine::Disk>) -> absl::StatusOr<std::string> {
        for (int i = 0; i < machine.cpu_count(); ++i) LoadMemory(ProgramOf(board_case, i), memory);
        return *std::move(state);
      });
}

std::string FormatBoardCase(const BoardCase& board_case) {
  std::string text = absl::StrCat(std::string(kMagic), "\n");
  VisitNumbers(board_case, NumberWriter{text});
  text += FormatCpus(board_case.config);
  for (const StateFlip& flip : board_case.flips) {
    absl::StrAppendFormat(&text, "flip %x %x\n", flip.offset, flip.bits);
  }
  for (const BoardInput& at : board_case.inputs) {
    const bool bytes = at.input.kind == machine::InputKind::kBytes;
    absl::StrAppendFormat(&text, "%s %x %x", bytes ? "bytes" : "break", at.after,
                          at.input.port.stream);
    for (const char byte : at.input.bytes) {
      absl::StrAppendFormat(&text, " %x", static_cast<uint8_t>(byte));
    }
    text += '\n';
  }
  for (size_t at = 0; at < board_case.disk.size(); at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, board_case.disk.data() + at, sizeof word);
    absl::StrAppendFormat(&text, "%s %x", at % machine::kSectorSize == 0 ? "sector" : "", word);
    if ((at + sizeof word) % machine::kSectorSize == 0) text += '\n';
  }
  for (uint32_t cpu = 0; cpu < board_case.config.cpus; ++cpu) {
    absl::StrAppend(&text, std::string(kProgramFollows), "\n",
                    FormatSequence(ProgramOf(board_case, static_cast<int>(cpu))));
  }
  return text;
}

bool IsBoardCase(std::string_view text) { return text.starts_with(kMagic); }

absl::StatusOr<BoardCase> ParseBoardCase(std::string_view text) {
  BoardCase board_case;
  const std::string divider = absl::StrCat("\n", std::string(kProgramFollows), "\n");
  const size_t end = text.find(divider);
  if (end == text.npos) return absl::InvalidArgumentError("the board's program is missing");
  absl::Status status = ParseLines(text.substr(0, end + 1), kMagic,
                                   [&](std::string_view key, const std::vector<uint64_t>& numbers) {
                                     return TakeLine(key, numbers, board_case);
                                   });
  if (!status.ok()) return status;
  for (size_t begin = end; begin != text.npos;) {
    begin += divider.size();
    const size_t next = text.find(divider, begin);
    absl::StatusOr<Sequence> program = ParseSequence(text.substr(begin, next - begin));
    if (!program.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("the program: ", program.status().message()));
    }
    (begin == end + divider.size() ? board_case.program : board_case.others.emplace_back()) =
        *std::move(program);
    begin = next;
  }
  if (status = board_case.config.Validate(); !status.ok()) return status;
  if (board_case.config.cpus != 1 + board_case.others.size()) {
    return absl::InvalidArgumentError("there is not a program for each CPU");
  }
  return board_case;
}

}  // namespace isochron::conformance
