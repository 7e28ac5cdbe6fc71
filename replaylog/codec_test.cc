#include "replaylog/codec.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "replaylog/log_testing.h"
#include "replaylog/varint.h"

namespace isochron::replaylog {
namespace {

using testing::HasSubstr;

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

std::string Encode(const LogHeader& header) {
  absl::StatusOr<std::string> bytes = EncodeHeader(header);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.value_or("");
}

// A header with the given body.
std::string HeaderWithBody(const std::string& body) {
  std::string bytes(kMagic);
  AppendVarint(kFormatMajor, bytes);
  AppendVarint(kFormatMinor, bytes);
  AppendVarint(body.size(), bytes);
  return bytes + body;
}

std::string BodyOf(const LogHeader& header) {
  const std::string bytes = Encode(header);
  std::string_view rest = std::string_view(bytes).substr(kMagic.size());
  uint64_t number = 0;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ConsumeVarint(rest, number));
  return std::string(rest);
}

std::string Frame(uint64_t cycle, uint64_t number, const std::string& records) {
  std::string payload;
  AppendVarint(cycle, payload);
  AppendVarint(number, payload);
  std::string frame(2, '\0');
  AppendVarint(payload.size(), frame);
  return frame + payload + records;
}

std::string Record(uint64_t tag, uint64_t delta, const std::string& payload) {
  std::string record;
  AppendVarint(tag, record);
  AppendVarint(delta, record);
  AppendVarint(payload.size(), record);
  return record + payload;
}

absl::Status DecodeStatus(const std::string& frame) {
  FrameDecoder decoder;
  if (absl::Status status = decoder.Start(frame); !status.ok()) return status;
  Event event;
  absl::StatusOr<bool> got = true;
  while (got.ok() && *got) got = decoder.Next(event);
  return got.status();
}

TEST(HeaderTest, RoundTrips) {
  LogHeader header = SmallHeader();
  header.config.memory_bytes = uint64_t{3} << 30;
  header.config.rtc_base_seconds = -5;
  header.config.seed = kMax;
  header.config.command_line = std::string("a\0b\xff", 4);
  header.config.reboot = false;
  header.config.entropy_device = true;
  header.config.nvram = std::string("a\0b", 3);
  header.disk_console = {9, 10};
  absl::StatusOr<LogHeader> decoded = DecodeHeader(Encode(header));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(Encode(*decoded), Encode(header));
  EXPECT_EQ(decoded->config.memory_bytes, header.config.memory_bytes);
  EXPECT_EQ(decoded->config.rtc_base_seconds, -5);
  EXPECT_EQ(decoded->config.seed, kMax);
  EXPECT_EQ(decoded->config.command_line, header.config.command_line);
  EXPECT_FALSE(decoded->config.reboot);
  EXPECT_TRUE(decoded->config.entropy_device);
  EXPECT_EQ(decoded->palcode, header.palcode);
  EXPECT_EQ(decoded->images, header.images);
  EXPECT_EQ(decoded->config.nvram, header.config.nvram);
  EXPECT_EQ(decoded->disk_console, header.disk_console);
  EXPECT_FALSE(decoded->config.boot_disk.has_value());
}

LogHeader HeaderWithDisks() {
  LogHeader header = SmallHeader();
  header.config.disks = {
      {.bytes = uint64_t{1} << 40},
      {.interface = machine::DiskConfig::Interface::kIde, .read_only = true, .bytes = 512}};
  header.images.push_back({ImageRecord::DiskRole(0), uint64_t{1} << 40, {5, 6}});
  header.images.push_back({ImageRecord::DiskRole(1), 512, {7, 8}});
  return header;
}

TEST(HeaderTest, HasTheDisksAndWhatIsOnThem) {
  const LogHeader header = HeaderWithDisks();
  absl::StatusOr<LogHeader> decoded = DecodeHeader(Encode(header));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->config.disks, header.config.disks);
  EXPECT_EQ(decoded->images, header.images);
}

