// What a reset keeps, what it costs, and that a guest that does nothing else cannot keep anybody
// waiting.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conformance/guests/guest_run.h"
#include "engines/engines.h"
#include "gtest/gtest.h"
#include "machine/firmware/elf_image.h"
#include "machine/firmware/elf_test_image.h"
#include "machine/machine.h"

namespace isochron::conformance {
namespace {

using machine::Machine;
using machine::RunEnd;
using machine::StopCondition;

constexpr uint64_t kKernel = 0xfffffc0000310000;
constexpr uint64_t kCounter = 0x8000000;  // physical, apart from everything
constexpr uint64_t kMebibyte = uint64_t{1} << 20;

// Adds 1 to the quadword at kCounter and asks for a reset; for power-off when it is `last`, at most
// 255.
std::string CountingKernel(uint32_t last, uint64_t contents, uint64_t memory_bytes) {
  const uint32_t code[] = {
      0x243f0000,               // ldah $1, 0
      0x2021fc00,               // lda $1, -1024($1)
      0x48241721,               // sll $1, 32, $1
      0x24210800,               // ldah $1, 0x800($1)
      0x247f0000,               // ldah $3, 0
      0x2063fd01,               // lda $3, -767($3)
      0x48641723,               // sll $3, 32, $3
      0x24634000,               // ldah $3, 0x4000($3): POWER of the platform device
      0x209f0002,               // lda $4, 2: reset
      0xa4410000,               // ldq $2, 0($1)
      0x40403402,               // addq $2, 1, $2
      0xb4410000,               // stq $2, 0($1)
      0x404015a5 | last << 13,  // cmpeq $2, last, $5
      0x40850524,               // subq $4, $5, $4
      0xb4830000,               // stq $4, 0($3)
      0xc3ffffff,               // br .
  };
  std::string text(reinterpret_cast<const char*>(code), sizeof code);
  text.resize(contents, 'x');
  return machine::ElfTestImage().Entry(kKernel).Load(kKernel, text, memory_bytes).Build();
}

std::unique_ptr<Machine> Make(const std::string& kernel, const std::string& engine) {
  machine::BootImages images;
  images.kernel = *machine::ParseKernel(kernel);
  machine::MachineConfig config;
  config.memory_bytes = 256 * kMebibyte;
  auto made = Machine::Create(config, std::move(images), engines::FindEngine(engine)->factory);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

uint64_t Count(const Machine& machine) { return machine.memory().Load<uint64_t>(kCounter); }

TEST(Reset, MemoryKeepsItsContents) {
  uint64_t cycle = 0;
  for (const std::string& engine : engines::EngineNames()) {
    auto machine = Make(CountingKernel(3, 64, 0x2000), engine);
    EXPECT_TRUE(PowersOffBefore(*machine, 400'000'000)) << engine;
    EXPECT_EQ(Count(*machine), 3u);
    if (cycle != 0) {
      EXPECT_EQ(machine->cpu().cycle, cycle) << engine;
    }
    cycle = machine->cpu().cycle;
  }
}

// Notes how far the guest has counted at each input point.
class Watcher final : public machine::InputSource {
 public:
  explicit Watcher(const Machine& machine) : machine_(machine) {}
  void Poll(const machine::InputPoint&, std::vector<machine::Input>&) override {
    counts_.push_back(Count(machine_));
  }
  const std::vector<uint64_t>& counts() const { return counts_; }

 private:
  const Machine& machine_;
  std::vector<uint64_t> counts_;
};

TEST(Reset, GuestThatOnlyResetsComesPastInputPoints) {
  for (const std::string& engine : engines::EngineNames()) {
    auto machine = Make(CountingKernel(40, 8 * kMebibyte, 32 * kMebibyte), engine);
    Watcher watcher(*machine);
    machine->SetInputSource(&watcher);
    EXPECT_EQ(machine->Run().kind, RunEnd::Kind::kPowerOff);
    uint64_t before = 0;
    for (const uint64_t count : watcher.counts()) {
      EXPECT_LE(count, before + 1) << "more than one reset between two input points";
      before = count;
    }
    EXPECT_GE(before, 38u);
  }
}

TEST(Reset, WritesOnlyPagesThatDiffer) {
  auto machine = Make(CountingKernel(255, 8 * kMebibyte, 32 * kMebibyte), "ref");
  machine->RunUntil(StopCondition::AtCycle(1));
  machine->StateDigest();  // takes the dirty marks
  const uint64_t count = Count(*machine);
  machine->RunUntil(StopCondition::AtCycle(machine->cpu().cycle + 50'000'000));
  EXPECT_GT(Count(*machine), count);
  uint64_t dirty = 0;
  for (uint64_t pa = 0; pa < machine->memory().size(); pa += alpha::kPageSize) {
    dirty += machine->memory().IsDirty(pa) ? 1 : 0;
  }
  EXPECT_LE(dirty, 64u) << "of the firmware's pages and the counter's";
}

}  // namespace
}  // namespace isochron::conformance
