#include "conformance/board_case.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <random>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "alpha/ipr.h"
#include "alpha/state_visitor.h"
#include "conformance/sequence_generator.h"
#include "conformance/sequence_machine.h"
#include "conformance/sequence_operands.h"
#include "conformance/sequence_palcode.h"
#include "machine/elf_image.h"
#include "machine/firmware_layout.h"
#include "machine/machine.h"
#include "ref/engine.h"
#include "ref/testing.h"
#include "replaylog/describe.h"
#include "replaylog/event_stream.h"
#include "replaylog/log_diff.h"
#include "replaylog/recorder.h"

namespace isochron::conformance {
namespace {

using alpha::HwLoadType;
using alpha::HwStoreType;
using alpha::Ipr;
using alpha::Op;
using machine::Machine;
using Layout = SequenceLayout;
using Words = std::vector<uint32_t>;
using namespace ref::testing;  // NOLINT: an assembler

// ---- Where things are ----

// Physical addresses of the board, in system addresses (PA<34:0>), which PA<43> selects.
constexpr uint64_t kIoSpace = uint64_t{1} << 43;
constexpr uint64_t kKsegIo = 0xffff'fd00'0000'0000;
constexpr uint64_t kPciIo = 0x1'fc00'0000;
constexpr uint64_t kCchipBase = 0x1'a000'0000;
constexpr uint64_t kPlatformBase = FW_PLATFORM_PA & 0x7'ffff'ffff;
constexpr uint64_t kClockIndex = kPciIo + 0x70;  // and the clock chip's data port behind it
constexpr uint64_t kMisc = kCchipBase + 0x80;

// What programs do I/O to.
constexpr uint64_t kDevices[] = {
    kPciIo + 0x20,   kPciIo + 0x40,     kPciIo + 0x60,  kPciIo + 0x70,
    kPciIo + 0x2f8,  kPciIo + 0x3f8,    kPciIo + 0x3f8, kPciIo,
    kCchipBase,      kCchipBase + 0x200, 0x1'b000'0000,  0x1'8000'0000,
    0x1'fe00'3800,   kPlatformBase + FW_PLATFORM_ENTROPY, 0x1'f800'0000,  0x0'1000'0000};

// The program's own places, in pages that sequences leave alone.
constexpr uint64_t kPrelude = 0xf000;
constexpr uint64_t kTickCell = 0x1900;  // how many interrupts there were

// ---- PALcode ----

// HW_ST of a longword.
uint32_t StoreLong(uint32_t ra, int displacement, uint32_t rb) {
  constexpr uint32_t kQuadword = uint32_t{alpha::kHwQuadword} << 12;
  return HwStore(HwStoreType::kPhysical, ra, displacement, rb) & ~kQuadword;
}

uint32_t LoadLong(uint32_t ra, int displacement, uint32_t rb) {
  constexpr uint32_t kQuadword = uint32_t{alpha::kHwQuadword} << 12;
  return HwLoad(HwLoadType::kPhysical, ra, displacement, rb) & ~kQuadword;
}

// Puts the physical address of a register to `target`.
void AppendAddress(uint32_t target, uint64_t system_address, Words& words) {
  const uint64_t pa = kIoSpace | system_address;
  // 11 bits at a time from the top: what LDA takes without a sign.
  words.push_back(MemoryOp(Op::kLda, target, static_cast<int>(pa >> 33), 31));
  for (int shift = 22; shift >= 0; shift -= 11) {
    words.push_back(OperateLiteral(Op::kSll, target, 11, target));
    words.push_back(MemoryOp(Op::kLda, target, static_cast<int>(pa >> shift & 0x7ff), target));
  }
}

// Counts, quiets the interval timer, and disables what else asked: the program enables it again.
Words InterruptHandler() {
  Words words;
  AppendAddress(4, kClockIndex, words);
  const Words body = {
      MemoryOp(Op::kLda, 5, 0x0c, 31), StoreLong(5, 0, 4),  // register C of the clock chip
      LoadLong(5, 0, 4),
  };
  words.insert(words.end(), body.begin(), body.end());
  AppendAddress(4, kMisc, words);
  const Words rest = {
      MemoryOp(Op::kLda, 5, 0x10, 31),  // MISC<ITINTR> of CPU 0
      HwStore(HwStoreType::kPhysical, 5, 0, 4),
      MemoryOp(Op::kLda, 4, static_cast<int>(kTickCell), 31),
      HwLoad(HwLoadType::kPhysical, 5, 0, 4),
      OperateLiteral(Op::kAddq, 5, 1, 5),
      HwStore(HwStoreType::kPhysical, 5, 0, 4),
      Mfpr(4, Ipr::kIsum),
      MemoryOp(Op::kLda, 5, 1, 31),
      OperateLiteral(Op::kSll, 5, 35, 5),  // EI<2>
      Operate(Op::kBic, 4, 5, 4),
      Mfpr(5, Ipr::kIer),
      Operate(Op::kBic, 5, 4, 5),
      Mtpr(5, Ipr::kIer),
      Mtpr(31, Ipr::kSirr),
      Mfpr(22, Ipr::kExcAddr),
      HwRet(22),
  };
  words.insert(words.end(), rest.begin(), rest.end());
  return words;
}

// CALL_PAL kStop: powers off.
Words PowerOff() {
  Words words;
  AppendAddress(20, kPlatformBase, words);
  words.push_back(MemoryOp(Op::kLda, 21, 1, 31));
  words.push_back(HwStore(HwStoreType::kPhysical, 21, FW_PLATFORM_POWER, 20));
  return words;
}

// In PALmode, from where the case begins: sets the timer and the UARTs going, waits, and goes to the program. The shadow registers
// and R22 are free.
Words Prelude(Random& random, uint64_t pc) {
  Words words;
  AppendAddress(4, kClockIndex, words);
  // Register B: periodic interrupts on, binary, 24 hours.
  words.push_back(MemoryOp(Op::kLda, 5, 0x460b, 31));
  words.push_back(StoreLong(5, 0, 4));
  for (const uint64_t uart : {kPciIo + 0x3f8, kPciIo + 0x2f8}) {
    AppendAddress(4, uart, words);
    // Registers 0 to 3: a byte to send, some interrupts, FIFOs, 8 bits; then MCR: DTR, RTS, OUT2.
    words.push_back(MemoryOp(Op::kLdah, 5, 0x0301, 31));
    words.push_back(MemoryOp(Op::kLda, 5, static_cast<int>(random() % 16 << 8 | random() % 256), 5));
    words.push_back(StoreLong(5, 0, 4));
    words.push_back(MemoryOp(Op::kLda, 5, 0x0b, 31));
    words.push_back(StoreLong(5, 4, 4));
  }
  if (random() % 4 == 0) {  // stand still until something comes
    AppendAddress(4, kPlatformBase, words);
    words.push_back(HwStore(HwStoreType::kPhysical, 31, FW_PLATFORM_WAIT, 4));
  }
  // R22 gets the program's address, in pieces as above.
  words.push_back(MemoryOp(Op::kLda, 22, static_cast<int>(static_cast<int64_t>(pc) >> 55), 31));
  for (int shift = 44; shift >= 0; shift -= 11) {
    words.push_back(OperateLiteral(Op::kSll, 22, 11, 22));
    words.push_back(MemoryOp(Op::kLda, 22, static_cast<int>(pc >> shift & 0x7ff), 22));
  }
  words.push_back(HwRet(22));
  return words;
}

// Loops that do nothing until an interrupt has come, so many times; then the program at `pc`.
Words WaitingLoops(Random& random, uint64_t at, uint64_t pc, uint32_t cell) {
  Words words = {MemoryOp(Op::kLda, 1, static_cast<int>(random() % 3), 31)};
  const size_t top = words.size();
  words.push_back(BranchOp(Op::kBeq, 1, 6));
  words.push_back(MemoryOp(Op::kLdq, 2, 0, cell));
  words.push_back(MemoryOp(Op::kLdq, 3, 0, cell));
  words.push_back(Operate(Op::kCmpeq, 3, 2, 3));
  words.push_back(BranchOp(Op::kBne, 3, -3));
  words.push_back(OperateLiteral(Op::kSubq, 1, 1, 1));
  words.push_back(BranchOp(Op::kBr, 31, static_cast<int>(top) - static_cast<int>(words.size()) - 1));
  const int64_t distance = static_cast<int64_t>(pc) - static_cast<int64_t>(at + 4 * words.size());
  words.push_back(BranchOp(Op::kBr, 31, static_cast<int>(distance / 4) - 1));
  return words;
}

// ---- Adapting a sequence to the board ----

constexpr uint32_t kLoopsAt = 0x200;  // behind the prelude
constexpr uint32_t kCellRegister = 13;

void ReplaceSegment(uint64_t pa, Words words, Sequence& program) {
  const auto at = std::find_if(program.segments.begin(), program.segments.end(),
                               [pa](const Segment& segment) { return segment.pa == pa; });
  if (at != program.segments.end()) {
    at->words = std::move(words);
  } else {
    program.segments.push_back({pa, std::move(words)});
  }
}

void RetargetIo(Random& random, Sequence& program) {
  const uint64_t device = kDevices[random() % std::size(kDevices)];
  uint64_t& io = program.r[SequenceRegisters::kIo];
  if (io == Layout::kKseg + Layout::kIo) {
    io = kKsegIo | device;
  } else {
    io += device & alpha::kPageMask;
  }
  const uint64_t pte_index = Layout::kPages + static_cast<uint32_t>(AliasPage::kIo);
  for (Segment& segment : program.segments) {
    if (segment.pa != Layout::kDtbTable) continue;
    segment.words[2 * pte_index + 1] =
        static_cast<uint32_t>((kIoSpace | device) >> alpha::kPageShift);
  }
}

Sequence ProgramForBoard(Random& random, uint64_t seed) {
  Sequence program = GenerateSequence(seed);
  RetargetIo(random, program);
  const uint64_t handler = Layout::kPalBase + static_cast<uint64_t>(alpha::PalEntry::kInterrupt);
  // The entry has no room for it.
  ReplaceSegment(kPrelude + 0x400, InterruptHandler(), program);
  ReplaceSegment(handler,
                 {BranchOp(Op::kBr, 31, static_cast<int>((kPrelude + 0x400 - handler) / 4) - 1)},
                 program);
  Words power_off = PowerOff();
  power_off.push_back(HwRet(23));
  const uint64_t stop = Layout::kPalBase + 0x2000 + 64 * static_cast<uint64_t>(SequencePal::kStop);
  for (const uint64_t pa : {stop, stop + 0x1000}) ReplaceSegment(pa, power_off, program);

  const uint64_t base = program.pc >= Layout::kKseg ? Layout::kKseg : Layout::kMapped;
  const uint64_t loops = base + kPrelude + kLoopsAt;
  ReplaceSegment(kPrelude + kLoopsAt, WaitingLoops(random, loops, program.pc, kCellRegister),
                 program);
  program.r[kCellRegister] = base + kTickCell;
  // The timer at least, often, so that the loops end.
  if (random() % 4 != 0) program.ier |= uint64_t{1} << 35;
  ReplaceSegment(kPrelude, Prelude(random, loops), program);
  program.pc = kPrelude | 1;
  return program;
}

// ---- States ----

void LoadMemory(const Sequence& program, alpha::Memory& memory) {
  const auto put = [&memory](uint64_t pa, const void* data, size_t size) {
    memory.WillWrite(pa, size);
    memory.Write(pa, data, size);
  };
  for (const Fill& fill : program.fills) {
    Random values(fill.seed);
    for (uint64_t offset = 0; offset < fill.size; offset += 8) {
      const uint64_t value = values();
      put(fill.pa + offset, &value, sizeof value);
    }
  }
  for (const Segment& segment : program.segments) {
    put(segment.pa, segment.words.data(), 4 * segment.words.size());
  }
}

// The CPU's part of a state.
std::string CpuBytes(alpha::Cpu cpu) {
  alpha::StateWriter writer;
  writer.Field(cpu);
  return writer.Release();
}

alpha::Cpu StartOf(const Sequence& program, const alpha::Cpu& reset) {
  alpha::Cpu cpu = reset;
  for (size_t i = 0; i < program.r.size(); ++i) cpu.r[i] = program.r[i];
  for (size_t i = 0; i < program.f.size(); ++i) cpu.f[i] = program.f[i];
  cpu.r[31] = cpu.f[31] = 0;
  cpu.pc = program.pc;
  cpu.fpcr = alpha::fpcr::Written(program.fpcr);
  cpu.ier = program.ier & alpha::interrupt::kEnableMask;
  cpu.i_ctl |= program.i_ctl;
  cpu.m_ctl = program.m_ctl;
  cpu.mode = static_cast<alpha::Mode>(program.mode & 3);
  cpu.asn = cpu.dtb_asn = static_cast<uint8_t>(program.asn);
  cpu.fp_enable = program.fp_enable != 0;
  return cpu;
}

absl::StatusOr<std::unique_ptr<Machine>> MakeBoard(const machine::MachineConfig& config,
                                                   const machine::EngineFactory& engine) {
  // What the firmware loads is overwritten, and comes back only after a reset.
  machine::BootImages images;
  const uint32_t forever = BranchOp(Op::kBr, 31, -1);
  machine::KernelSegment segment;
  segment.address = machine::PhysicalToKseg(0x310000);
  segment.memory_bytes = alpha::kPageSize;
  segment.contents.assign(reinterpret_cast<const char*>(&forever), sizeof forever);
  images.kernel.entry = segment.address;
  images.kernel.segments.push_back(std::move(segment));
  return Machine::Create(config, std::move(images), engine);
}

absl::Status RestoreCase(const Sequence& program, const std::string& state, Machine& machine) {
  return machine.Restore([&](alpha::Memory& memory) -> absl::StatusOr<std::string> {
    LoadMemory(program, memory);
    return state;
  });
}

// Changes a few bytes, if a machine takes that. Returns whether it has.
bool Disturb(Random& random, const machine::MachineConfig& config, const Sequence& program,
             std::string& state) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    std::string changed = state;
    for (uint64_t count = 1 + random() % 6; count != 0; --count) {
      changed[random() % changed.size()] ^= static_cast<char>(1 << random() % 8);
    }
    absl::StatusOr<std::unique_ptr<Machine>> machine = MakeBoard(config, ref::CreateEngine);
    if (!machine.ok() || !RestoreCase(program, changed, **machine).ok()) continue;
    state = std::move(changed);
    return true;
  }
  return false;
}

