#include "machine/events/guest_time.h"

#include <gtest/gtest.h>

namespace isochron::machine {
namespace {

constexpr uint64_t kHz = 600'000'000;

TEST(GuestTimeTest, TakesCyclesAndSeconds) {
  EXPECT_EQ(ParseGuestTime("100")->Cycles(kHz), 100u);
  EXPECT_EQ(ParseGuestTime("1.5G")->Cycles(kHz), 1'500'000'000u);
  EXPECT_EQ(ParseGuestTime("20s")->Cycles(kHz), 20 * kHz);
  EXPECT_EQ(ParseGuestTime("1.5s")->Cycles(kHz), 900'000'000u);
  EXPECT_EQ(ParseGuestTime("10ms")->Cycles(kHz), 6'000'000u);
  EXPECT_EQ(ParseGuestTime("0.25us")->Cycles(kHz), 150u);
  EXPECT_EQ(ParseGuestTime("1000000000s")->Cycles(10'000'000'000), 10'000'000'000'000'000'000u);
}

TEST(GuestTimeTest, RoundsUp) {
  EXPECT_EQ(ParseGuestTime("1ns")->Cycles(kHz), 1u);
  EXPECT_EQ(ParseGuestTime("0s")->Cycles(kHz), 0u);
  EXPECT_TRUE(ParseGuestTime("0s")->is_zero());
}

TEST(GuestTimeTest, RefusesEverythingElse) {
  for (const char* text : {"", "s", "1 s", "-1s", "1.s", "1e3s", "1.5", "0.5ns", "1Ks", "soon"}) {
    EXPECT_FALSE(ParseGuestTime(text).ok()) << text;
  }
  EXPECT_EQ(ParseGuestTime("1000000000.1s").status().message(), "'1000000000.1s' is too large");
  EXPECT_EQ(
      ParseGuestTime("lots").status().message(),
      "'lots' is not a number of cycles or a time (digits, perhaps followed by K, M or G, or by "
      "ns, us, ms or s)");
}

}  // namespace
}  // namespace isochron::machine