LogHeader HeaderWithNetwork() {
  LogHeader header = SmallHeader();
  header.config.network = {.model = machine::NetworkConfig::Model::kTulip,
                           .mac = {2, 0, 0, 0xfe, 0xff, 1},
                           .whole_frames = 300};
  return header;
}

TEST(HeaderTest, HasTheNetworkDevice) {
  absl::StatusOr<LogHeader> decoded = DecodeHeader(Encode(HeaderWithNetwork()));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->config.network, HeaderWithNetwork().config.network);
  EXPECT_FALSE(DecodeHeader(Encode(SmallHeader()))->config.network.has_value());
}

TEST(HeaderTest, RefusesAClockThatStandsStill) {
  LogHeader header = SmallHeader();
  header.config.clock_hz = 0;
  EXPECT_TRUE(absl::IsDataLoss(DecodeHeader(Encode(header)).status()));
}

TEST(HeaderTest, OneOfSeveralCpusHasTheirQuantum) {
  LogHeader header = SmallHeader();
  EXPECT_EQ(Encode(header), Encode(SmallHeader()));
  header.config.quantum = 1234;
  EXPECT_EQ(Encode(header), Encode(SmallHeader())) << "one CPU has no turns";
  header.config.cpus = 3;
  absl::StatusOr<LogHeader> decoded = DecodeHeader(Encode(header));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->config.cpus, 3u);
  EXPECT_EQ(decoded->config.quantum, 1234u);
  for (const uint64_t cpus : {0, 1, 5}) {
    std::string field;
    AppendVarint(20, field);
    AppendVarint(1, field);
    AppendVarint(cpus, field);
    EXPECT_TRUE(
        absl::IsDataLoss(DecodeHeader(HeaderWithBody(BodyOf(SmallHeader()) + field)).status()))
        << cpus;
  }
}

TEST(HeaderTest, HasAScheduleThatIsNotFixed) {
  LogHeader header = SmallHeader();
  header.config.cpus = 3;
  const std::string fixed = Encode(header);
  for (const char* text : {"random:18446744073709551615:2-70", "pct:5:3:281474976710656",
                           "switches:281474976710656:0-2,1:2-1,1:2-0"}) {
    header.config.schedule = *machine::ScheduleConfig::Parse(text);
    EXPECT_NE(Encode(header), fixed);
    absl::StatusOr<LogHeader> decoded = DecodeHeader(Encode(header));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->config.schedule.Text(), text);
    EXPECT_TRUE(absl::IsDataLoss(
        DecodeHeader(HeaderWithBody(BodyOf(header) + std::string("\x16\x01\x01"))).status()));
  }
}

TEST(HeaderTest, RefusesSchedulesThatThereAreNot) {
  LogHeader header = SmallHeader();
  header.config.cpus = 2;
  // fixed, of no kind, random without numbers, turns of no cycle, a depth of 0, a CPU too many, one
  // to itself, cycles that go back, a number that breaks off
  for (const std::string& value :
       {std::string(1, '\0'), std::string("\x04\x01\x01\x01"), std::string("\x01"),
        std::string("\x01\x07\0\x05", 4), std::string("\x02\x07\0\x05", 4),
        std::string("\x03\x05\x02"), std::string("\x03\x05\x05"),
        std::string("\x03\x05\x01\x04\x01"), std::string("\x03\x85")}) {
    std::string field;
    AppendVarint(22, field);
    AppendVarint(value.size(), field);
    EXPECT_TRUE(
        absl::IsDataLoss(DecodeHeader(HeaderWithBody(BodyOf(header) + field + value)).status()))
        << value.size() << " bytes, the last " << int{value.back()};
  }
  std::string field;
  AppendVarint(22, field);
  AppendVarint(4, field);
  EXPECT_TRUE(absl::IsDataLoss(
      DecodeHeader(HeaderWithBody(BodyOf(SmallHeader()) + field + "\x01\x07\x01\x05")).status()))
      << "one CPU has no schedule";
}