// ---- Runs ----

class EventList final : public replaylog::EventSink {
 public:
  void Append(replaylog::Event event) override {
    event.number = events_.size();
    events_.push_back(std::move(event));
  }
  absl::Status status() const override { return absl::OkStatus(); }
  const std::vector<replaylog::Event>& events() const { return events_; }

 private:
  std::vector<replaylog::Event> events_;
};

// Types and sends breaks on both lines, and ends the run after so many input points.
class Input final : public machine::InputSource {
 public:
  Input(uint64_t seed, int points) : random_(seed), points_(points) {}

  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    idle_ = point.idle_cycles;
    const machine::Port port = machine::Port::Uart(static_cast<int>(random_() % 2));
    if (random_() % 8 == 0) inputs.push_back(machine::Input::Break(port));
    if (random_() % 2 == 0) inputs.push_back(machine::Input::Bytes(port, "ab"));
    if (--points_ <= 0) inputs.push_back(machine::Input::Stop(machine::StopCause::kQuit));
  }
  uint64_t idle_cycles() const { return idle_; }

 private:
  Random random_;
  int points_;
  uint64_t idle_ = 0;
};

constexpr int kInputPoints = 40;

struct BoardRun {
  EventList list;
  uint64_t instructions = 0;
  uint64_t idle_cycles = 0;
  machine::Digest start;
  bool marks_hold = true;  // no page has changed without its dirty mark
  absl::Status status;
};

