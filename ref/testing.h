// What tests of the interpreter share: a small machine and an assembler.

#ifndef ISOCHRON_REF_TESTING_H_
#define ISOCHRON_REF_TESTING_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/decode.h"
#include "alpha/encode.h"
#include "alpha/engine.h"
#include "alpha/exceptions.h"
#include "alpha/ipr.h"
#include "alpha/memory.h"
#include "alpha/state_visitor.h"
#include "ref/interpreter.h"

namespace isochron::ref::testing {

using alpha::Op;

using namespace alpha::words;  // NOLINT: an assembler

inline uint64_t CostOf(uint32_t word) {
  return alpha::InstructionCost(alpha::Info(alpha::Decode(word).op).cost);
}

inline uint64_t CostOf(std::initializer_list<uint32_t> words) {
  uint64_t cost = 0;
  for (const uint32_t word : words) cost += CostOf(word);
  return cost;
}

inline uint64_t PalEntryCost() { return alpha::InstructionCost(alpha::CostClass::kPalEntry); }

// A bus that records each access and asks the test what it gives.
class FakeIo : public alpha::IoBus {
 public:
  struct Access {
    bool write = false;
    uint64_t pa = 0;
    int size = 0;
    uint64_t data = 0;
    uint64_t cycle = 0;
  };
  using Handler = std::function<alpha::IoResult(alpha::Cpu&, const Access&)>;

  alpha::IoResult Read(alpha::Cpu& cpu, uint64_t pa, int size) override {
    return Take(cpu, {false, pa, size, 0, cpu.cycle});
  }
  alpha::IoResult Write(alpha::Cpu& cpu, uint64_t pa, int size, uint64_t data) override {
    return Take(cpu, {true, pa, size, data, cpu.cycle});
  }

  Handler handler;
  std::vector<Access> accesses;

 private:
  alpha::IoResult Take(alpha::Cpu& cpu, const Access& access) {
    accesses.push_back(access);
    return handler ? handler(cpu, access) : alpha::IoResult{};
  }
};

// RAM, a bus and a CPU in kernel mode that sees RAM at kKseg, PALcode at kPalBase.
//
// The first instruction of every PALcode entry stops the engine: it stores to kStopAddress.
class TestMachine {
 public:
  static constexpr uint64_t kPages = 64;
  static constexpr uint64_t kMemorySize = kPages * alpha::kPageSize;
  static constexpr uint64_t kKseg = 0xffff'fc00'0000'0000;
  static constexpr uint64_t kPalBase = 0x8000;
  static constexpr uint64_t kCode = 0x10000;  // physical, where programs go
  static constexpr uint64_t kData = 0x20000;
  static constexpr uint64_t kIo = 0x1000'0000;
  static constexpr uint64_t kStopAddress = 0xfff'ffff'fff8;

  explicit TestMachine(uint32_t tlb_entries = 16)
      : pages_(kPages),
        memory(pages_.front().bytes, kMemorySize),
        cpu(0, tlb_entries, tlb_entries),
        engine(memory, io) {
    cpu.Reset(kPalBase);
    cpu.i_ctl |= uint64_t{2} << alpha::i_ctl::kSpeShift;
    cpu.m_ctl = uint64_t{2} << 1;
    cpu.pc = kKseg + kCode;
    const uint32_t stop = HwStore(alpha::HwStoreType::kPhysical, 31, -8, 31);  // to kStopAddress
    for (uint64_t entry = 0; entry < 0x4000; entry += 64) Put(kPalBase + entry, {stop});
    io.handler = [this](alpha::Cpu& c, const FakeIo::Access& access) {
      return OnAccess(c, access);
    };
  }
  TestMachine(const TestMachine&) = delete;
  TestMachine& operator=(const TestMachine&) = delete;

  // Writes instructions at a physical address, as a loader would.
  void Put(uint64_t pa, const std::vector<uint32_t>& words) {
    memory.Write(pa, words.data(), 4 * words.size());
  }
  void Program(const std::vector<uint32_t>& words) { Put(kCode, words); }

  // Runs once, to `cycle` at the latest.
  alpha::RunResult RunTo(uint64_t cycle) {
    deadline.cycle = cycle;
    return engine.Run(cpu, deadline);
  }
  alpha::RunResult Step() { return RunTo(cpu.cycle + 1); }
  void Steps(int count) {
    for (int i = 0; i < count; ++i) Step();
  }
  // Runs until PALcode is entered. `cycle` and `instructions` are then those of the entry.
  void RunToPal() {
    stopped_ = false;
    RunTo(cpu.cycle + 1'000'000);
    if (!stopped_) return;
    cpu.cycle = io.accesses.back().cycle;
    cpu.instructions -= 1;
    cpu.pc -= 4;
  }
  bool stopped() const { return stopped_; }
  bool AtEntry(alpha::PalEntry entry) const {
    return cpu.pc == ((kPalBase + static_cast<uint64_t>(entry)) | 1);
  }

  void MapData(uint64_t va, uint64_t pa, uint64_t permissions, uint8_t asn = 0) {
    alpha::TlbEntry entry;
    entry.tag = va;
    entry.base = pa;
    entry.permissions = static_cast<uint16_t>(permissions);
    entry.asn = asn;
    cpu.dtb.Insert(entry);
    engine.Invalidate();
  }
  void MapCode(uint64_t va, uint64_t pa, uint64_t permissions, uint8_t asn = 0) {
    alpha::TlbEntry entry;
    entry.tag = va;
    entry.base = pa;
    entry.permissions = static_cast<uint16_t>(permissions);
    entry.asn = asn;
    cpu.itb.Insert(entry);
    engine.Invalidate();
  }

  std::string CpuState() const { return alpha::StateBytes(cpu); }
  std::string MemoryState() const {
    return std::string(reinterpret_cast<const char*>(pages_.data()), kMemorySize);
  }

  // What accesses other than to kStopAddress give.
  FakeIo::Handler on_io;

 private:
  struct alignas(alpha::kPageSize) Page {
    uint8_t bytes[alpha::kPageSize] = {};
  };

  alpha::IoResult OnAccess(alpha::Cpu& c, const FakeIo::Access& access) {
    if (access.pa == kStopAddress) {
      stopped_ = true;
      deadline.MoveNearer(0);
      return {};
    }
    return on_io ? on_io(c, access) : alpha::IoResult{};
  }

  std::vector<Page> pages_;
  bool stopped_ = false;

 public:
  alpha::Memory memory;
  FakeIo io;
  alpha::Cpu cpu;
  Interpreter engine;
  alpha::Deadline deadline;
};

}  // namespace isochron::ref::testing

#endif  // ISOCHRON_REF_TESTING_H_
