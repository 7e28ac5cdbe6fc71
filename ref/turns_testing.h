// Three CPUs that take turns with one engine and do to one another what CPUs can, for tests.

#ifndef ISOCHRON_REF_TURNS_TESTING_H_
#define ISOCHRON_REF_TURNS_TESTING_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/encode.h"
#include "alpha/engine.h"
#include "alpha/lock_watch.h"
#include "alpha/memory.h"

namespace isochron::ref::testing {

// What a program is made of.
enum class Deed : uint8_t {
  kLoad,         // of the page of data that all CPUs share
  kStore,        // to it
  kLoadMapped,   // of a page that each CPU maps in its own way
  kStoreMapped,  // to it
  kCount,        // up, under a lock, in the shared page
  kWrite,        // an instruction of the shared subroutines
  kCall,         // one of them, by a jump
  kBranch,       // to one of them
  kCallMapped,   // a subroutine that each CPU maps in its own way
  kMapData,      // the other of two pages
  kMapCode,      // the same for subroutines
};

inline constexpr std::array<Deed, 11> kAllDeeds = {
    Deed::kLoad, Deed::kStore,  Deed::kLoadMapped, Deed::kStoreMapped, Deed::kCount,  Deed::kWrite,
    Deed::kCall, Deed::kBranch, Deed::kCallMapped, Deed::kMapData,     Deed::kMapCode};

// RAM and CPUs in kernel mode that see it at kKseg. Each runs a program of its own, a loop over
// random deeds that crosses a page. Nothing traps.
class TurnsMachine {
 public:
  static constexpr uint32_t kCpus = 3;
  using Maker = std::function<std::unique_ptr<alpha::Engine>(alpha::Memory&, alpha::IoBus&)>;
  using Deeds = std::array<std::vector<Deed>, kCpus>;

