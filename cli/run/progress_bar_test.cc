#include "cli/run/progress_bar.h"

#include <unistd.h>

#include <chrono>
#include <string>

#include "gtest/gtest.h"

namespace isochron::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr uint64_t kHz = 600'000'000;

class FakeClock final : public HostClock {
 public:
  nanoseconds Now() override { return now; }
  void WaitForInput(nanoseconds limit) override { now += limit; }
  nanoseconds now{0};
};

TEST(RenderProgress, TellsHowFarAndHowLong) {
  EXPECT_EQ(RenderProgress({2'500'000'000, 10'000'000'000, 12'345, seconds(10)}, kHz),
            "[#.....]  25%  2.5G cycles (4.2 s)  12.3k events  250.0M/s  0:30 left");
  EXPECT_EQ(RenderProgress({0, 1000, 0, nanoseconds(0)}, kHz),
            "[......]   0%  0 cycles (0.0 s)  0 events  0/s  - left");
  EXPECT_EQ(RenderProgress({1000, 1000, 7, seconds(1)}, kHz),
            "[######] 100%  1.0k cycles (0.0 s)  7 events  1.0k/s  0:00 left");
}

TEST(RenderProgress, FitsALine) {
  const uint64_t most = ~uint64_t{0};
  for (uint64_t cycle : {uint64_t{1}, uint64_t{999'999'999'999}, most / 2}) {
    for (seconds elapsed : {seconds(1), seconds(99'999)}) {
      EXPECT_LE(RenderProgress({cycle, most, 999'949'999, elapsed}, 1'000'000).size(), 79u);
    }
  }
}

TEST(RenderProgress, KnowsNoMoreThanAll) {
  EXPECT_NE(RenderProgress({2000, 1000, 7, seconds(1)}, kHz).find("100%"), std::string::npos);
}

TEST(ProgressBar, DrawsTenTimesASecondAndCleansUp) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  auto written = [&fds] {
    char buffer[4096];
    const ssize_t got = read(fds[0], buffer, sizeof(buffer));
    return std::string(buffer, static_cast<size_t>(got));
  };
  FakeClock clock;
  {
    ProgressBar bar(fds[1], 1000, clock);
    bar.Show(1, kHz, 0);
    clock.now += milliseconds(100);
    bar.Show(10, kHz, 0);
    bar.Show(20, kHz, 0);
    const std::string once = written();
    EXPECT_EQ(once.find("\r\x1b[K["), 0u);
    EXPECT_NE(once.find(" 1%"), std::string::npos);
    EXPECT_EQ(once.find(" 2%"), std::string::npos);
    bar.Hide();
    EXPECT_EQ(written(), "\r\x1b[K");
  }
  close(fds[1]);
  EXPECT_EQ(written(), "");  // hidden already
  close(fds[0]);
}

TEST(RenderScriptProgress, TellsWhatTheScriptWaitsFor) {
  const Progress progress = {1'200'000'000, 0, 0, std::chrono::seconds(2)};
  ScriptCommand command;
  command.kind = ScriptCommand::Kind::kExpect;
  command.text = "# ";
  command.line = 3;
  EXPECT_EQ(RenderScriptProgress(progress, 600'000'000, &command),
            "1.2G cycles (2.0 s)  600.0M/s  line 3: expect \"# \"");
  EXPECT_EQ(RenderScriptProgress(progress, 600'000'000, nullptr), "1.2G cycles (2.0 s)  600.0M/s");
  command.text = "\x1b[2J" + std::string(200, 'x');
  command.is_regex = true;
  const std::string line = RenderScriptProgress(progress, 600'000'000, &command);
  EXPECT_EQ(line.size(), 79u);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace isochron::cli
