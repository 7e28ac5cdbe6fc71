#include "replaylog/describe_frame.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "replaylog/log_testing.h"

namespace isochron::replaylog {
namespace {

std::string Describe(const std::string& hex) { return DescribeFrame(absl::HexStringToBytes(hex)); }

constexpr char kStations[] = "525400123456525500000202";

std::string Ipv4(const std::string& protocol, const std::string& fragment,
                 const std::string& rest) {
  return absl::StrCat(kStations, "0800", "450000540000", fragment, "40", protocol, "0000",
                      "0a00020f", "0a000202", rest);
}

TEST(DescribeFrameTest, TellsWhoSpeaksWithWhom) {
  EXPECT_EQ(Describe(Ipv4("01", "4000", "0800")), "36 bytes ICMP 10.0.2.15 > 10.0.2.2");
  EXPECT_EQ(Describe(Ipv4("06", "4000", "04010050")), "38 bytes TCP 10.0.2.15:1025 > 10.0.2.2:80");
  EXPECT_EQ(Describe(Ipv4("11", "4000", "00440043")), "38 bytes UDP 10.0.2.15:68 > 10.0.2.2:67");
  EXPECT_EQ(Describe(Ipv4("2f", "4000", "")), "34 bytes IP protocol 47 10.0.2.15 > 10.0.2.2");
  const std::string ipv6 =
      absl::StrCat(kStations, "86dd", "60000000", "0008", "3a", "ff",
                   "fe800000000000000000000000000001", "ff020000000000000000000000000002", "8500");
  EXPECT_EQ(Describe(ipv6), "56 bytes ICMPv6 fe80::1 > ff02::2");
  EXPECT_EQ(Describe(absl::StrCat(kStations, "0806")),
            "14 bytes ARP 52:55:00:00:02:02 > 52:54:00:12:34:56");
  EXPECT_EQ(Describe(absl::StrCat(kStations, "88cc")),
            "14 bytes type 0x88cc 52:55:00:00:02:02 > 52:54:00:12:34:56");
}

TEST(DescribeFrameTest, TellsNoPortsWhereThereAreNone) {
  EXPECT_EQ(Describe(Ipv4("06", "0007", "04010050")), "38 bytes TCP 10.0.2.15 > 10.0.2.2");
  EXPECT_EQ(Describe(Ipv4("06", "4000", "040100")), "37 bytes TCP 10.0.2.15 > 10.0.2.2");
}

TEST(DescribeFrameTest, IsCutToItsColumns) {
  const std::string frame = absl::HexStringToBytes(Ipv4("01", "4000", "0800"));
  EXPECT_EQ(DescribeFrame(frame, 39), "36 bytes ICMP 10.0.2.15 > 10.0.2.2");
  EXPECT_EQ(DescribeFrame(frame, 33), "36 bytes ICMP 10.0.2.15 > 10.0...");
  EXPECT_EQ(DescribeFrame(frame, 3), "...");
}

TEST(DescribeFrameTest, TakesFramesThatBreakOff) {
  const std::string whole = absl::HexStringToBytes(Ipv4("06", "4000", "04010050"));
  for (size_t size = 0; size < whole.size(); ++size) {
    // In memory of its own, so that a reader past the end is seen.
    const std::string cut(whole.data(), size);
    EXPECT_EQ(DescribeFrame(cut).find(absl::StrCat(size, " bytes")), 0u);
  }
}

}  // namespace
}  // namespace isochron::replaylog