  TurnsMachine(const Maker& make, const Deeds& deeds, uint64_t seed)
      : pages_(kPages), memory_(pages_.front().bytes, kPages * alpha::kPageSize), watch_(memory_) {
    for (uint64_t page : {kShared, kMappedCode, kMappedCode + alpha::kPageSize}) {
      PutSubroutines(page, page == kMappedCode ? 3 : 7);
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
    return std::string(reinterpret_cast<const char*>(pages_.data()), memory_.size());
  }
  alpha::Memory& memory() { return memory_; }

  // R6: how many conditional stores have succeeded; R7: that have failed.
  alpha::Cpu cpus[kCpus] = {alpha::Cpu(0, 16, 16), alpha::Cpu(1, 16, 16), alpha::Cpu(2, 16, 16)};

 private:
  using Op = alpha::Op;
  static constexpr uint64_t kPages = 32;
  static constexpr uint64_t kKseg = 0xffff'fc00'0000'0000;
  static constexpr uint64_t kCode = 0x10000;        // two pages for each CPU
  static constexpr uint64_t kShared = 0x20000;      // subroutines
  static constexpr uint64_t kMappedCode = 0x24000;  // two pages of subroutines
  static constexpr uint64_t kData = 0x30000;
  static constexpr uint64_t kMappedData = 0x34000;  // two pages
  static constexpr uint64_t kVirtualData = 0x4000'0000;
  static constexpr uint64_t kVirtualCode = 0x5000'0000;
  static constexpr int kSubroutines = 8;
  static constexpr int kDeeds = 40;

  struct alignas(alpha::kPageSize) Page {
    uint8_t bytes[alpha::kPageSize] = {};
  };
  struct NoIo final : alpha::IoBus {
    alpha::IoResult Read(alpha::Cpu&, uint64_t, int) override { return {.nonexistent = true}; }
    alpha::IoResult Write(alpha::Cpu&, uint64_t, int, uint64_t) override { return {}; }
  };

  void PutSubroutines(uint64_t page, int step) {
    namespace words = alpha::words;
    for (int i = 0; i < kSubroutines; ++i) {
      const std::array<uint32_t, 4> code = {words::MemoryOp(Op::kLda, 5, step * (i + 1), 5),
                                            words::Operate(Op::kXor, 5, 1, 1),
                                            words::JumpOp(Op::kRet, 31, 26), words::Nop()};
      memory_.Write(page + 16 * static_cast<uint64_t>(i), code.data(), sizeof(code));
    }
  }

  static uint64_t Start(const alpha::Cpu& cpu) {
    return kCode + 2 * cpu.index * alpha::kPageSize + alpha::kPageSize - 256;
  }

  void PutProgram(const alpha::Cpu& cpu, const std::vector<Deed>& deeds, std::mt19937_64& random) {
    namespace words = alpha::words;
    const uint64_t start = Start(cpu);
    std::vector<uint32_t> code;
    for (int i = 0; i < kDeeds; ++i) Add(deeds[random() % deeds.size()], start, random, code);
    code.push_back(words::BranchOp(Op::kBr, 31, -static_cast<int>(code.size()) - 1));
    memory_.Write(start, code.data(), 4 * code.size());
  }

  static void Add(Deed deed, uint64_t start, std::mt19937_64& random, std::vector<uint32_t>& code) {
    namespace words = alpha::words;
    using alpha::Ipr;
    const auto reg = static_cast<uint32_t>(1 + random() % 4);
    const int quad = 8 * static_cast<int>(random() % 32);
    const int subroutine = 16 * static_cast<int>(random() % kSubroutines);
    const auto add = [&](std::vector<uint32_t> more) {
      code.insert(code.end(), more.begin(), more.end());
    };
    switch (deed) {
      case Deed::kLoad: return add({words::MemoryOp(Op::kLdq, reg, quad, 16)});
      case Deed::kStore:
        return add({words::MemoryOp(Op::kStq, reg, quad, 16),
                    words::MemoryOp(Op::kLda, reg, quad + 1, reg)});
      case Deed::kLoadMapped: return add({words::MemoryOp(Op::kLdq, reg, quad, 17)});
      case Deed::kStoreMapped: return add({words::MemoryOp(Op::kStq, reg, quad, 17)});
      case Deed::kCount:
        return add({words::MemoryOp(Op::kLdqL, 8, quad, 16),
                    words::OperateLiteral(Op::kAddq, 8, 1, 8), words::Operate(Op::kAddq, 1, 2, 2),
                    words::MemoryOp(Op::kStqC, 8, quad, 16), words::Operate(Op::kAddq, 6, 8, 6),
                    words::OperateLiteral(Op::kXor, 8, 1, 8), words::Operate(Op::kAddq, 7, 8, 7)});
      case Deed::kWrite:
        return add({words::OperateLiteral(Op::kAddq, 27, 1, 27),
                    words::OperateLiteral(Op::kAnd, 27, 0x7f, 21),
                    words::Operate(Op::kAddq, 20, 21, 21),
                    words::MemoryOp(Op::kStl, 21, subroutine, 18)});
      case Deed::kCall:
        return add(
            {words::MemoryOp(Op::kLda, 21, subroutine, 18), words::JumpOp(Op::kJsr, 26, 21)});
      case Deed::kBranch: {
        const auto next = static_cast<int64_t>(start + 4 * (code.size() + 1));
        const int64_t distance = static_cast<int64_t>(kShared) + subroutine - next;
        return add({words::BranchOp(Op::kBsr, 26, static_cast<int>(distance / 4))});
      }
      case Deed::kCallMapped:
        return add(
            {words::MemoryOp(Op::kLda, 21, subroutine, 19), words::JumpOp(Op::kJsr, 26, 21)});
      case Deed::kMapData:
        return add({words::Operate(Op::kXor, 22, 23, 22), words::Mtpr(17, Ipr::kDtbTag0),
                    words::Mtpr(22, Ipr::kDtbPte0)});
      case Deed::kMapCode:
        return add({words::Operate(Op::kXor, 24, 25, 24), words::Mtpr(19, Ipr::kItbTag),
                    words::Mtpr(24, Ipr::kItbPte)});
    }
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
    cpu.pc = kKseg + Start(cpu);
    const uint64_t other = cpu.index % 2 * alpha::kPageSize;  // not all begin with the same page
    cpu.dtb.Insert(Entry(kVirtualData, kMappedData + other));
    cpu.itb.Insert(Entry(kVirtualCode, kMappedCode + other));
    cpu.r[16] = kKseg + kData;
    cpu.r[17] = kVirtualData;
    cpu.r[18] = kKseg + kShared;
    cpu.r[19] = kVirtualCode;
    cpu.r[20] = alpha::words::MemoryOp(Op::kLda, 5, 1, 5);
    cpu.r[22] = (kMappedData + other) >> alpha::kPageShift << 32 | 0xff00;
    cpu.r[23] = (kMappedData ^ (kMappedData + alpha::kPageSize)) >> alpha::kPageShift << 32;
    cpu.r[24] = (kMappedCode + other) | 0x0f00;
    cpu.r[25] = kMappedCode ^ (kMappedCode + alpha::kPageSize);
  }

  std::vector<Page> pages_;
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
