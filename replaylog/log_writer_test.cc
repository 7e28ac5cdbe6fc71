#include "replaylog/log_writer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <future>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "replaylog/log_testing.h"
#include "replaylog/output_file.h"
#include "replaylog/zstd_frame.h"

namespace isochron::replaylog {
namespace {

using testing::HasSubstr;

std::string Hex(const std::string& bytes) {
  std::string hex;
  for (unsigned char c : bytes) {
    hex += "0123456789abcdef"[c >> 4];
    hex += "0123456789abcdef"[c & 15];
  }
  return hex;
}

constexpr char kGoldenStream[] =
    "49534f43484c4f4702007d0101010210fedcba98765432100123456789abcdef0305808080800104"
    "05808c8d9e020502800106028001070580ece9b30908010009038080400a0580808080020b0d636f"
    "6e736f6c653d74747953300c01010d13008020000000000000000200000000000000010d1301b960"
    "00000000000000040000000000000003000002000040e80715000768656c6c6f0d0ae00be00be00b"
    "e00be00be00b41f84d010403e0e33e060000006c730a030003000101c101000684808080f80f4280"
    "80c07f14959aef3a00000000000000060000000000000005020502010f43001503969aef3a000000"
    "00000000080000000000000007";

// The frames of the same log, without the break, in version 1 of the format.
constexpr char kGoldenHeaderOfVersionOne[] =
    "49534f43484c4f4701007d0101010210fedcba98765432100123456789abcdef0305808080800104"
    "05808c8d9e020502800106028001070580ece9b30908010009038080400a0580808080020b0d636f"
    "6e736f6c653d74747953300c01010d13008020000000000000000200000000000000010d1301b960"
    "00000000000000040000000000000003";
constexpr char kGoldenEventsOfVersionOne[] =
    "000002000040e80715000768656c6c6f0d0ae00be00be00b"
    "e00be00be00b41f84d010401e0e33e036c730ac101000684808080f80f428080c07f14959aef3a00"
    "000000000000060000000000000005020502010f43001503969aef3a000000000000000800000000"
    "00000007";

std::unique_ptr<LogWriter> MustCreate(const std::string& path, LogWriterOptions options = {}) {
  absl::StatusOr<std::unique_ptr<LogWriter>> writer =
      LogWriter::Create(path, SmallHeader(), std::move(options));
  EXPECT_TRUE(writer.ok()) << writer.status();
  return writer.ok() ? *std::move(writer) : nullptr;
}

// The uncompressed bytes of a small log: the format itself.
TEST(LogWriterTest, StreamOfASmallLogIsThis) {
  const std::string path = TestPath("log");
  const std::string raw = TestPath("raw");
  const machine::Digest identity = WriteLog(path, SmallEvents(), GoldenHeader());
  ASSERT_EQ(std::system(("zstd -q -d -c " + path + " > " + raw).c_str()), 0);
  EXPECT_EQ(Hex(ReadBytes(raw)), kGoldenStream);
  EXPECT_EQ(identity.ToString(), "7890812501906fa53da4cd7bd899f6c7");
}

std::string Unhex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

TEST(LogWriterTest, LogsOfVersionOneAreStillRead) {
  const std::string path = TestPath("log");
  FrameCompressor compressor;
  WriteBytes(path, std::string(*compressor.Compress(Unhex(kGoldenHeaderOfVersionOne))) +
                       std::string(*compressor.Compress(Unhex(kGoldenEventsOfVersionOne))));
  std::vector<Event> events = SmallEvents();
  std::erase_if(events, [](const Event& event) {
    const auto* input = std::get_if<InputEvent>(&event.body);
    return input != nullptr && input->input.kind == machine::InputKind::kBreak;
  });
  for (size_t i = 0; i < events.size(); ++i) events[i].number = i;
  const ReadResult result = ReadLog(path);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.events, events);
}

// The file as zstd 1.5.4 makes it. Where another version of the library fails this, only the file
// may change: the stream above must not.
TEST(LogWriterTest, FileOfASmallLogIsThis) {
  const std::string path = TestPath("log");
  WriteLog(path, SmallEvents(), GoldenHeader());
  EXPECT_EQ(machine::DigestOf(ReadBytes(path)).ToString(), "74aea06c6f5d2b11198d6c51a30472da");
}

TEST(LogWriterTest, ReachesASizeWhereTheEventsSaySo) {
  const std::vector<Event> events = ManyEvents(200'000);
  constexpr uint64_t kLimit = 60'000;
  std::vector<size_t> reached;
  for (int run = 0; run < 3; ++run) {
    LogWriterOptions options;
    if (run == 1)
      options.before_frame = [] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); };
    const std::string path = TestPath("log");
    std::unique_ptr<LogWriter> writer = MustCreate(path, std::move(options));
    size_t i = 0;
    // Asked often or, in the last run, hardly ever: what it says is the same.
    for (; i < events.size(); ++i) {
      writer->Append(events[i]);
      if ((run < 2 || i % 1000 == 0) && i % 100 == 0 && writer->Reaches(kLimit)) break;
    }
    reached.push_back(i);
    EXPECT_FALSE(writer->Reaches(uint64_t{1} << 40));
    ASSERT_TRUE(writer->LeavePartial().ok());
    // The frame that has not ended was counted as it is.
    const uint64_t size = ReadBytes(path + ".partial").size();
    EXPECT_GT(size, kLimit / 10);
    EXPECT_LT(size, kLimit + 5000);
  }
  EXPECT_LT(reached[0], events.size());
  EXPECT_EQ(reached[0], reached[1]);
  EXPECT_LT(reached[2] - reached[0], 1000u);
}

