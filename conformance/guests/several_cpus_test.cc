// One engine runs all CPUs of a machine, slice by slice: what it has derived from one of them must
// not be taken for another's.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/encode.h"
#include "alpha/engine.h"
#include "alpha/memory.h"
#include "alpha/tlb.h"
#include "engines/engines.h"
#include "gtest/gtest.h"
#include "machine/host_memory.h"

namespace isochron::conformance {
namespace {

using alpha::Op;
using namespace alpha::words;  // NOLINT: an assembler

constexpr uint64_t kMemory = uint64_t{1} << 20;
// Every CPU has these, each with a page of its own behind them.
constexpr uint64_t kCode = 0x5000'0000, kData = 0x4000'0000;
constexpr uint64_t kCodePage = 0x10000, kDataPage = 0x20000;
constexpr uint64_t kCycles = 400'000;

struct NoIo final : alpha::IoBus {
  alpha::IoResult Read(alpha::Cpu&, uint64_t, int) override { return {.nonexistent = true}; }
  alpha::IoResult Write(alpha::Cpu&, uint64_t, int, uint64_t) override { return {}; }
};

alpha::TlbEntry Entry(uint64_t va, uint64_t pa) {
  alpha::TlbEntry entry;
  entry.tag = va;
  entry.base = pa;
  entry.permissions = kAllRead | kAllWrite;
  return entry;
}

class Computer {
 public:
  explicit Computer(const std::string& engine) {
    host_ = std::make_unique<machine::HostMemory>(*machine::HostMemory::Create(kMemory));
    memory_ = std::make_unique<alpha::Memory>(host_->base(), kMemory);
    engine_ = *engines::FindEngine(engine)->factory(*memory_, io_);
    for (alpha::Cpu& cpu : cpus) Prepare(cpu);
  }

  // Has the next slice begin with a translation of a few instructions, on an engine that
  // translates.
  void Probe(alpha::Cpu& cpu) {
    alpha::TranslationProbe* const probe = engine_->probe();
    if (probe != nullptr) {
      EXPECT_TRUE(probe->TranslateAtMost(cpu, 3));
    }
  }
  void RunSlice(alpha::Cpu& cpu, uint64_t cycles) {
    deadline_.cycle = cpu.cycle + cycles;
    EXPECT_EQ(engine_->Run(cpu, deadline_).reason, alpha::StopReason::kBoundary);
  }

  alpha::Cpu cpus[2] = {alpha::Cpu(0, 16, 16), alpha::Cpu(1, 16, 16)};

 private:
  // Adds up what its data and its code say, which is something else for each CPU.
  void Prepare(alpha::Cpu& cpu) {
    const uint64_t pages = 2 * cpu.index * alpha::kPageSize;
    const int number = static_cast<int>(cpu.index) + 1;
    const std::vector<uint32_t> program = {
        MemoryOp(Op::kLda, 3, 30'000, 31), MemoryOp(Op::kLdq, 1, 0, 2),
        Operate(Op::kAddq, 4, 1, 4),       MemoryOp(Op::kLda, 5, 1000 * number, 5),
        MemoryOp(Op::kStq, 4, 8, 2),       OperateLiteral(Op::kSubq, 3, 1, 3),
        BranchOp(Op::kBne, 3, -6),         BranchOp(Op::kBr, 31, -8),
    };
    memory_->Write(kCodePage + pages, program.data(), 4 * program.size());
    memory_->Store<uint64_t>(kDataPage + pages, 7 * number);
    cpu.Reset(0x8000);
    cpu.itb.Insert(Entry(kCode, kCodePage + pages));
    cpu.dtb.Insert(Entry(kData, kDataPage + pages));
    cpu.r[2] = kData;
    cpu.pc = kCode;
  }

  std::unique_ptr<machine::HostMemory> host_;
  std::unique_ptr<alpha::Memory> memory_;
  NoIo io_;
  alpha::Deadline deadline_;
  std::unique_ptr<alpha::Engine> engine_;
};

TEST(SeveralCpus, EachRunsAsItWouldAlone) {
  std::string alone[2];
  for (int cpu = 0; cpu < 2; ++cpu) {
    Computer computer{std::string(engines::kOracle)};
    computer.RunSlice(computer.cpus[cpu], kCycles);
    EXPECT_GT(computer.cpus[cpu].r[4], 7'000u);
    alone[cpu] = alpha::StateBytes(computer.cpus[cpu]);
  }
  std::vector<std::string> names = engines::EngineNames();
  names.emplace_back(engines::kOracle);
  for (const std::string& engine : names) {
    for (const uint64_t slice : {uint64_t{1}, uint64_t{97}, uint64_t{20'011}, kCycles}) {
      Computer computer(engine);
      if (slice == 1) {  // from the middle of translated code
        for (alpha::Cpu& cpu : computer.cpus) computer.RunSlice(cpu, kCycles - 5000);
      }
      for (bool going = true; std::exchange(going, false);) {
        for (alpha::Cpu& cpu : computer.cpus) {
          if (cpu.cycle >= kCycles) continue;
          if (slice == 20'011) computer.Probe(cpu);
          computer.RunSlice(cpu, std::min(slice, kCycles - cpu.cycle));
          going = true;
        }
      }
      for (int cpu = 0; cpu < 2; ++cpu) {
        EXPECT_EQ(alpha::StateBytes(computer.cpus[cpu]), alone[cpu])
            << engine << ", slices of " << slice << ", CPU " << cpu;
      }
    }
  }
}

}  // namespace
}  // namespace isochron::conformance
