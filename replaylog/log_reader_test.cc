#include "replaylog/log_reader.h"

#include <algorithm>
#include <cstdlib>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hostio/sanitizers.h"
#include "replaylog/describe.h"
#include "replaylog/host_cost_testing.h"
#include "replaylog/log_testing.h"
#include "replaylog/seek_table.h"
#include "replaylog/stream_digest.h"
#include "replaylog/zstd_frame.h"

namespace isochron::replaylog {
namespace {

using testing::HasSubstr;

// Small, in three frames of events.
std::vector<Event> EventsInThreeFrames() {
  std::vector<Event> events;
  for (uint64_t i = 0; i < 3; ++i) {
    const uint64_t base = i << 30;
    for (Event& event : SmallEvents()) {
      if (std::holds_alternative<EndEvent>(event.body)) continue;
      if (std::holds_alternative<CheckpointEvent>(event.body)) continue;
      event.cycle += base;
      events.push_back(std::move(event));
    }
    if (i < 2) events.push_back({0, (i + 1) << 30, 0, CheckpointEvent{i, {i, i}}});
  }
  events.push_back({0, events.back().cycle, 0, SmallEvents().back().body});
  for (size_t i = 0; i < events.size(); ++i) events[i].number = i;
  return events;
}

std::unique_ptr<LogReader> MustOpen(const std::string& path) {
  absl::StatusOr<std::unique_ptr<LogReader>> reader = LogReader::Open(path);
  EXPECT_TRUE(reader.ok()) << reader.status();
  return reader.ok() ? *std::move(reader) : nullptr;
}

std::vector<FrameInfo> FramesOf(const LogReader& reader) {
  std::vector<FrameInfo> frames;
  for (size_t i = 0; i < reader.frames().size(); ++i) {
    frames.push_back(reader.frames().At(reader.source(), i).value());
  }
  return frames;
}

// A log of these frames' contents, with a seek table.
std::string LogOf(const std::vector<std::string>& contents) {
  FrameCompressor compressor;
  std::string log;
  std::string frame;
  std::vector<SeekEntry> entries;
  for (size_t i = 0; i < contents.size(); ++i) {
    const std::string& content = contents[i];
    if (i == 0 || content != contents[i - 1]) frame = compressor.Compress(content).value();
    entries.push_back({static_cast<uint32_t>(frame.size()), static_cast<uint32_t>(content.size()),
                       ContentChecksum(content)});
    log += frame;
  }
  return log + EncodeSeekTable(entries);
}

// Bytes of the record that a frame begins with, which is short.
size_t FrameStartBytes(const std::string& frame) {
  return 3 + static_cast<unsigned char>(frame[2]);
}

std::string FrameOf(const std::vector<Event>& events) {
  FrameEncoder encoder;
  for (const Event& event : events) EXPECT_TRUE(encoder.Append(event).ok());
  return encoder.TakeFrame();
}

std::string ErrorOf(const std::string& bytes) {
  const std::string path = TestPath("bad");
  WriteBytes(path, bytes);
  const absl::Status status = ReadLog(path).status;
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), testing::StartsWith(path + ": "));
  return std::string(status.message());
}