TEST(HeaderTest, RefusesANetworkDeviceThatIsNone) {
  const std::string body = BodyOf(SmallHeader());
  const std::string mac = "\2abcde";
  const auto status = [&](const std::string& value) {
    std::string field;
    AppendVarint(16, field);
    AppendVarint(value.size(), field);
    return DecodeHeader(HeaderWithBody(body + field + value)).status();
  };
  EXPECT_TRUE(status(std::string("\0\0", 2) + mac).ok());
  for (const std::string& bad : {std::string("\2\0", 2) + mac, std::string("\0\xeb\x0b", 3) + mac,
                                 "\1\1" + mac + "x", "\1\1" + mac.substr(1), std::string("\0", 1),
                                 "\1\1\1" + mac.substr(1), "\1\1" + std::string(6, '\0')}) {
    EXPECT_TRUE(absl::IsDataLoss(status(bad))) << status(bad);
  }
}

TEST(HeaderTest, HasNoKernelWhereADiskIsBooted) {
  LogHeader header = HeaderWithDisks();
  header.images.erase(header.images.begin());
  header.config.boot_disk = 1;
  header.disk_console = {9, 10};
  absl::StatusOr<LogHeader> decoded = DecodeHeader(Encode(header));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->config.boot_disk, 1u);
  EXPECT_EQ(decoded->disk_console, header.disk_console);
  EXPECT_EQ(decoded->images, header.images);
}

TEST(HeaderTest, RefusesDisksThatAreNotTheirImages) {
  LogHeader header = HeaderWithDisks();
  header.images.pop_back();
  EXPECT_FALSE(EncodeHeader(header).ok());
  header.images.push_back({ImageRecord::DiskRole(2), 512, {7, 8}});
  EXPECT_FALSE(EncodeHeader(header).ok());
  header.images.back() = {ImageRecord::DiskRole(1), 1024, {7, 8}};
  EXPECT_FALSE(EncodeHeader(header).ok());
  header.images.back().size = 512;
  EXPECT_TRUE(EncodeHeader(header).ok());
}

TEST(HeaderTest, RefusesImagesOutOfOrder) {
  LogHeader header = SmallHeader();
  std::swap(header.images[0], header.images[1]);
  EXPECT_FALSE(EncodeHeader(header).ok());
}

TEST(HeaderTest, RefusesNewerMajorVersion) {
  std::string bytes = Encode(SmallHeader());
  bytes[kMagic.size()] = kFormatMajor + 1;
  absl::StatusOr<LogHeader> decoded = DecodeHeader(bytes);
  EXPECT_TRUE(absl::IsInvalidArgument(decoded.status())) << decoded.status();
  EXPECT_THAT(std::string(decoded.status().message()), HasSubstr("format version 3"));
}

TEST(HeaderTest, ReadsNewerMinorVersionWithFieldsThatMayBeSkipped) {
  std::string body = BodyOf(SmallHeader());
  AppendVarint(64, body);
  AppendVarint(3, body);
  std::string bytes = HeaderWithBody(body + "new");
  bytes[kMagic.size() + 1] = kFormatMinor + 1;
  EXPECT_TRUE(DecodeHeader(bytes).ok()) << DecodeHeader(bytes).status();
}

TEST(HeaderTest, RefusesFieldsThatMustBeUnderstood) {
  std::string body = BodyOf(SmallHeader());
  AppendVarint(63, body);
  AppendVarint(0, body);
  const absl::Status status = DecodeHeader(HeaderWithBody(body)).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("field 63"));
}

