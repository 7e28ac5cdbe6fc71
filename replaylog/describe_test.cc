#include "replaylog/describe.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "replaylog/log_testing.h"

namespace isochron::replaylog {
namespace {

constexpr uint64_t kHz = 600'000'000;

TEST(DescribeTest, LinesFitAndAlign) {
  std::vector<Event> events = SmallEvents();
  events.push_back(OutputAt(5, std::string(300, '\x01'), 9));
  events.push_back(OutputAt(5, std::string(300, 'a'), 9));
  events.push_back({123456789012, ~uint64_t{0} >> 1, 255, UnknownEvent{100, "x"}});
  for (const Event& event : events) EXPECT_LE(DescribeEvent(event, kHz).size(), 80u);
  EXPECT_EQ(EventTableHeading(), "   event          cycle      second type       contents");
  EXPECT_EQ(DescribeEvent(events[0], kHz),
            "       0           1000    0.000002 output     uart0 7 \"hello\\r\\n\"");
  EXPECT_EQ(DescribeEvent(events[1], kHz),
            "       1          20000    0.000033 interrupt  ISUM 0x800000000 timer");
  EXPECT_EQ(DescribeEvent(events[5], kHz),
            "       5      268435456    0.447392 checkpoint 123456789 insns 000000000000...");
  EXPECT_EQ(DescribeEvent(events[6], kHz),
            "       6      268435461    0.447392 stop       signal 15");
  EXPECT_EQ(DescribeEvent({7, 600, 2, InterruptEvent{uint64_t{1} << 34}}, kHz),
            "       7            600    0.000001 interrupt  cpu2 ISUM 0x400000000 device");
}

TEST(DescribeTest, TellsWhatIsWritten) {
  const std::vector<Event> events = WriteEvents();
  EXPECT_EQ(DescribeEvent(events[0], kHz),
            "       0            300    0.000000 write      R16 0x1234");
  EXPECT_EQ(DescribeEvent(events[1], kHz),
            "       1            300    0.000000 write      cpu3 PC 0x8001");
  EXPECT_EQ(DescribeEvent(events[2], kHz),
            "       2            300    0.000000 write      0x10000 2 bytes 01ff");
  EXPECT_EQ(EventToJson(events[2]),
            R"({"event":2,"cycle":300,"cpu":0,"type":"write","space":"memory","address":65536,)"
            R"("bytes":"\u0001\u00ff","text":"\u0001\ufffd"})");
  const Event longer = {0, 1, 0,
                        InputEvent{machine::Input::WriteMemory(0, 0x10000, std::string(500, 'x'))}};
  EXPECT_LE(DescribeEvent(longer, kHz).size(), 80u);
  EXPECT_THAT(DescribeEvent(longer, kHz), testing::EndsWith("78..."));
  EXPECT_THAT(DescribeEvent(longer, kHz, kAllColumns), testing::EndsWith("7878"));
}

TEST(DescribeTest, TellsWhatTravels) {
  const std::vector<Event> events = NetworkEvents();
  EXPECT_THAT(DescribeEvent(events[0], kHz, kAllColumns),
              testing::EndsWith(" received   15 bytes type 0x2e2e 74:69:6f:6e:2e:2e > "
                                "74:6f:2d:73:74:61"));
  EXPECT_THAT(DescribeEvent(events[1], kHz),
              testing::StartsWith("       1            500    0.000001 sent       15 bytes type "));
  EXPECT_EQ(DescribeEvent(events[2], kHz),
            "       2            600    0.000001 sent-long  1514 bytes");
  EXPECT_EQ(EventToJson(events[0]), R"({"event":0,"cycle":400,"cpu":0,"type":"received",)"
                                    R"("frame":"746f2d73746174696f6e2e2e2e2eff"})");
  EXPECT_EQ(
      EventToJson(events[2]),
      absl::StrCat(R"({"event":2,"cycle":600,"cpu":0,"type":"sent-long","size":1514,)",
                   R"("digest":")", machine::DigestOf(std::string(1514, 'x')).ToString(), R"("})"));
  LogHeader header = SmallHeader();
  EXPECT_THAT(HeaderToJson(header), testing::Not(testing::HasSubstr("network")));
  header.config.network.emplace();
  EXPECT_THAT(HeaderToJson(header),
              testing::HasSubstr(R"("network":{"model":"virtio","mac":"52:54:00:12:34:56",)"
                                 R"("whole_frames":1514})"));
}

TEST(DescribeTest, LinesCanHoldEverything) {
  const std::string bytes(3000, 'a');
  EXPECT_THAT(DescribeEvent(OutputAt(5, bytes, 9), kHz, kAllColumns),
              testing::EndsWith("\"" + bytes + "\""));
  const std::vector<Event> events = SmallEvents();
  EXPECT_THAT(DescribeEvent(events[5], kHz, kAllColumns),
              testing::EndsWith(" insns 00000000000000060000000000000005"));
  EXPECT_THAT(DescribeEvent(events[7], kHz, kAllColumns),
              testing::EndsWith(" insns 00000000000000080000000000000007"));
  EXPECT_THAT(DescribeEvent({1, 2, 0, UnknownEvent{100, "\x01z"}}, kHz, kAllColumns),
              testing::EndsWith("type 100, 2 bytes 017a"));
  EXPECT_EQ(DescribeEvent(OutputAt(5, bytes, 9), kHz, 100).size(), 100u);
}

TEST(DescribeTest, NamesTheRequestsOfIsum) {
  EXPECT_EQ(DescribeIsum(0), "");
  EXPECT_EQ(DescribeIsum(uint64_t{0x3f} << 33), "error device timer IPI EI4 EI5");
  EXPECT_EQ(DescribeIsum(uint64_t{1} << 14 | uint64_t{1} << 28), "SI15 SI1");
  EXPECT_EQ(DescribeIsum(uint64_t{1} << 32 | uint64_t{1} << 31 | uint64_t{3} << 29 | 0x618),
            "serial corrected-read PC1 PC0 ASTU ASTS ASTE ASTK");
}

TEST(DescribeTest, QuotesAndCuts) {
  EXPECT_EQ(QuoteBytes("a\"\\\x7f\xff\t"), "\"a\\\"\\\\\\x7f\\xff\\t\"");
  EXPECT_EQ(QuoteBytes("abcdefgh", 10), "\"abcdefgh\"");
  EXPECT_EQ(QuoteBytes("abcdefghi", 10), "\"abcde\"...");
  for (size_t columns = 6; columns < 30; ++columns) {
    EXPECT_LE(QuoteBytes("ab\x01\x02\x03 more of it", columns).size(), columns);
  }
}

TEST(DescribeTest, JsonFieldsAreStable) {
  const std::vector<Event> events = SmallEvents();
  EXPECT_EQ(EventToJson(OutputAt(7, "a\n\"\xff", 3)),
            R"({"event":0,"cycle":7,"cpu":0,"type":"output","uart":0,)"
            R"("bytes":"a\u000a\"\u00ff","text":"a\u000a\"\ufffd","deltas":[3,3,3]})");
  EXPECT_EQ(
      JsonBytes("bytes", "text", "J\xc3\xbcrgen \xf0\x9f\x90\xa7"),
      R"("bytes":"J\u00c3\u00bcrgen \u00f0\u009f\u0090\u00a7","text":"J\u00fcrgen \ud83d\udc27")");
  EXPECT_EQ(JsonBytes("bytes", "text", "plain\n"), R"("bytes":"plain\u000a")");
  EXPECT_EQ(EventToJson(events[1]),
            R"({"event":1,"cycle":20000,"cpu":0,"type":"interrupt","pending":"0x800000000"})");
  EXPECT_EQ(
      EventToJson(events[2]),
      R"({"event":2,"cycle":1048576,"cpu":0,"type":"input","device":"uart","stream":0,"kind":"bytes","bytes":"ls\u000a"})");
  EXPECT_EQ(EventToJson(events[3]),
            R"({"event":3,"cycle":1048576,"cpu":0,"type":"input","device":"uart","stream":1,)"
            R"("kind":"break","bytes":""})");
  EXPECT_EQ(EventToJson(events[5]),
            R"({"event":5,"cycle":268435456,"cpu":0,"type":"checkpoint","instructions":123456789,)"
            R"("state":"00000000000000060000000000000005"})");
  EXPECT_EQ(EventToJson(events[6]),
            R"({"event":6,"cycle":268435461,"cpu":0,"type":"stop","cause":"signal","detail":15})");
  EXPECT_EQ(EventToJson(events[7]),
            R"({"event":7,"cycle":268435461,"cpu":0,"type":"end","reason":"stopped",)"
            R"("instructions":123456790,"state":"00000000000000080000000000000007"})");
  EXPECT_EQ(EventToJson({1, 2, 3, UnknownEvent{100, "\x01z"}}),
            R"({"event":1,"cycle":2,"cpu":3,"type":"unknown","record_type":100,"payload":"017a"})");
  EXPECT_EQ(
      HeaderToJson(GoldenHeader()),
      R"({"type":"header","model_version":1,"palcode":"fedcba98765432100123456789abcdef",)"
      R"("memory_bytes":268435456,"clock_hz":600000000,"itb_entries":128,"dtb_entries":128,)"
      R"("rtc_base_seconds":1262304000,"seed":0,"input_interval":1048576,)"
      R"("checkpoint_interval":536870912,"command_line":"console=ttyS0","reboot":true,)"
      R"("images":[{"role":"kernel","size":4096,"digest":"00000000000000020000000000000001"},)"
      R"({"role":"initrd","size":12345,"digest":"00000000000000040000000000000003"}]})");
}

TEST(DescribeTest, NamesAndTypesAreOneToOne) {
  for (std::string_view name : EventTypeNames()) {
    ASSERT_TRUE(EventTypeFromName(name).has_value());
    EXPECT_EQ(EventTypeName(*EventTypeFromName(name)), name);
  }
  EXPECT_EQ(EventTypeFromName("nonsense"), std::nullopt);
  EXPECT_EQ(EventTypeName(RecordType{99}), "unknown");
}

}  // namespace
}  // namespace isochron::replaylog
