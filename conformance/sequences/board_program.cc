#include "conformance/sequences/board_program.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "alpha/decode.h"
#include "alpha/encode.h"
#include "alpha/ipr.h"
#include "alpha/memory.h"
#include "conformance/sequences/board_situations.h"
#include "conformance/sequences/sequence_generator.h"
#include "conformance/sequences/sequence_machine.h"
#include "conformance/sequences/sequence_operands.h"
#include "conformance/sequences/words.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::conformance {
namespace {

using alpha::HwLoadType;
using alpha::HwStoreType;
using alpha::Ipr;
using alpha::Op;
using Layout = SequenceLayout;
using namespace alpha::words;  // NOLINT: an assembler

// Physical addresses of the board, in system addresses (PA<34:0>), which PA<43> selects.
constexpr uint64_t kIoSpace = uint64_t{1} << 43;
constexpr uint64_t kKsegIo = 0xffff'fd00'0000'0000;
constexpr uint64_t kPciIo = 0x1'fc00'0000;
constexpr uint64_t kAcknowledge = 0x1'f800'0000;  // of the 8259s
constexpr uint64_t kCchipBase = 0x1'a000'0000;
constexpr uint64_t kPlatformBase = FW_PLATFORM_PA & 0x7'ffff'ffff;
constexpr uint64_t kPics = kPciIo + 0x20;
constexpr uint64_t kTimer = kPciIo + 0x40;
constexpr uint64_t kClockIndex = kPciIo + 0x70;  // and the clock chip's data port behind it
constexpr uint64_t kUarts[] = {kPciIo + 0x3f8, kPciIo + 0x2f8};
constexpr uint64_t kMisc = kCchipBase + 0x80;
constexpr uint64_t kMask = kCchipBase + 0x200;  // DIM0

// What programs do I/O to.
constexpr uint64_t kDevices[] = {kPics,         kTimer,
                                 kPciIo + 0x60, kClockIndex,
                                 kUarts[1],     kUarts[0],
                                 kUarts[0],     kPciIo,
                                 kCchipBase,    kMask,
                                 0x1'b000'0000, 0x1'8000'0000,
                                 0x1'fe00'3800, kPlatformBase + FW_PLATFORM_ENTROPY,
                                 kAcknowledge,  0x0'1000'0000};

// The program's own places, in pages that sequences leave alone.
constexpr uint64_t kHandler = 0xe000;
constexpr uint64_t kPrelude = 0xf000;
constexpr uint64_t kLoops = 0xfc00;
constexpr uint64_t kTickCell = 0x1900;  // how many interrupts there were

// Puts the physical address of a register of a device to `target`.
void AppendAddress(uint32_t target, uint64_t system_address, Words& words) {
  AppendConstant(target, kIoSpace | system_address, words);
}

// HW_ST and HW_LD of a longword: on the ISA bus of four ports, the lowest first.
uint32_t StoreLong(uint32_t ra, int displacement, uint32_t rb) {
  return HwStore(HwStoreType::kPhysical, ra, displacement, rb) & ~kQuadword;
}
uint32_t LoadLong(uint32_t ra, int displacement, uint32_t rb) {
  return HwLoad(HwLoadType::kPhysical, ra, displacement, rb) & ~kQuadword;
}

// Counts, quiets the interval timer, perhaps the 8259s too, and disables what else asked: the
// program enables it again.
Words InterruptHandler(Random& random) {
  Words words;
  AppendAddress(4, kClockIndex, words);
  Append(words,
         {MemoryOp(Op::kLda, 5, 0x0c, 31), StoreLong(5, 0, 4),  // register C of the clock chip
          LoadLong(5, 0, 4)});
  AppendAddress(4, kMisc, words);
  Append(words, {MemoryOp(Op::kLda, 5, 0x10, 31),  // MISC<ITINTR> of CPU 0
                 HwStore(HwStoreType::kPhysical, 5, 0, 4),
                 MemoryOp(Op::kLda, 4, static_cast<int>(kTickCell), 31),
                 HwLoad(HwLoadType::kPhysical, 5, 0, 4), OperateLiteral(Op::kAddq, 5, 1, 5),
                 HwStore(HwStoreType::kPhysical, 5, 0, 4)});
  uint32_t quieted = 4;  // EI<2>, of EI<5:0>
  if (random() % 4 == 0) {
    AppendAddress(4, kAcknowledge, words);
    Append(words, {LoadLong(5, 0, 4)});
    AppendAddress(4, kPics, words);
    Append(words, {MemoryOp(Op::kLda, 5, 0x20, 31), StoreLong(5, 0, 4)});  // end of interrupt
    quieted |= 2;
  }
  Append(words, {Mfpr(4, Ipr::kIsum), MemoryOp(Op::kLda, 5, static_cast<int>(quieted), 31),
                 OperateLiteral(Op::kSll, 5, 33, 5), Operate(Op::kBic, 4, 5, 4), Mfpr(5, Ipr::kIer),
                 Operate(Op::kBic, 5, 4, 5), Mtpr(5, Ipr::kIer), Mtpr(31, Ipr::kSirr),
                 Mfpr(22, Ipr::kExcAddr), HwRet(22)});
  return words;
}

// CALL_PAL kStop: powers off.
Words PowerOff() {
  Words words;
  AppendAddress(20, kPlatformBase, words);
  Append(words, {MemoryOp(Op::kLda, 21, 1, 31),
                 HwStore(HwStoreType::kPhysical, 21, FW_PLATFORM_POWER, 20), HwRet(23)});
  return words;
}

// The 8254's counter 0 in any mode, and the way of its interrupts to the CPU.
void AppendTimer(Random& random, Words& words) {
  // Both 8259s: ICW1 and ICW2, then ICW3, ICW4 and a mask behind commands that do nothing.
  // Interrupts 0, 3 and 4.
  AppendAddress(4, kPics, words);
  for (const int pair :
       {0x0811, 0x0400, 0x0100, static_cast<int>(random() % 2 == 0 ? 0 : 0x6600)}) {
    Append(words, {MemoryOp(Op::kLda, 5, pair, 31), StoreLong(5, 0, 4)});
  }
  AppendAddress(4, kMask, words);
  Append(words, {MemoryOp(Op::kLda, 5, 1, 31), OperateLiteral(Op::kSll, 5, 55, 5),
                 HwStore(HwStoreType::kPhysical, 5, 0, 4)});
  // The command of counter 0, low byte and high byte or one of them, in the register of commands;
  // then its count twice.
  AppendAddress(4, kTimer, words);
  const uint64_t command = (1 + random() % 3) << 4 | (random() % 6) << 1;
  AppendConstant(5, command << 24, words);
  Append(words, {StoreLong(5, 0, 4)});
  for (int byte = 0; byte < 2; ++byte) {
    const int count = static_cast<int>(byte == 0 ? random() % 256 : 1 + random() % 4);
    Append(words, {MemoryOp(Op::kLda, 5, count, 31), StoreLong(5, 0, 4)});
  }
}

// A UART at a random speed, with some of its interrupts and some bytes to send.
void AppendOutput(Random& random, uint64_t uart, Words& words) {
  AppendAddress(4, uart, words);
  const auto put = [&words](uint64_t lcr, uint64_t fcr, uint64_t second, uint64_t first) {
    AppendConstant(5, lcr << 24 | fcr << 16 | second << 8 | first, words);
    words.push_back(StoreLong(5, 0, 4));
  };
  constexpr uint64_t kEightBits = 0x03;
  constexpr uint64_t kDivisorAccess = 0x80;
  put(kDivisorAccess | kEightBits, 1, 0, 0);
  put(kEightBits, 1, 0, 1 + random() % 12);  // the divisor
  const uint64_t interrupts = random() % 16;
  for (uint64_t bytes = 1 + random() % 3; bytes != 0; --bytes) {
    put(kEightBits, 1, interrupts, random() % 256);
  }
  // MCR: DTR, RTS, OUT2.
  Append(words, {MemoryOp(Op::kLda, 5, 0x0b, 31), StoreLong(5, 4, 4)});
}

// In PALmode, from where the case begins: sets devices going, waits, and goes to the program. The
// shadow registers and R22 are free.
Words Prelude(Random& random, bool waits, uint64_t pc) {
  Words words;
  AppendAddress(4, kClockIndex, words);
  // Register B: periodic interrupts on, binary, 24 hours.
  Append(words, {MemoryOp(Op::kLda, 5, 0x460b, 31), StoreLong(5, 0, 4)});
  if (random() % 2 == 0) AppendTimer(random, words);
  for (const uint64_t uart : kUarts) AppendOutput(random, uart, words);
  if (waits && random() % 4 == 0) {  // stand still until something comes
    AppendAddress(4, kPlatformBase, words);
    Append(words, {HwStore(HwStoreType::kPhysical, 31, FW_PLATFORM_WAIT, 4)});
  }
  AppendConstant(22, pc, words);
  words.push_back(HwRet(22));
  return words;
}

// Loops that do nothing until an interrupt has come, so many times; then the code at `pc`, `at`
// being where they are.
Words WaitingLoops(uint64_t times, uint64_t at, uint64_t pc, uint32_t cell) {
  Words words = {MemoryOp(Op::kLda, 1, static_cast<int>(times), 31)};
  const size_t top = words.size();
  Append(words, {BranchOp(Op::kBeq, 1, 6), MemoryOp(Op::kLdq, 2, 0, cell),
                 MemoryOp(Op::kLdq, 3, 0, cell), Operate(Op::kCmpeq, 3, 2, 3),
                 BranchOp(Op::kBne, 3, -3), OperateLiteral(Op::kSubq, 1, 1, 1)});
  words.push_back(
      BranchOp(Op::kBr, 31, static_cast<int>(top) - static_cast<int>(words.size()) - 1));
  const int64_t distance = static_cast<int64_t>(pc) - static_cast<int64_t>(at + 4 * words.size());
  words.push_back(BranchOp(Op::kBr, 31, static_cast<int>(distance / 4) - 1));
  return words;
}

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

// HW_LD of physical addresses below 0 gets an answer from the bus of a SequenceMachine. Here
// nothing is there, and a machine check in PALmode ends the run.
void KeepLoadsInMemory(Sequence& program) {
  for (Segment& segment : program.segments) {
    if (segment.pa < Layout::kPalBase || segment.pa >= Layout::kData) continue;
    for (uint32_t& word : segment.words) {
      constexpr uint32_t kSign = 0x800;
      const bool physical = (word >> 13 & 7) <= static_cast<uint32_t>(HwLoadType::kPhysicalLock);
      const bool from_zero = (word >> 16 & 31) == 31;
      if (alpha::Decode(word).op == Op::kHwLd && physical && from_zero) word &= ~kSign;
    }
  }
}

}  // namespace

