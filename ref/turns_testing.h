// Three CPUs that take turns with one engine and do to one another what CPUs can, for tests.

#ifndef ISOCHRON_REF_TURNS_TESTING_H_
#define ISOCHRON_REF_TURNS_TESTING_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/engine.h"
#include "alpha/lock_watch.h"
#include "alpha/memory.h"
#include "ref/cpu_deeds.h"

namespace isochron::ref::testing {

// RAM and CPUs in kernel mode that see it at kKseg. Each runs a program of its own, a loop over
// random deeds that crosses a page. Nothing traps.
class TurnsMachine {
 public:
  static constexpr uint32_t kCpus = 3;
  using Maker = std::function<std::unique_ptr<alpha::Engine>(alpha::Memory&, alpha::IoBus&)>;
  using Deeds = std::array<std::vector<Deed>, kCpus>;

  TurnsMachine(const Maker& make, const Deeds& deeds, uint64_t seed)
      : ram_(kRamPages),
        memory_(ram_.front().bytes, kRamPages * alpha::kPageSize),
        watch_(memory_) {
    for (uint64_t page :
         {kPages.subroutines, kPages.mapped_code, kPages.mapped_code + alpha::kPageSize}) {
      const std::vector<uint32_t> words = SubroutineWords(page == kPages.mapped_code ? 3 : 7);
      memory_.Write(page, words.data(), 4 * words.size());
    }
    for (alpha::Cpu& cpu : cpus) {
      std::mt19937_64 random(seed * kCpus + cpu.index);
      PutProgram(cpu, deeds[cpu.index], random);
      Prepare(cpu);
      watch_.Add(cpu);
    }
    engine_ = make(memory_, io_);
  }

  void Turn(uint32_t index, uint64_t cycles) {
    alpha::Cpu& cpu = cpus[index];
    alpha::Deadline deadline{cpu.cycle + cycles};
    watch_.Resume(cpu);
    engine_->Run(cpu, deadline);
    watch_.Park(cpu);
  }
  // Of all CPUs.
  std::string State() const {
    std::string state;
    for (const alpha::Cpu& cpu : cpus) state += alpha::StateBytes(cpu);
    return state;
  }
  std::string Ram() const {
    return std::string(reinterpret_cast<const char*>(ram_.data()), memory_.size());
  }
  alpha::Memory& memory() { return memory_; }

  // R6: how many conditional stores have succeeded; R7: that have failed.
  alpha::Cpu cpus[kCpus] = {alpha::Cpu(0, 16, 16), alpha::Cpu(1, 16, 16), alpha::Cpu(2, 16, 16)};

 private:
  static constexpr uint64_t kRamPages = 32;
  static constexpr uint64_t kCode = 0x10000;  // two pages for each CPU
  static constexpr DeedPages kPages = {
      .subroutines = 0x20000, .mapped_code = 0x24000, .data = 0x30000, .mapped_data = 0x34000};
  static constexpr int kDeeds = 40;

  struct alignas(alpha::kPageSize) Page {
    uint8_t bytes[alpha::kPageSize] = {};
  };
  struct NoIo final : alpha::IoBus {
    alpha::IoResult Read(alpha::Cpu&, uint64_t, int) override { return {.nonexistent = true}; }
    alpha::IoResult Write(alpha::Cpu&, uint64_t, int, uint64_t) override { return {}; }
  };

  static uint64_t Start(const alpha::Cpu& cpu) {
    return kCode + 2 * cpu.index * alpha::kPageSize + alpha::kPageSize - 256;
  }

  void PutProgram(const alpha::Cpu& cpu, const std::vector<Deed>& deeds, std::mt19937_64& random) {
    const uint64_t start = Start(cpu);
    std::vector<uint32_t> code;
    for (int i = 0; i < kDeeds; ++i) {
      const Deed deed = deeds[random() % deeds.size()];
      AppendDeed(deed, start, kPages, random(), code);
    }
    code.push_back(alpha::words::BranchOp(alpha::Op::kBr, 31, -static_cast<int>(code.size()) - 1));
    memory_.Write(start, code.data(), 4 * code.size());
  }

  static alpha::TlbEntry Entry(uint64_t va, uint64_t pa) {
    alpha::TlbEntry entry;
    entry.tag = va;
    entry.base = pa;
    entry.permissions = alpha::words::kAllRead | alpha::words::kAllWrite;
    return entry;
  }

  void Prepare(alpha::Cpu& cpu) {
    cpu.Reset(0x8000);
    cpu.i_ctl |= uint64_t{2} << alpha::i_ctl::kSpeShift | alpha::i_ctl::kHwe;
    cpu.m_ctl = uint64_t{2} << 1;
    cpu.pc = DeedPages::kKseg + Start(cpu);
    for (const auto& [reg, value] : DeedRegisters(kPages, cpu.index)) cpu.r[reg] = value;
    const uint64_t other = cpu.index % 2 * alpha::kPageSize;
    cpu.dtb.Insert(Entry(kPages.virtual_data(), kPages.mapped_data + other));
    cpu.itb.Insert(Entry(kPages.virtual_code(), kPages.mapped_code + other));
  }

  std::vector<Page> ram_;
  NoIo io_;
  alpha::Memory memory_;
  alpha::LockWatch watch_;
  std::unique_ptr<alpha::Engine> engine_;
};

// Lets both take the same random turns until each CPU has had about so many cycles. Gives the
// number of the turn behind which they differ, 0: they do not.
inline uint64_t FirstDifference(TurnsMachine& a, TurnsMachine& b, uint64_t seed, uint64_t cycles) {
  std::mt19937_64 random(seed);
  // One seed in four has turns of an instruction or two only.
  const uint64_t longest = seed % 4 == 0 ? 3 : 400;
  for (uint64_t turn = 1; a.cpus[0].cycle < cycles; ++turn) {
    const auto index = static_cast<uint32_t>(random() % TurnsMachine::kCpus);
    const uint64_t length = 1 + random() % longest;
    a.Turn(index, length);
    b.Turn(index, length);
    if (a.State() != b.State() || (turn % 64 == 0 && a.Ram() != b.Ram())) return turn;
  }
  return 0;
}

}  // namespace isochron::ref::testing

#endif  // ISOCHRON_REF_TURNS_TESTING_H_
