#include "hostio/quantity.h"

#include <string>

#include <gtest/gtest.h>

namespace isochron::hostio {
namespace {

TEST(ParseSize, TakesPowersOf1024) {
  EXPECT_EQ(*ParseSize("4096"), 4096u);
  EXPECT_EQ(*ParseSize("3K"), 3u << 10);
  EXPECT_EQ(*ParseSize("256M"), 256u << 20);
  EXPECT_EQ(*ParseSize("2g"), uint64_t{2} << 30);
  EXPECT_EQ(*ParseSize("1.5G"), uint64_t{3} << 29);
}

TEST(ParseSize, RefusesEverythingElse) {
  for (const char* text : {"", "M", "-1", "+1", " 1", "1 ", "1.5", "0.1K", ".5G", "1.G", "1..5G",
                           "1T", "1MB", "0x10", "18446744073709551616", "99999999999999999G"}) {
    EXPECT_FALSE(ParseSize(text).ok()) << text;
  }
}

TEST(ParseCycles, TakesPowersOf1000) {
  EXPECT_EQ(*ParseCycles("7"), 7u);
  EXPECT_EQ(*ParseCycles("7k"), 7'000u);
  EXPECT_EQ(*ParseCycles("600M"), 600'000'000u);
  EXPECT_EQ(*ParseCycles("2G"), 2'000'000'000u);
  EXPECT_EQ(*ParseCycles("1.5G"), 1'500'000'000u);
  EXPECT_EQ(*ParseCycles("0.000001000G"), 1'000u);
  EXPECT_EQ(ParseCycles("0.0001K").status().message(), "'0.0001K' is not a whole number of cycles");
}

TEST(ParseCycles, TellsTooLargeFromNoNumber) {
  for (const char* text : {"18446744073709551616", "99999999999999999999", "99999999999999999999K",
                           "18446744073709551615G"}) {
    EXPECT_EQ(std::string(ParseCycles(text).status().message()),
              "'" + std::string(text) + "' is too large");
  }
  EXPECT_EQ(*ParseCycles("18446744073709551615"), ~uint64_t{0});
  for (const char* text : {"99999999999999999999x", "-99999999999999999999", "K"}) {
    EXPECT_EQ(std::string(ParseCycles(text).status().message()),
              "'" + std::string(text) +
                  "' is not a number of cycles (digits, perhaps followed by K, M or G)");
  }
}

TEST(ParseDateTime, CountsSecondsFrom1970) {
  EXPECT_EQ(*ParseDateTime("1970-01-01T00:00:00"), 0);
  EXPECT_EQ(*ParseDateTime("2010-01-01T00:00:00"), 1'262'304'000);
  EXPECT_EQ(*ParseDateTime("2000-02-29T23:59:59"), 951'868'799);
}

TEST(ParseDateTime, RefusesWhatIsNoDate) {
  for (const char* text :
       {"", "2010-01-01", "2010-01-01 00:00:00", "2010-01-01T00:00:00Z", "2010-13-01T00:00:00",
        "2010-02-29T00:00:00", "2010-01-01T24:00:00", "2010-01-01T00:60:00", "2010-01-01T00:00:60",
        "1969-12-31T23:59:59", "2010-1-01T00:00:000"}) {
    EXPECT_FALSE(ParseDateTime(text).ok()) << text;
  }
}

TEST(ParseDateTime, QuotesWhatIsWrong) {
  EXPECT_EQ(std::string(ParseDateTime("noon").status().message()),
            "'noon' is not a date and time (YYYY-MM-DDTHH:MM:SS, from 1970 on)");
}

}  // namespace
}  // namespace isochron::hostio
