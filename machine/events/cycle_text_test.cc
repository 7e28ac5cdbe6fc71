#include "machine/events/cycle_text.h"

#include <gtest/gtest.h>

namespace isochron::machine {
namespace {

constexpr uint64_t kHz = 600'000'000;

TEST(CycleTextTest, HasSecondsToo) {
  EXPECT_EQ(SecondsText(4'294'967'296, kHz), "7.158");
  EXPECT_EQ(WithSeconds(4'294'967'296, kHz), "4294967296 (7.158 s)");
  EXPECT_EQ(WithSeconds(1 << 20, kHz), "1048576 (0.001748 s)");
  EXPECT_EQ(CyclesText(1 << 20, kHz), "1048576 cycles (0.001748 s)");
}

}  // namespace
}  // namespace isochron::machine
