#include "machine/devices/isa_bus.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace isochron::machine {
namespace {

// Shows its offsets and remembers what was written.
class Probe final : public BusTarget {
 public:
  uint64_t Read(const Access& access) override {
    EXPECT_EQ(access.size, 1);
    EXPECT_EQ(access.cpu, 2) << "who accesses is known behind the bus, too";
    return 0x40 + access.offset;
  }
  void Write(const Access& access, uint64_t value) override {
    EXPECT_EQ(access.size, 1);
    EXPECT_EQ(access.cpu, 2);
    writes.push_back({access.offset, value});
  }

  std::vector<std::pair<uint64_t, uint64_t>> writes;
};

TEST(IsaBusTest, SplitsIntoBytesAndFillsGaps) {
  Probe probe;
  IsaBus bus;
  bus.Map({0x20, 2, 0}, probe);
  bus.Map({0xa0, 2, 2}, probe);
  EXPECT_EQ(bus.Read({0x20, 1, 2}), 0x40u);
  EXPECT_EQ(bus.Read({0xa1, 1, 2}), 0x43u);
  EXPECT_EQ(bus.Read({0x20, 2, 2}), 0x4140u);
  EXPECT_EQ(bus.Read({0x20, 4, 2}), 0xffff4140u);
  EXPECT_EQ(bus.Read({0x1c, 8, 2}), 0xffff4140ffffffffu);
  EXPECT_EQ(bus.Read({0x22, 1, 2}), 0xffu);
  EXPECT_EQ(bus.Read({0x10020, 1, 2}), 0xffu);
  bus.Write({0xa0, 4, 2}, 0x44332211);
  EXPECT_EQ(probe.writes, (std::vector<std::pair<uint64_t, uint64_t>>{{2, 0x11}, {3, 0x22}}));
}

}  // namespace
}  // namespace isochron::machine