TEST(LogReaderTest, ReadsWhatWasWritten) {
  const std::string path = TestPath("log");
  for (const std::vector<Event>& events :
       {SmallEvents(), EventsInThreeFrames(), ManyEvents(100'000)}) {
    WriteLog(path, events);
    const ReadResult result = ReadLog(path);
    ASSERT_TRUE(result.status.ok()) << result.status;
    EXPECT_FALSE(result.is_partial);
    EXPECT_EQ(result.events, events);
  }
}

TEST(LogReaderTest, ReadingAndWritingAgainChangesNothing) {
  const std::string path = TestPath("log");
  const std::string copy = TestPath("copy");
  WriteLog(path, ManyEvents(20'000));
  WriteLog(copy, ReadLog(path).events);
  EXPECT_EQ(ReadBytes(copy), ReadBytes(path));
}

TEST(LogReaderTest, VerifySumsUp) {
  const std::string path = TestPath("log");
  const machine::Digest identity = WriteLog(path, EventsInThreeFrames());
  std::unique_ptr<LogReader> reader = MustOpen(path);
  ASSERT_NE(reader, nullptr);
  absl::StatusOr<LogSummary> summary = reader->Verify();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->identity, identity);
  EXPECT_EQ(summary->events, EventsInThreeFrames().size());
  EXPECT_EQ(summary->events_by_type[static_cast<int>(*EventTypeFromName("checkpoint"))], 2u);
  EXPECT_EQ(summary->events_by_type[static_cast<int>(*EventTypeFromName("input"))], 6u);
  EXPECT_EQ(summary->console_bytes, 21u);
  EXPECT_EQ(summary->unknown_witnesses, 0u);
  EXPECT_EQ(summary->last_cycle, EventsInThreeFrames().back().cycle);
  ASSERT_TRUE(summary->end.has_value());
  EXPECT_EQ(*summary->end, EventsInThreeFrames().back());
  EXPECT_EQ(ReadRest(*reader).events, EventsInThreeFrames());
  EXPECT_EQ(reader->frames().size(), 4u);
}

TEST(LogReaderTest, IdentityIsTheDigestOfWhatZstdUnpacks) {
  const std::string path = TestPath("log");
  const std::string raw = TestPath("raw");
  const machine::Digest identity = WriteLog(path, ManyEvents(50'000));
  ASSERT_EQ(std::system(("zstd -q -t " + path).c_str()), 0);
  ASSERT_EQ(std::system(("zstd -q -d -c " + path + " > " + raw).c_str()), 0);
  EXPECT_EQ(machine::DigestOf(ReadBytes(raw)), identity);
}

TEST(LogReaderTest, EveryTruncationReadsToItsLastWholeFrame) {
  const std::string path = TestPath("log");
  const std::string cut = TestPath("cut");
  const std::vector<Event> events = EventsInThreeFrames();
  WriteLog(path, events);
  const std::string bytes = ReadBytes(path);
  const std::vector<FrameInfo> frames = FramesOf(*MustOpen(path));
  const uint64_t header_bytes = frames[0].compressed;

  size_t most = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    WriteBytes(cut, std::string_view(bytes).substr(0, size));
    const ReadResult result = ReadLog(cut);
    if (size < header_bytes) {
      EXPECT_FALSE(result.status.ok()) << size;
      continue;
    }
    ASSERT_TRUE(result.status.ok()) << size << ": " << result.status;
    EXPECT_TRUE(result.is_partial) << size;
    ASSERT_LE(result.events.size(), events.size());
    EXPECT_TRUE(std::equal(result.events.begin(), result.events.end(), events.begin())) << size;
    // What there is never becomes less, and it is all there with the last frame.
    EXPECT_GE(result.events.size(), most) << size;
    most = result.events.size();
    EXPECT_EQ(most == events.size(), size >= frames.back().offset + frames.back().compressed);
    EXPECT_EQ(most == 0, size < frames[1].offset + frames[1].compressed);
  }
}

TEST(LogReaderTest, EveryFlippedBitIsAnErrorOrChangesNoEvent) {
  const std::string path = TestPath("log");
  const std::string flipped = TestPath("flipped");
  const std::vector<Event> events = EventsInThreeFrames();
  WriteLog(path, events);
  const std::string bytes = ReadBytes(path);
  size_t errors = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    WriteBytes(flipped, damaged);
    const ReadResult result = ReadLog(flipped);
    if (result.status.ok()) {
      EXPECT_EQ(result.events, events) << "bit " << bit;
    } else {
      ++errors;
    }
  }
  EXPECT_GT(errors, bytes.size() * 7);
}

TEST(LogReaderTest, NamesWhatIsNoLog) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("empty"));
  EXPECT_THAT(ErrorOf("just some text"), HasSubstr("not a zstd file"));
  EXPECT_THAT(ErrorOf(LogOf({"zstd, but something else"})), HasSubstr("no replay log"));
  EXPECT_TRUE(absl::IsNotFound(LogReader::Open(TestPath("missing")).status()));
}

TEST(LogReaderTest, NamesWhereStructureIsWrong) {
  const std::string header = EncodeHeader(SmallHeader()).value();
  const std::vector<Event> events = SmallEvents();
  const std::string frame = FrameOf(events);
  EXPECT_THAT(ErrorOf(LogOf({header})), HasSubstr("no end of the run"));
  EXPECT_THAT(ErrorOf(LogOf({header, frame, frame})), HasSubstr("cycle goes back"));
  EXPECT_THAT(ErrorOf(LogOf({header, "\x41"})), HasSubstr("frame start"));

  FrameEncoder first;
  ASSERT_TRUE(first.Append(events[0]).ok());
  const std::string one = first.TakeFrame();
  ASSERT_TRUE(first.Append(events.back()).ok());
  const std::string two = first.TakeFrame();
  ASSERT_TRUE(first.Append(events.back()).ok());
  const std::string three = first.TakeFrame();
  EXPECT_THAT(ErrorOf(LogOf({header, one, three})), HasSubstr("does not go on"));
  EXPECT_THAT(ErrorOf(LogOf({header, one, two, three})), HasSubstr("follows the end"));
}

TEST(LogReaderTest, RefusesFramesOfANetworkThatThereIsNot) {
  LogHeader header = SmallHeader();
  for (const bool network : {false, true}) {
    if (network) header.config.network.emplace();
    for (const Event& event : NetworkEvents()) {
      Event first = event;
      first.number = 0;
      WriteBytes(TestPath("log"),
                 LogOf({EncodeHeader(header).value(),
                        FrameOf({first, {1, 1000, 0, SmallEvents().back().body}})}));
      const absl::Status status = ReadLog(TestPath("log")).status;
      EXPECT_EQ(status.ok(), network) << status;
      if (network) continue;
      EXPECT_THAT(std::string(status.message()), HasSubstr("network device"));
    }
  }
}

TEST(LogReaderTest, RefusesFramesThatUnpackToTooMuch) {
  const std::string header = EncodeHeader(SmallHeader()).value();
  EXPECT_THAT(ErrorOf(LogOf({header, std::string(kMaxFrameBytes + 1, 'x')})),
              HasSubstr("impossible size"));
  const std::string log = LogOf({header, std::string(kMaxFrameBytes + 1, 'x')});
  EXPECT_THAT(ErrorOf(log.substr(0, log.size() - 1)), HasSubstr("more than"));
}

// A log of very many frames, each as small as can be, with and without a seek table.
TEST(LogReaderTest, ManyTinyFramesCostNoMoreThanTheirBytes) {
  if (hostio::kAddressSanitizer || hostio::kThreadSanitizer) {
    GTEST_SKIP() << "sanitizers have memory of their own";
  }
  constexpr size_t kFrames = 100'000;
  std::vector<std::string> contents = {EncodeHeader(SmallHeader()).value()};
  FrameEncoder encoder;
  const std::vector<Event> events = SmallEvents();
  ASSERT_TRUE(encoder.Append(events[0]).ok());
  contents.push_back(encoder.TakeFrame());
  ASSERT_TRUE(encoder.Append(events.back()).ok());
  const std::string last = encoder.TakeFrame();
  // Frames that begin where the one before ended and hold nothing.
  const std::string empty = last.substr(0, FrameStartBytes(last));
  contents.resize(kFrames, empty);
  contents.push_back(last);
  const std::string bytes = LogOf(contents);
  const std::string path = TestPath("log");
  for (bool whole : {true, false}) {
    WriteBytes(path, bytes.substr(0, bytes.size() - (whole ? 0 : 1)));
    const uint64_t read_before = BytesRead();
    const std::optional<uint64_t> peak_before = ResetPeakMemory();
    std::unique_ptr<LogReader> reader = MustOpen(path);
    ASSERT_NE(reader, nullptr);
    EXPECT_EQ(reader->frames().size(), kFrames + 1);
    if (peak_before.has_value()) {
      EXPECT_LT(PeakMemory() - *peak_before, bytes.size() / 4) << whole;
    }
    EXPECT_LT(BytesRead() - read_before, 3 * bytes.size() + (1 << 20)) << whole;
    ASSERT_TRUE(reader->SeekToEvent(1).ok());
    EXPECT_EQ(ReadRest(*reader).events.size(), 1u);
  }
}

TEST(LogReaderTest, CountsUnknownWitnesses) {
  const std::string path = TestPath("log");
  std::vector<Event> events = SmallEvents();
  const Event unknown{2, events[1].cycle, 0, UnknownEvent{80, "from later"}};
  events.insert(events.begin() + 2, unknown);
  for (size_t i = 0; i < events.size(); ++i) events[i].number = i;
  WriteLog(path, events);
  std::unique_ptr<LogReader> reader = MustOpen(path);
  EXPECT_EQ(ReadRest(*reader).events, events);
  EXPECT_EQ(reader->unknown_witnesses(), 1u);
  EXPECT_EQ(reader->Verify()->unknown_witnesses, 1u);
}

TEST(LogReaderTest, SeeksToAnyEvent) {
  const std::string path = TestPath("log");
  const std::vector<Event> events = ManyEvents(60'000);
  WriteLog(path, events);
  std::unique_ptr<LogReader> reader = MustOpen(path);
  ASSERT_GT(reader->frames().size(), 4u);
  Event event;
  for (uint64_t number = 0; number < events.size(); number += 1371) {
    ASSERT_TRUE(reader->SeekToEvent(number).ok());
    ASSERT_TRUE(reader->Next(event).value());
    EXPECT_EQ(event, events[number]);
  }
  ASSERT_TRUE(reader->SeekToEvent(events.size()).ok());
  EXPECT_FALSE(reader->Next(event).value());
  ASSERT_TRUE(reader->SeekToEvent(0).ok());
  EXPECT_EQ(ReadRest(*reader).events, events);
}

TEST(LogReaderTest, SeeksToAnyCycle) {
  const std::string path = TestPath("log");
  const std::vector<Event> events = ManyEvents(60'000);
  WriteLog(path, events);
  std::unique_ptr<LogReader> reader = MustOpen(path);
  Event event;
  for (uint64_t cycle = 0; cycle < events.back().cycle; cycle += 9'876'543) {
    const auto expected = std::find_if(events.begin(), events.end(),
                                       [cycle](const Event& e) { return e.cycle >= cycle; });
    ASSERT_TRUE(reader->SeekToCycle(cycle).ok());
    ASSERT_TRUE(reader->Next(event).value());
    EXPECT_EQ(event, *expected) << cycle;
  }
  ASSERT_TRUE(reader->SeekToCycle(events.back().cycle + 1).ok());
  EXPECT_FALSE(reader->Next(event).value());
}

TEST(LogReaderTest, SeekingFindsTheFirstOfSeveralEventsInACycle) {
  const std::string path = TestPath("log");
  const std::vector<Event> events = EventsInThreeFrames();
  WriteLog(path, events);
  std::unique_ptr<LogReader> reader = MustOpen(path);
  ASSERT_TRUE(reader->SeekToCycle(1 << 30).ok());
  const ReadResult rest = ReadRest(*reader);
  ASSERT_TRUE(rest.status.ok()) << rest.status;
  ASSERT_FALSE(rest.events.empty());
  EXPECT_TRUE(std::holds_alternative<CheckpointEvent>(rest.events.front().body));
}

TEST(LogReaderTest, ReadsFromAPipe) {
  const std::string path = TestPath("log");
  const std::string fifo = TestPath("fifo");
  WriteLog(path, SmallEvents());
  ASSERT_EQ(std::system(("rm -f " + fifo + " && mkfifo " + fifo).c_str()), 0);
  ASSERT_EQ(std::system(("cat " + path + " > " + fifo + " &").c_str()), 0);
  EXPECT_EQ(ReadLog(fifo).events, SmallEvents());
}

TEST(LogReaderTest, CheckModelNamesBothVersions) {
  LogHeader header = SmallHeader();
  const machine::Digest console = {3, 4};
  EXPECT_TRUE(CheckModel(header, header.palcode, console).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckModel(header, machine::Digest{1, 1}, console)));
  header.config.nvram = "";
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckModel(header, header.palcode, console)));
  header.disk_console = console;
  EXPECT_TRUE(CheckModel(header, header.palcode, console).ok());
  header.model_version = machine::kModelVersion + 1;
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckModel(header, header.palcode, console)));
}

}  // namespace
}  // namespace isochron::replaylog
