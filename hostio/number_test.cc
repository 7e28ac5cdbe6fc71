#include "hostio/number.h"

#include <gtest/gtest.h>

namespace isochron::hostio {
namespace {

TEST(ParseNumber, TakesDecimalAndHexadecimal) {
  EXPECT_EQ(*ParseNumber("18446744073709551615"), ~uint64_t{0});
  EXPECT_EQ(*ParseNumber("0xffffffffffffffff"), ~uint64_t{0});
  EXPECT_EQ(*ParseNumber("0"), 0u);
  for (const char* text : {"", "0x", "x", "1K", "-1", "0x10000000000000000"}) {
    EXPECT_FALSE(ParseNumber(text).ok()) << text;
  }
}

}  // namespace
}  // namespace isochron::hostio