TEST(HeaderTest, RefusesEveryTruncation) {
  const std::string bytes = Encode(SmallHeader());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeHeader(bytes.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(DecodeHeader(bytes + "x").ok());
}

TEST(HeaderTest, RefusesMissingAndRepeatedFields) {
  EXPECT_THAT(std::string(DecodeHeader(HeaderWithBody("")).status().message()),
              HasSubstr("missing"));
  const std::string body = BodyOf(SmallHeader());
  EXPECT_THAT(std::string(DecodeHeader(HeaderWithBody(body + body)).status().message()),
              HasSubstr("out of order"));
}

TEST(FrameTest, RoundTripsEveryKindOfEvent) {
  std::vector<Event> events = SmallEvents();
  const std::vector<Event> writes = WriteEvents();
  const std::vector<Event> frames = NetworkEvents();
  events.insert(events.begin(), frames.begin(), frames.end());
  events.insert(events.begin(), writes.begin(), writes.end());
  events.insert(events.end() - 1, {0, (1 << 28) + 5, 3, UnknownEvent{100, "payload"}});
  for (size_t i = 0; i < events.size(); ++i) events[i].number = i;

  FrameEncoder encoder;
  for (const Event& event : events) {
    const absl::Status status = encoder.Append(event);
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(encoder.next().event_number, events.size());
  const std::string frame = encoder.TakeFrame();
  EXPECT_TRUE(encoder.empty());

  FrameDecoder decoder;
  ASSERT_TRUE(decoder.Start(frame).ok());
  EXPECT_EQ(decoder.start(), FrameStart());
  Event event;
  for (const Event& expected : events) {
    absl::StatusOr<bool> got = decoder.Next(event);
    ASSERT_TRUE(got.ok() && *got) << got.status();
    EXPECT_EQ(event, expected);
  }
  EXPECT_FALSE(decoder.Next(event).value());
  EXPECT_EQ(decoder.next(), encoder.start());
}

TEST(FrameTest, EncodesDeltasFromTheLastByteOfOutput) {
  FrameEncoder encoder;
  ASSERT_TRUE(encoder.Append(OutputAt(10, "ab", 7)).ok());
  ASSERT_TRUE(encoder.Append({0, 17, 0, InterruptEvent{uint64_t{1} << 33}}).ok());
  EXPECT_EQ(encoder.bytes(),
            Frame(0, 0, Record(64, 10, std::string("\0\2ab\7", 5)) + Record(65, 0, "\1")));
  EXPECT_FALSE(encoder.Append({0, 16, 0, InterruptEvent{1}}).ok());
}

TEST(FrameTest, PutsTheCpuIntoTheTag) {
  FrameEncoder encoder;
  ASSERT_TRUE(encoder.Append({0, 0, 2, InterruptEvent{uint64_t{1} << 33}}).ok());
  EXPECT_EQ(encoder.bytes(), Frame(0, 0, Record(2 * 128 + 65, 0, "\1")));
}

TEST(FrameTest, AddressesInputToAPort) {
  FrameEncoder encoder;
  ASSERT_TRUE(
      encoder.Append({0, 0, 0, InputEvent{machine::Input::Bytes(machine::Port::Uart(1), "ab")}})
          .ok());
  ASSERT_TRUE(
      encoder.Append({0, 0, 0, InputEvent{machine::Input::Break(machine::Port::Uart(0))}}).ok());
  EXPECT_EQ(encoder.bytes(), Frame(0, 0,
                                   Record(3, 0, std::string("\0\1\0ab", 5)) +
                                       Record(3, 0, std::string("\0\0\1", 3))));
}

TEST(FrameTest, ReadsConsoleInputOfVersionOne) {
  const std::string frame = Frame(0, 0, Record(1, 7, "ls"));
  FrameDecoder decoder;
  ASSERT_TRUE(decoder.Start(frame).ok());
  Event event;
  ASSERT_TRUE(decoder.Next(event).value());
  EXPECT_EQ(event, (Event{0, 7, 0, InputEvent{machine::Input::Console("ls")}}));
}

TEST(FrameTest, TakesTheLongestInput) {
  FrameEncoder encoder;
  const machine::Input longest =
      machine::Input::Bytes(machine::Port::Uart(1), std::string(kMaxInputBytes, 'x'));
  ASSERT_TRUE(encoder.Append({0, 0, 0, InputEvent{longest}}).ok());
  EXPECT_TRUE(DecodeStatus(encoder.bytes()).ok()) << DecodeStatus(encoder.bytes());
}

TEST(FrameTest, RefusesInputForPortsOfNewerVersions) {
  for (const std::string& head : {std::string("\1\0\0", 3), std::string("\0\2\0", 3),
                                  std::string("\0\0\2", 3), std::string("\0\xff\x7f\0", 4)}) {
    const absl::Status status = DecodeStatus(Frame(0, 0, Record(3, 0, head + "x")));
    EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("newer version"));
  }
}

TEST(FrameTest, RefusesFramesThatNoNetworkCarries) {
  for (const int type : {5, 68}) {
    for (const size_t size : {0, 13, 1515}) {
      const std::string frame = Frame(0, 0, Record(type, 0, std::string(size, 'x')));
      EXPECT_TRUE(absl::IsDataLoss(DecodeStatus(frame))) << type << " " << size;
    }
    EXPECT_TRUE(DecodeStatus(Frame(0, 0, Record(type, 0, std::string(14, 'x')))).ok());
    EXPECT_TRUE(DecodeStatus(Frame(0, 0, Record(type, 0, std::string(1514, 'x')))).ok());
  }
  const std::string digest(16, 'd');
  EXPECT_TRUE(DecodeStatus(Frame(0, 0, Record(69, 0, "\x0e" + digest))).ok());
  for (const std::string& bad :
       {"\x0d" + digest, "\xeb\x0b" + digest, "\x0e" + digest + "x", std::string("\x0e")}) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeStatus(Frame(0, 0, Record(69, 0, bad)))));
  }
  FrameEncoder encoder;
  EXPECT_FALSE(encoder.Append({0, 0, 0, InputEvent{machine::Input::Frame("short")}}).ok());
  EXPECT_FALSE(encoder.Append({0, 0, 0, machine::FrameEvent()}).ok());
}