void RunCase(const NamedEngine& engine, const BoardCase& board_case, BoardRun& run) {
  absl::StatusOr<std::unique_ptr<Machine>> machine =
      MakeBoard(board_case.config, engine.factory);
  run.status = machine.status();
  if (run.status.ok()) run.status = RestoreCase(board_case.program, board_case.state, **machine);
  if (!run.status.ok()) return;
  run.start = (*machine)->StateDigest();
  replaylog::Recorder recorder(run.list);
  Input input(board_case.seed, kInputPoints);
  (*machine)->SetObserver(&recorder);
  (*machine)->SetInputSource(&input);
  (*machine)->Run();
  (*machine)->SetObserver(nullptr);
  (*machine)->SetInputSource(nullptr);
  run.instructions = (*machine)->cpu().instructions;
  run.idle_cycles = input.idle_cycles();
  (*machine)->StateDigest();
  machine::Digest sum;
  for (const machine::Digest& page : (*machine)->memory_digest().pages()) {
    sum.low += page.low;
    sum.high += page.high + (sum.low < page.low ? 1 : 0);
  }
  run.marks_hold = sum == (*machine)->memory_digest().Recompute();
}

std::string Line(const std::vector<replaylog::Event>& events, size_t index, uint64_t clock_hz) {
  return index < events.size() ? replaylog::DescribeEvent(events[index], clock_hz) : "nothing more";
}

