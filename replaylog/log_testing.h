// Small logs for tests.

#ifndef ISOCHRON_REPLAYLOG_LOG_TESTING_H_
#define ISOCHRON_REPLAYLOG_LOG_TESTING_H_

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "replaylog/log_reader.h"
#include "replaylog/log_writer.h"

namespace isochron::replaylog {

// A directory of this process alone, which is gone when the process ends.
class TestDirectory {
 public:
  TestDirectory() : path_(testing::TempDir() + "isochron_test." + std::to_string(getpid())) {
    std::filesystem::create_directories(path_);
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// A path for this test alone.
inline std::string TestPath(const std::string& name) {
  static const TestDirectory directory;
  const testing::TestInfo* info = testing::UnitTest::GetInstance()->current_test_info();
  std::string test = std::string(info->test_suite_name()) + "_" + info->name();
  std::replace(test.begin(), test.end(), '/', '_');  // of tests with parameters
  return directory.path() + "/" + test + "_" + name;
}

inline void WriteBytes(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(file.flush().good()) << path;
}

inline std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline bool FileExists(const std::string& path) { return std::ifstream(path).good(); }

// The header of a small log; of version 1 of the model where its very bytes are compared.
inline LogHeader SmallHeader() {
  LogHeader header;
  header.model_version = machine::kModelVersion;
  header.palcode = {0x0123456789abcdef, 0xfedcba9876543210};
  header.config.command_line = "console=ttyS0";
  header.config.itb_entries = header.config.dtb_entries = 128;
  header.images = {{ImageRecord::Role::kKernel, 4096, {1, 2}},
                   {ImageRecord::Role::kInitrd, 12345, {3, 4}}};
  return header;
}

inline Event OutputAt(uint64_t cycle, std::string bytes, uint64_t delta) {
  std::vector<uint64_t> deltas(bytes.size() - 1, delta);
  return Event{0, cycle, 0, OutputRun{0, std::move(bytes), std::move(deltas)}};
}

inline LogHeader GoldenHeader() {
  LogHeader header = SmallHeader();
  header.model_version = 1;
  return header;
}

// One event of each kind.
inline std::vector<Event> SmallEvents() {
  std::vector<Event> events;
  events.push_back(OutputAt(1000, "hello\r\n", 1504));
  events.push_back({0, 20000, 0, InterruptEvent{uint64_t{1} << 35}});
  events.push_back({0, 1 << 20, 0, InputEvent{machine::Input::Console("ls\n")}});
  events.push_back({0, 1 << 20, 0, InputEvent{machine::Input::Break(machine::Port::Uart(1))}});
  events.push_back({0, 1 << 20, 1, InterruptEvent{0x8000000ff}});
  events.push_back({0, 1 << 28, 0, CheckpointEvent{123456789, {5, 6}}});
  events.push_back(
      {0, (1 << 28) + 5, 0, InputEvent{machine::Input::Stop(machine::StopCause::kSignal, 15)}});
  events.push_back(
      {0, (1 << 28) + 5, 0, EndEvent{machine::RunEnd::Kind::kStopped, 123456790, {7, 8}}});
  for (size_t i = 0; i < events.size(); ++i) events[i].number = i;
  return events;
}

// And of what only some logs have.
inline std::vector<Event> WriteEvents() {
  using machine::Input;
  std::vector<Event> events;
  events.push_back({0, 300, 0, InputEvent{Input::WriteRegister(0, 16, 0x1234)}});
  events.push_back({1, 300, 3, InputEvent{Input::WriteRegister(3, 64, 0x8001)}});
  events.push_back({2, 300, 0, InputEvent{Input::WriteMemory(0, 0x10000, "\x01\xff")}});
  return events;
}

// And of the log of a machine with a network.
inline std::vector<Event> NetworkEvents() {
  std::vector<Event> events;
  events.push_back({0, 400, 0, InputEvent{machine::Input::Frame("to-station....\xff")}});
  events.push_back({1, 500, 0, machine::FrameEvent::Of("from-station..\x01", machine::kMaxFrame)});
  events.push_back({2, 600, 0, machine::FrameEvent::Of(std::string(1514, 'x'), 14)});
  return events;
}

// `count` events that look like those of a guest that prints, with an end.
inline std::vector<Event> ManyEvents(uint64_t count) {
  std::vector<Event> events;
  uint64_t cycle = 0;
  uint64_t noise = 1;
  while (events.size() + 1 < count) {
    noise = noise * 6364136223846793005u + 1442695040888963407u;
    cycle += 1000 + (noise >> 50);
    switch (events.size() % 4) {
      case 0:
        events.push_back(OutputAt(cycle, std::string(1 + (noise >> 60), 'x'), 1200));
        cycle = events.back().last_cycle();
        break;
      case 2:
        if (events.size() % 1000 == 2) {
          events.push_back({0, cycle, 0, CheckpointEvent{cycle / 2, {noise, cycle}}});
          break;
        }
        [[fallthrough]];
      default: events.push_back({0, cycle, 0, InterruptEvent{uint64_t{1} << 34}});
    }
  }
  events.push_back({0, cycle, 0, EndEvent{machine::RunEnd::Kind::kPowerOff, cycle / 2, {1, 1}}});
  for (size_t i = 0; i < events.size(); ++i) events[i].number = i;
  return events;
}

// Writes a log and returns its identity.
inline machine::Digest WriteLog(const std::string& path, const std::vector<Event>& events,
                                const LogHeader& header = SmallHeader(),
                                LogWriterOptions options = {}) {
  absl::StatusOr<std::unique_ptr<LogWriter>> writer =
      LogWriter::Create(path, header, std::move(options));
  EXPECT_TRUE(writer.ok()) << writer.status();
  if (!writer.ok()) return {};
  for (const Event& event : events) (*writer)->Append(event);
  const absl::Status status = (*writer)->Finish();
  EXPECT_TRUE(status.ok()) << status;
  return (*writer)->identity();
}

// What reading a log to its end gave.
struct ReadResult {
  absl::Status status;
  std::vector<Event> events;
  bool is_partial = false;
};

inline ReadResult ReadRest(LogReader& reader) {
  ReadResult result;
  result.is_partial = reader.is_partial();
  for (;;) {
    Event event;
    absl::StatusOr<bool> got = reader.Next(event);
    result.status = got.status();
    if (!got.ok() || !*got) return result;
    result.events.push_back(std::move(event));
  }
}

inline ReadResult ReadLog(const std::string& path) {
  absl::StatusOr<std::unique_ptr<LogReader>> reader = LogReader::Open(path);
  if (!reader.ok()) return {reader.status(), {}, false};
  return ReadRest(**reader);
}

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_LOG_TESTING_H_