TEST(FrameTest, WritesGoToWhatThereIs) {
  const std::string quadword(8, 'x');
  const std::string last_byte = "\xff\xff\xff\xff\xff\xff\x03";  // 2^44 - 1
  const std::string r0("\0\0", 2);
  const std::string to_register(1, '\0');
  for (const std::string& good :
       {r0 + quadword, to_register + "\x40" + quadword, "\1" + last_byte + "x"}) {
    EXPECT_TRUE(DecodeStatus(Frame(0, 0, Record(4, 0, good))).ok());
  }
  for (const std::string& bad :
       {r0 + "1234567", r0 + "123456789", r0, to_register + "\x1f" + quadword,
        to_register + "\x41" + quadword, std::string("\1\0", 2), "\1" + last_byte + "xy",
        std::string("\1")}) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeStatus(Frame(0, 0, Record(4, 0, bad)))));
  }
  const absl::Status newer = DecodeStatus(Frame(0, 0, Record(4, 0, "\2\1x")));
  EXPECT_TRUE(absl::IsUnimplemented(newer)) << newer;
}

TEST(FrameTest, EncoderRefusesWhatNoReaderTakes) {
  FrameEncoder encoder;
  const std::string before = encoder.bytes();
  EXPECT_FALSE(encoder.Append({0, 0, 0, OutputRun{}}).ok());
  EXPECT_FALSE(encoder.Append({0, 0, 0, OutputRun{0, "ab", {}}}).ok());
  EXPECT_FALSE(encoder.Append(OutputAt(0, std::string(kMaxOutputRun + 1, 'x'), 1)).ok());
  EXPECT_FALSE(encoder.Append({0, 0, 0, InputEvent{machine::Input::Console("")}}).ok());
  EXPECT_FALSE(
      encoder
          .Append(
              {0, 0, 0, InputEvent{machine::Input::Console(std::string(kMaxInputBytes + 1, 'x'))}})
          .ok());
  EXPECT_FALSE(encoder.Append({0, 0, 0, EndEvent{machine::RunEnd::Kind::kObserver, 0, {}}}).ok());
  EXPECT_FALSE(encoder.Append({0, 0, 0, UnknownEvent{5, ""}}).ok());
  EXPECT_EQ(encoder.bytes(), before);
}