std::optional<BoardMismatch> Compare(const BoardRun& first, const BoardRun& second,
                                     uint64_t clock_hz) {
  if (!first.status.ok() || !second.status.ok()) {
    return BoardMismatch{0, std::string((first.status.ok() ? second : first).status.message())};
  }
  if (first.start != second.start) return BoardMismatch{0, "the states restored differ"};
  const std::vector<replaylog::Event>& a = first.list.events();
  const std::vector<replaylog::Event>& b = second.list.events();
  const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (left != a.end() || right != b.end()) {
    const size_t index = static_cast<size_t>(left - a.begin());
    return BoardMismatch{left != a.end() ? left->cycle : right->cycle,
                         absl::StrCat(Line(a, index, clock_hz), "\n", Line(b, index, clock_hz))};
  }
  if (first.marks_hold && second.marks_hold) return std::nullopt;
  return BoardMismatch{a.empty() ? 0 : a.back().cycle, "a page has changed without its dirty mark"};
}

}  // namespace

absl::StatusOr<BoardCase> GenerateBoardCase(uint64_t seed) {
  Random random(seed ^ 0x626f617264);
  BoardCase made;
  made.seed = seed;
  made.program = ProgramForBoard(random, seed);
  made.config.memory_bytes = machine::MachineConfig::kMinMemory;
  made.config.itb_entries = made.config.dtb_entries =
      std::max<uint32_t>(machine::MachineConfig::kMinTlbEntries,
                         static_cast<uint32_t>(made.program.tlb_entries));
  // A slow clock makes the devices fast.
  constexpr uint64_t kClocks[] = {1'000'000, 8'000'000, 600'000'000};
  made.config.clock_hz = kClocks[random() % std::size(kClocks)];
  made.config.input_interval = 1000 + random() % 2000;
  made.config.checkpoint_interval = 2000 + random() % 4000;
  made.config.seed = random();

  absl::StatusOr<std::unique_ptr<Machine>> machine = MakeBoard(made.config, ref::CreateEngine);
  if (!machine.ok()) return machine.status();
  made.state = (*machine)->SaveWithoutMemory();
  const std::string reset = CpuBytes((*machine)->cpu());
  const size_t at = made.state.find(reset);
  if (at == std::string::npos) return absl::InternalError("a state without its CPU");
  made.state.replace(at, reset.size(), CpuBytes(StartOf(made.program, (*machine)->cpu())));
  if (random() % 2 == 0) made.disturbed = Disturb(random, made.config, made.program, made.state);
  return made;
}

BoardVerdict CheckBoardCase(const NamedEngine& first, const NamedEngine& second,
                            const BoardCase& board_case) {
  BoardRun runs[2];
  RunCase(first, board_case, runs[0]);
  RunCase(second, board_case, runs[1]);
  BoardVerdict verdict;
  verdict.mismatch = Compare(runs[0], runs[1], board_case.config.clock_hz);
  verdict.instructions = runs[0].instructions;
  verdict.idle_cycles = runs[0].idle_cycles;
  for (const replaylog::Event& event : runs[0].list.events()) {
    ++verdict.events;
    verdict.interrupts += std::holds_alternative<replaylog::InterruptEvent>(event.body);
    verdict.outputs += std::holds_alternative<replaylog::OutputEvent>(event.body);
  }
  return verdict;
}

}  // namespace isochron::conformance
