// What a device writes by itself is seen by every engine as a store is: by code that was decoded or
// translated, by locks, by digests.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/encode.h"
#include "alpha/engine.h"
#include "alpha/lock_watch.h"
#include "alpha/memory.h"
#include "engines/engines.h"
#include "gtest/gtest.h"
#include "machine/board.h"
#include "machine/bus/event_queue.h"
#include "machine/devices/copier_testing.h"
#include "machine/events/digest.h"
#include "machine/host_memory.h"

namespace isochron::conformance {
namespace {

using alpha::Op;
using machine::Copier;
using namespace alpha::words;  // NOLINT: an assembler

constexpr uint64_t kMemory = uint64_t{16} << 20;
constexpr uint64_t kCode = 0x10000, kData = 0x20000, kSource = 0x30000;
// RAM and PCI memory as kernels see them through SPE[1].
constexpr uint64_t kKseg = 0xffff'fc00'0000'0000, kPciMemory = 0xffff'fd00'0000'0000;
constexpr uint64_t kConfig = 0x801'fe00'0000, kSlot = 3;
constexpr uint64_t kDirectWindow = 0x8000'0000;  // as the console leaves it
constexpr uint32_t kBase = 0x0900'0000;

// A CPU, an engine and a board with a Copier, sequenced by hand.
class Computer final : public machine::IrqSink {
 public:
  explicit Computer(const std::string& engine) {
    host_ = std::make_unique<machine::HostMemory>(*machine::HostMemory::Create(kMemory));
    memory = std::make_unique<alpha::Memory>(host_->base(), kMemory);
    digest = std::make_unique<machine::MemoryDigest>(*memory);
    board_ =
        std::make_unique<machine::Board>(machine::BoardOptions(), *memory, events_, nullptr, *this);
    board_->AddPci<Copier>("copier", kSlot, 0, events_);
    board_->Reset();
    locks_ = std::make_unique<alpha::LockWatch>(*memory);
    locks_->Add(cpu);
    engine_ = *engines::FindEngine(engine)->factory(*memory, *board_);
    cpu.Reset(0x8000);
    cpu.i_ctl |= uint64_t{2} << alpha::i_ctl::kSpeShift;
    cpu.m_ctl = uint64_t{2} << 1;
    cpu.pc = kKseg + kCode;
    cpu.r[2] = kPciMemory + kBase;
    board_->Write(cpu, kConfig + (kSlot << 11) + 0x10, 4, kBase);
    board_->Write(cpu, kConfig + (kSlot << 11) + 4, 2, 6);
  }

  void Program(const std::vector<uint32_t>& words) {
    memory->Write(kCode, words.data(), 4 * words.size());
  }
  // Has the next store to Copier::kGo copy a word from kSource.
  void Prepare(uint32_t word, uint64_t target) {
    memory->Write(kSource, &word, sizeof word);
    Set(Copier::kSource, kDirectWindow + kSource);
    Set(Copier::kTarget, kDirectWindow + target);
    Set(Copier::kSize, sizeof word);
  }
  void Run(uint64_t cycles) {
    while (cpu.cycle < cycles) {
      deadline_.cycle = std::min(events_.next(), cycles);
      engine_->Run(cpu, deadline_);
      events_.SetNow(cpu.cycle);
      while (events_.HandleNext()) {
      }
    }
  }
  std::string State() const {
    return alpha::StateBytes(cpu) + alpha::StateBytes(*board_) + alpha::StateBytes(events_);
  }

  alpha::Cpu cpu{0, 16, 16};
  std::unique_ptr<alpha::Memory> memory;
  std::unique_ptr<machine::MemoryDigest> digest;

 private:
  void Set(uint64_t reg, uint64_t value) {
    board_->Write(cpu, 0x800'0000'0000 + kBase + reg, 8, value);
  }
  void SetIrq(int, bool) override {}