Sequence GenerateBoardProgram(Random& random, uint64_t seed) {
  Sequence program = GenerateSequence(seed);
  if (random() % 8 != 0) KeepLoadsInMemory(program);
  RetargetIo(random, program);
  const uint64_t handler = Layout::kPalBase + static_cast<uint64_t>(alpha::PalEntry::kInterrupt);
  // The entry has no room for it.
  ReplaceSegment(kHandler, InterruptHandler(random), program);
  ReplaceSegment(handler, {BranchOp(Op::kBr, 31, static_cast<int>((kHandler - handler) / 4) - 1)},
                 program);
  const uint64_t stop = Layout::kPalBase + 0x2000 + 64 * static_cast<uint64_t>(SequencePal::kStop);
  for (const uint64_t pa : {stop, stop + 0x1000}) ReplaceSegment(pa, PowerOff(), program);

  const uint64_t base = program.pc >= Layout::kKseg ? Layout::kKseg : Layout::kMapped;
  AppendSituations(random, base, program);
  // Who waits has the clock chip's interrupt at least.
  const bool waits = random() % 4 != 0;
  if (waits) program.ier |= uint64_t{1} << 35;
  ReplaceSegment(kLoops, WaitingLoops(waits ? random() % 3 : 0, kLoops, kSituations, kCellRegister),
                 program);
  program.r[kCellRegister] = base + kTickCell;
  ReplaceSegment(kPrelude, Prelude(random, waits, base + kLoops), program);
  program.pc = kPrelude | 1;
  return program;
}

bool IsBoardCode(uint64_t pa) {
  return pa >= kHandler && pa < kSituationSubroutines + 2 * alpha::kPageSize &&
         !(pa >= Layout::kData && pa < Layout::kData + Layout::kDataSize);
}

}  // namespace isochron::conformance