TEST(LogWriterTest, OutputByteByByteMakesTheSameLog) {
  const std::string runs = TestPath("runs");
  const std::string single = TestPath("single");
  std::vector<Event> events;
  std::vector<Event> bytes;
  for (int i = 0; i < 10'000; ++i) bytes.push_back(OutputAt(100 + 7 * i, "x", 0));
  for (int i = 0; i < 10'000; i += static_cast<int>(kMaxOutputRun)) {
    const int size = std::min(10'000 - i, static_cast<int>(kMaxOutputRun));
    events.push_back(OutputAt(100 + 7 * i, std::string(size, 'x'), 7));
  }
  for (std::vector<Event>* stream : {&events, &bytes}) {
    stream->push_back({0, 100'000, 0, EndEvent{}});
  }
  WriteLog(runs, events);
  WriteLog(single, bytes);
  EXPECT_EQ(ReadBytes(single), ReadBytes(runs));
  EXPECT_EQ(ReadLog(single).events.size(), 4u);
}

TEST(LogWriterTest, ASavedCopyHasWhatWasAppendedAndChangesNothing) {
  const std::string path = TestPath("log");
  const std::string plain = TestPath("plain");
  const std::string copy = TestPath("copy");
  const std::vector<Event> events = ManyEvents(60'000);
  WriteLog(plain, events);
  const std::vector<Event> expected = ReadLog(plain).events;
  std::unique_ptr<LogWriter> writer = MustCreate(path);
  for (size_t i = 0; i < events.size(); ++i) {
    writer->Append(events[i]);
    if (i % 10'007 != 5) continue;
    ASSERT_TRUE(writer->SaveCopy(copy).ok());
    const ReadResult saved = ReadLog(copy);
    EXPECT_TRUE(saved.status.ok()) << saved.status;
    EXPECT_TRUE(saved.is_partial);
    EXPECT_FALSE(FileExists(PartialPath(copy)));
    EXPECT_EQ(saved.events, std::vector<Event>(expected.begin(), expected.begin() + i + 1));
  }
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(ReadBytes(path), ReadBytes(plain));
  EXPECT_EQ(MustCreate("/dev/null")->SaveCopy(copy).code(), absl::StatusCode::kFailedPrecondition);
}

// Holds the writer's background thread up at the first frame of events.
class Barrier {
 public:
  LogWriterOptions options() {
    return {[this] {
      if (frames_++ == 1) open_.get_future().wait();
    }};
  }
  void Open() { open_.set_value(); }
  // Once the writer has ended.
  int frames() const { return frames_; }

 private:
  std::promise<void> open_;
  int frames_ = 0;
};

// Waits until a thread sleeps.
void WaitUntilAsleep(pid_t thread) {
  const std::string path = absl::StrCat("/proc/self/task/", thread, "/stat");
  for (char state = 0; state != 'S'; std::this_thread::yield()) {
    const std::string stat = ReadBytes(path);
    state = stat[stat.rfind(')') + 2];
  }
}

TEST(LogWriterTest, AFullQueueChangesNoByte) {
  const std::string path = TestPath("log");
  const std::string delayed = TestPath("delayed");
  const std::vector<Event> events = ManyEvents(400'000);
  WriteLog(path, events);
  Barrier barrier;
  std::unique_ptr<LogWriter> writer = MustCreate(delayed, barrier.options());
  std::promise<pid_t> id;
  std::thread feeder([&] {
    id.set_value(gettid());
    for (const Event& event : events) writer->Append(event);
  });
  WaitUntilAsleep(id.get_future().get());
  barrier.Open();
  feeder.join();
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_GT(barrier.frames(), 8);
  EXPECT_EQ(ReadBytes(delayed), ReadBytes(path));
}

TEST(LogWriterTest, HeaderIsInTheFileBeforeAnyEvent) {
  const std::string path = TestPath("log");
  std::unique_ptr<LogWriter> writer = MustCreate(path);
  const ReadResult result = ReadLog(PartialPath(path));
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_TRUE(result.is_partial);
  EXPECT_TRUE(result.events.empty());
}

TEST(LogWriterTest, ReplacesAFileOnlyAtTheEnd) {
  const std::string path = TestPath("log");
  WriteBytes(path, "old");
  std::unique_ptr<LogWriter> writer = MustCreate(path);
  for (const Event& event : SmallEvents()) writer->Append(event);
  EXPECT_EQ(ReadBytes(path), "old");
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(ReadLog(path).events, SmallEvents());
  EXPECT_FALSE(FileExists(PartialPath(path)));
  EXPECT_EQ(writer->file_bytes(), ReadBytes(path).size());
}

TEST(LogWriterTest, RefusesASecondWriter) {
  const std::string path = TestPath("log");
  std::unique_ptr<LogWriter> writer = MustCreate(path);
  absl::StatusOr<std::unique_ptr<LogWriter>> second = LogWriter::Create(path, SmallHeader());
  EXPECT_TRUE(absl::IsAlreadyExists(second.status())) << second.status();
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(PartialPath(path)));
  // The first goes on undisturbed, and what it leaves is taken over.
  for (const Event& event : SmallEvents()) writer->Append(event);
  EXPECT_TRUE(writer->Finish().ok());
  EXPECT_EQ(ReadLog(path).events, SmallEvents());
  writer.reset();
  EXPECT_NE(MustCreate(path), nullptr);
}

TEST(LogWriterTest, UnfinishedLogKeepsItsEvents) {
  const std::string path = TestPath("log");
  std::vector<Event> events = ManyEvents(30'000);
  events.pop_back();
  {
    std::unique_ptr<LogWriter> writer = MustCreate(path);
    for (const Event& event : events) writer->Append(event);
  }
  EXPECT_FALSE(FileExists(path));
  const ReadResult result = ReadLog(PartialPath(path));
  EXPECT_TRUE(result.is_partial);
  EXPECT_EQ(result.events, events);
}

TEST(LogWriterTest, FinishNeedsAnEnd) {
  const std::string path = TestPath("log");
  std::unique_ptr<LogWriter> writer = MustCreate(path);
  writer->Append(SmallEvents().front());
  EXPECT_TRUE(absl::IsFailedPrecondition(writer->Finish()));
  EXPECT_FALSE(FileExists(path));
}

TEST(LogWriterTest, CyclesThatGoBackAreAnError) {
  std::unique_ptr<LogWriter> writer = MustCreate(TestPath("log"));
  writer->Append({0, 10, 0, InterruptEvent{1}});
  EXPECT_TRUE(writer->status().ok());
  writer->Append({0, 9, 0, InterruptEvent{1}});
  EXPECT_TRUE(absl::IsInvalidArgument(writer->status()));
  EXPECT_FALSE(writer->Finish().ok());
}

TEST(LogWriterTest, FullDiskIsAnErrorThatNamesTheFile) {
  absl::StatusOr<std::unique_ptr<LogWriter>> writer = LogWriter::Create("/dev/full", SmallHeader());
  EXPECT_TRUE(absl::IsResourceExhausted(writer.status())) << writer.status();
  EXPECT_THAT(std::string(writer.status().message()), HasSubstr("/dev/full"));
}

// Exits with 0 when no copy was made of a log that lost a frame while it was being copied.
[[noreturn]] void CopyWhatLosesAFrame(const std::string& path, const std::string& copy) {
  signal(SIGXFSZ, SIG_IGN);
  Barrier barrier;
  std::unique_ptr<LogWriter> writer = MustCreate(path, barrier.options());
  for (const Event& event : ManyEvents(30'000)) writer->Append(event);
  const rlimit full = {200, RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &full);
  std::thread disk([&] {
    barrier.Open();
    while (writer->status().ok()) std::this_thread::yield();
    const rlimit empty = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &empty);
  });
  const absl::Status status = writer->SaveCopy(copy);
  disk.join();
  _exit(!status.ok() && !FileExists(copy) && !FileExists(PartialPath(copy)) ? 0 : 1);
}

TEST(LogWriterTest, NoCopyIsSavedOfALogThatLostAFrame) {
  EXPECT_EXIT(CopyWhatLosesAFrame(TestPath("log"), TestPath("copy")), testing::ExitedWithCode(0),
              "");
}

TEST(LogWriterTest, LeavingAPartialLogTellsErrors) {
  const std::string path = TestPath("log");
  std::unique_ptr<LogWriter> writer = MustCreate(path);
  for (const Event& event : ManyEvents(10)) writer->Append(event);
  ASSERT_TRUE(writer->LeavePartial().ok());
  EXPECT_TRUE(ReadLog(PartialPath(path)).is_partial);
  EXPECT_FALSE(writer->Finish().ok());

  const std::string fifo = TestPath("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
  writer = MustCreate(fifo);
  close(reader);
  writer->Append(ManyEvents(1).front());
  EXPECT_THAT(std::string(writer->LeavePartial().message()), HasSubstr(fifo));
}

TEST(LogWriterTest, DirectoriesThatAreNoneAreAnError) {
  const absl::Status status =
      LogWriter::Create(TestPath("no/such/directory"), SmallHeader()).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_FALSE(LogWriter::Create(testing::TempDir(), SmallHeader()).ok());
}

TEST(LogWriterTest, ClosedPipeIsAnErrorAndKillsNobody) {
  const std::string fifo = TestPath("fifo");
  ASSERT_EQ(std::system(("rm -f " + fifo + " && mkfifo " + fifo).c_str()), 0);
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  std::unique_ptr<LogWriter> writer = MustCreate(fifo);
  close(reader);
  for (const Event& event : ManyEvents(100'000)) writer->Append(event);
  const absl::Status status = writer->Finish();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(fifo));
}

TEST(LogWriterTest, PipeGetsTheSameBytes) {
  const std::string path = TestPath("log");
  const std::string fifo = TestPath("fifo");
  const std::string copy = TestPath("copy");
  ASSERT_EQ(std::system(("rm -f " + fifo + " && mkfifo " + fifo).c_str()), 0);
  WriteLog(path, ManyEvents(50'000));
  std::thread reader([&] { WriteBytes(copy, ReadBytes(fifo)); });
  WriteLog(fifo, ManyEvents(50'000));
  reader.join();
  EXPECT_EQ(ReadBytes(copy), ReadBytes(path));
}

// Exits with 0 when writing more than `limit` bytes gave an error that names the partial file.
[[noreturn]] void WriteUpTo(rlim_t limit, const std::string& path,
                            const std::vector<Event>& events) {
  signal(SIGXFSZ, SIG_IGN);
  const rlimit limits = {limit, limit};
  setrlimit(RLIMIT_FSIZE, &limits);
  std::unique_ptr<LogWriter> writer = MustCreate(path);
  for (const Event& event : events) writer->Append(event);
  const absl::Status status = writer->Finish();
  _exit(absl::StrContains(status.message(), PartialPath(path)) ? 0 : 1);
}

// A limit on the file's size stands for a disk that becomes full on the way.
TEST(LogWriterTest, PartialFileOfAFullDiskIsReadable) {
  const std::string path = TestPath("log");
  const std::vector<Event> events = ManyEvents(400'000);
  EXPECT_EXIT(WriteUpTo(100'000, path, events), testing::ExitedWithCode(0), "");
  const ReadResult result = ReadLog(PartialPath(path));
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_TRUE(result.is_partial);
  EXPECT_GT(result.events.size(), 1000u);
  ASSERT_LT(result.events.size(), events.size());
  EXPECT_TRUE(std::equal(result.events.begin(), result.events.end(), events.begin()));
  EXPECT_FALSE(FileExists(path));
}

}  // namespace
}  // namespace isochron::replaylog