  std::unique_ptr<machine::HostMemory> host_;
  alpha::Deadline deadline_;
  machine::EventQueue events_{600'000'000, deadline_};
  std::unique_ptr<machine::Board> board_;
  std::unique_ptr<alpha::LockWatch> locks_;
  std::unique_ptr<alpha::Engine> engine_;
};

std::vector<std::string> Engines() {
  std::vector<std::string> names = engines::EngineNames();
  names.emplace_back(engines::kOracle);
  return names;
}

constexpr uint64_t kCycles = 2'000'000;

TEST(Dma, IntoCodeIsSeenByTheNextFetch) {
  // Adds 1, many times; has the instruction that says so changed to 2; adds ten times more.
  const std::vector<uint32_t> program = {
      MemoryOp(Op::kLda, 3, 20'000, 31),
      MemoryOp(Op::kLda, 1, 1, 31),  // 1: the one that changes
      Operate(Op::kAddq, 4, 1, 4),
      OperateLiteral(Op::kSubq, 3, 1, 3),
      BranchOp(Op::kBne, 3, -4),
      BranchOp(Op::kBne, 7, 7),
      MemoryOp(Op::kStq, 31, Copier::kGo, 2),
      MemoryOp(Op::kLdq, 5, Copier::kStatus, 2),
      OperateLiteral(Op::kCmpeq, 5, Copier::kDone, 6),
      BranchOp(Op::kBeq, 6, -3),
      MemoryOp(Op::kLda, 7, 1, 31),
      MemoryOp(Op::kLda, 3, 10, 31),
      BranchOp(Op::kBr, 31, -12),
      BranchOp(Op::kBr, 31, -1),  // 13: for ever
  };
  std::string state;
  for (const std::string& engine : Engines()) {
    Computer computer(engine);
    computer.Program(program);
    computer.Prepare(MemoryOp(Op::kLda, 1, 2, 31), kCode + 4);
    computer.digest->Update();
    computer.Run(kCycles);
    EXPECT_EQ(computer.cpu.r[4], 20'000u + 10 * 2) << engine;
    EXPECT_EQ(computer.cpu.pc, kKseg + kCode + 13 * 4) << engine;
    EXPECT_EQ(computer.digest->Update(), computer.digest->Recompute()) << engine;
    if (state.empty()) state = computer.State();
    EXPECT_EQ(computer.State(), state) << engine;
  }
}

TEST(Dma, IntoALockedBlockFailsTheConditionalStore) {
  const std::vector<uint32_t> program = {
      MemoryOp(Op::kStq, 31, Copier::kGo, 2),
      MemoryOp(Op::kLdqL, 1, 0, 8),
      MemoryOp(Op::kLdq, 5, Copier::kStatus, 2),
      OperateLiteral(Op::kCmpeq, 5, Copier::kDone, 6),
      BranchOp(Op::kBeq, 6, -3),
      MemoryOp(Op::kStqC, 9, 0, 8),
      BranchOp(Op::kBr, 31, -1),
  };
  for (const bool same_block : {false, true}) {
    std::string state;
    for (const std::string& engine : Engines()) {
      Computer computer(engine);
      computer.Program(program);
      computer.Prepare(77, kData + (same_block ? 60 : 64));
      computer.cpu.r[8] = kKseg + kData;
      computer.cpu.r[9] = 5;
      computer.Run(kCycles);
      EXPECT_EQ(computer.cpu.r[9], same_block ? 0u : 1u) << engine;
      EXPECT_EQ(computer.memory->Load<uint64_t>(kData), same_block ? 0u : 5u) << engine;
      if (state.empty()) state = computer.State();
      EXPECT_EQ(computer.State(), state) << engine;
    }
  }
}

TEST(Dma, EndsALoopThatOnlyWaitsForIt) {
  // Turns of such a loop are skipped, up to the event.
  const std::vector<uint32_t> program = {
      MemoryOp(Op::kStq, 31, Copier::kGo, 2),
      MemoryOp(Op::kLdl, 1, 0, 8),
      BranchOp(Op::kBeq, 1, -2),
      BranchOp(Op::kBr, 31, -1),
  };
  std::string state;
  for (const std::string& engine : Engines()) {
    Computer computer(engine);
    computer.Program(program);
    computer.Prepare(77, kData);
    computer.cpu.r[8] = kKseg + kData;
    computer.Run(kCycles);
    EXPECT_EQ(computer.cpu.r[1], 77u) << engine;
    if (state.empty()) state = computer.State();
    EXPECT_EQ(computer.State(), state) << engine;
  }
}

}  // namespace
}  // namespace isochron::conformance