TEST(FrameTest, DecoderRefusesDamage) {
  const std::string interrupt = Record(65, 0, "\1");
  EXPECT_TRUE(DecodeStatus(Frame(0, 0, interrupt)).ok());
  const std::string bad[] = {
      "",
      interrupt,                                             // no frame start
      Frame(0, 0, Record(0, 0, std::string(2, '\0'))),       // a second one
      Frame(0, 0, Record(256 * 128 + 65, 0, "\1")),          // CPU 256
      Frame(0, 0, Record(65, 0, "")),                        // nothing in it
      Frame(0, 0, Record(65, 0, "\1\1")),                    // too much in it
      Frame(0, 0, Record(65, 0, std::string("\x81\0", 2))),  // overlong
      Frame(0, 0, Record(1, 0, "")),                         // no input
      Frame(0, 0, Record(2, 0, std::string("\x06\0", 2))),   // an unknown cause
      Frame(0, 0, Record(3, 0, std::string(2, '\0'))),       // a port without a kind
      Frame(0, 0, Record(3, 0, std::string(3, '\0'))),       // no bytes
      Frame(0, 0, Record(3, 0, std::string("\0\0\1x", 4))),  // a break with bytes
      Frame(0, 0, Record(64, 0, std::string(2, '\0'))),      // no byte
      Frame(0, 0, Record(64, 0, std::string("\0\2ab", 4))),  // no delta
      Frame(0, 0, Record(64, 0, std::string("\0\xff\xff\xff\xff\x0f", 6))),  // 4 GiB
      Frame(0, 0, Record(66, 0, "\1short")),
      Frame(0, 0, Record(67, 0, std::string("\5\0", 2) + std::string(16, 'd'))),
      Frame(0, 0, interrupt.substr(0, 2)),
      Frame(0, 0, std::string("\x41\0\xff\xff\xff\xff\x0f\1", 8)),  // a length of 4 GiB
  };
  for (size_t i = 0; i < std::size(bad); ++i) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeStatus(bad[i]))) << i << ": " << DecodeStatus(bad[i]);
  }
}

TEST(FrameTest, DecoderRefusesCyclesThatGoBack) {
  std::string wrap;
  AppendVarint(kMax, wrap);
  EXPECT_TRUE(DecodeStatus(Frame(kMax - 1, 0, Record(65, 1, "\1"))).ok());
  EXPECT_THAT(std::string(DecodeStatus(Frame(kMax - 1, 0, Record(65, 2, "\1"))).message()),
              HasSubstr("goes back"));
  const std::string output = Record(64, 1, std::string("\0\2ab", 4) + wrap);
  EXPECT_THAT(std::string(DecodeStatus(Frame(0, 0, output)).message()), HasSubstr("goes back"));
}

TEST(FrameTest, DecoderRefusesUnknownInputsAndKeepsUnknownWitnesses) {
  const absl::Status status = DecodeStatus(Frame(0, 0, Record(63, 0, "?")));
  EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("type 63"));

  const std::string frame = Frame(5, 9, Record(127, 3, "any") + Record(65, 1, "\1"));
  FrameDecoder decoder;
  ASSERT_TRUE(decoder.Start(frame).ok());
  Event event;
  ASSERT_TRUE(decoder.Next(event).value());
  EXPECT_EQ(event, (Event{9, 8, 0, UnknownEvent{127, "any"}}));
  ASSERT_TRUE(decoder.Next(event).value());
  EXPECT_EQ(event.cycle, 9u);
  EXPECT_EQ(event.number, 10u);
}

}  // namespace
}  // namespace isochron::replaylog
