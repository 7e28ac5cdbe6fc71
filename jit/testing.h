// Computers of one engine, for tests that hold the translating engine against the interpreter.

#ifndef ISOCHRON_JIT_TESTING_H_
#define ISOCHRON_JIT_TESTING_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/engine.h"
#include "alpha/ipr.h"
#include "gtest/gtest.h"
#include "jit/engine.h"
#include "ref/engine.h"
#include "ref/testing.h"

namespace isochron::jit::testing {

inline constexpr uint64_t kKseg = 0xffff'fc00'0000'0000;
inline constexpr uint64_t kCode = 0x10000;
inline constexpr uint64_t kData = 0x20000;
inline constexpr uint64_t kIo = 0x1000'0000;

inline Options Eager() {
  Options options;
  options.threshold = 1;
  return options;
}

// RAM, a bus and a CPU in kernel mode that sees RAM at kKseg; PALcode loops where it is entered.
class Computer {
 public:
  using Maker = std::function<std::unique_ptr<alpha::Engine>(alpha::Memory&, alpha::IoBus&)>;

  explicit Computer(const Maker& make) : pages_(64), memory(pages_.front().bytes, 64 << 13) {
    cpu.Reset(0x8000);
    cpu.i_ctl |= uint64_t{2} << alpha::i_ctl::kSpeShift;
    cpu.m_ctl = uint64_t{2} << 1;
    cpu.pc = kKseg + kCode;
    for (uint64_t entry = 0; entry < 0x4000; entry += 64) {
      Put(0x8000 + entry, {ref::testing::BranchOp(alpha::Op::kBr, 31, -1)});
    }
    engine = make(memory, io);
  }

  void Put(uint64_t pa, const std::vector<uint32_t>& words) {
    memory.Write(pa, words.data(), 4 * words.size());
  }
  void RunTo(uint64_t cycle) {
    alpha::Deadline deadline{cycle};
    engine->Run(cpu, deadline);
  }
  std::string State() const {
    return alpha::StateBytes(cpu) +
           std::string(reinterpret_cast<const char*>(pages_.data()), memory.size());
  }

 private:
  struct alignas(alpha::kPageSize) Page {
    uint8_t bytes[alpha::kPageSize] = {};
  };
  std::vector<Page> pages_;

 public:
  alpha::Memory memory;
  ref::testing::FakeIo io;
  alpha::Cpu cpu{0, 16, 16};
  std::unique_ptr<alpha::Engine> engine;
};

inline std::unique_ptr<alpha::Engine> Ref(alpha::Memory& memory, alpha::IoBus& io) {
  return ref::CreateEngine(memory, io);
}

inline Computer::Maker Jit(const Options& options) {
  return [options](alpha::Memory& memory, alpha::IoBus& io) {
    return *CreateEngine(memory, io, options);
  };
}

// What a translating engine has counted.
struct Counts : alpha::EngineStats, alpha::TranslationStats {
  explicit Counts(alpha::Engine& engine)
      : EngineStats(engine.stats()), TranslationStats(engine.probe()->translation_stats()) {}
};

// Runs both to random boundaries, up to that cycle, and compares everything there.
inline void ExpectSame(Computer& ref, Computer& jit, uint64_t cycles) {
  std::mt19937_64 random(1);
  for (uint64_t cycle = 0; cycle < cycles;) {
    const uint64_t longest = random() % 8 == 0 ? 5000 : 50;
    cycle += 1 + random() % longest;
    ref.RunTo(cycle);
    jit.RunTo(cycle);
    EXPECT_EQ(ref.cpu.pc, jit.cpu.pc);
    EXPECT_EQ(ref.cpu.cycle, jit.cpu.cycle);
    EXPECT_EQ(ref.cpu.instructions, jit.cpu.instructions);
    if (ref.State() != jit.State()) {
      ADD_FAILURE() << "states differ at cycle " << cycle;
      break;
    }
  }
  EXPECT_EQ(ref.io.accesses.size(), jit.io.accesses.size());
}

}  // namespace isochron::jit::testing

#endif  // ISOCHRON_JIT_TESTING_H_
