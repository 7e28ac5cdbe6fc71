#include "machine/devices/isa_bus.h"

#include <vector>

#include <gtest/gtest.h>

namespace isochron::machine {
namespace {

// Shows its offsets and remembers what was written.
class Probe final : public Device {
 public:
  void Reset() override {}
  uint64_t Read(uint64_t offset, int size) override {
    EXPECT_EQ(size, 1);
    return 0x40 + offset;
  }
  void Write(uint64_t offset, int size, uint64_t value) override {
    EXPECT_EQ(size, 1);
    writes.push_back({offset, value});
  }
  void OnEvent(int) override {}
  void VisitState(alpha::StateVisitor&) const override {}
  void RestoreState(alpha::StateReader&) override {}

  std::vector<std::pair<uint64_t, uint64_t>> writes;
};

TEST(IsaBusTest, SplitsIntoBytesAndFillsGaps) {
  Probe probe;
  IsaBus bus;
  bus.Map({0x20, 2, 0}, probe);
  bus.Map({0xa0, 2, 2}, probe);
  EXPECT_EQ(bus.Read(0x20, 1), 0x40u);
  EXPECT_EQ(bus.Read(0xa1, 1), 0x43u);
  EXPECT_EQ(bus.Read(0x20, 2), 0x4140u);
  EXPECT_EQ(bus.Read(0x20, 4), 0xffff4140u);
  EXPECT_EQ(bus.Read(0x1c, 8), 0xffff4140ffffffffu);
  EXPECT_EQ(bus.Read(0x22, 1), 0xffu);
  EXPECT_EQ(bus.Read(0x10020, 1), 0xffu);
  bus.Write(0xa0, 4, 0x44332211);
  EXPECT_EQ(probe.writes, (std::vector<std::pair<uint64_t, uint64_t>>{{2, 0x11}, {3, 0x22}}));
}

}  // namespace
}  // namespace isochron::machine
