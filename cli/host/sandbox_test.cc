#include "cli/host/sandbox.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hostio/child_process.h"

namespace isochron::cli {
namespace {

using testing::ExitedWithCode;

constexpr SandboxMode kModes[] = {SandboxMode::kRun, SandboxMode::kRecord, SandboxMode::kReplay,
                                  SandboxMode::kConform};

class SandboxTest : public testing::Test {
 protected:
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    if (const std::string why = WhyNoSandbox(); !why.empty()) GTEST_SKIP() << why;
  }
};

// Enters the sandbox and does something, in a process that ends with 0 when it can.
template <typename Action>
[[noreturn]] void InSandbox(SandboxMode mode, Action action) {
  if (!EnterSandbox(mode).ok()) _exit(9);
  _exit(action() ? 0 : 8);
}

TEST_F(SandboxTest, ARefusedCallEndsTheProcessAndIsNamed) {
  for (SandboxMode mode : kModes) {
    EXPECT_EXIT(InSandbox(mode, [] { return socket(AF_INET, SOCK_STREAM, 0) >= 0; }),
                ExitedWithCode(1), "refused system call [0-9]+ \\(socket\\).*--sandbox off")
        << SandboxModeName(mode);
    EXPECT_EXIT(InSandbox(mode, [] { return execl("/bin/true", "true", nullptr) == 0; }),
                ExitedWithCode(1), "\\(execve\\)")
        << SandboxModeName(mode);
  }
}

TEST_F(SandboxTest, TheNetworkConnectsAndReadsFiles) {
  const auto connected = [] { return socket(AF_INET, SOCK_STREAM, 0) >= 0; };
  const auto read = [] { return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0; };
  const auto written = [] { return open("/dev/null", O_WRONLY) >= 0; };
  const auto made = [] { return open("/tmp/isochron", O_RDONLY | O_CREAT, 0600) >= 0; };
  EXPECT_EXIT(InSandbox(SandboxMode::kNetwork, connected), ExitedWithCode(0), "");
  EXPECT_EXIT(InSandbox(SandboxMode::kNetwork, read), ExitedWithCode(0), "");
  EXPECT_EXIT(InSandbox(SandboxMode::kNetwork, written), ExitedWithCode(1), "\\(openat\\)");
  EXPECT_EXIT(InSandbox(SandboxMode::kNetwork, made), ExitedWithCode(1), "\\(openat\\)");
  EXPECT_EXIT(InSandbox(SandboxMode::kNetwork, [] { return fork() >= 0; }), ExitedWithCode(1),
              "\\(clone\\)");
  EXPECT_EXIT(InSandbox(SandboxMode::kNetwork, [] { return kill(1, 0) == 0; }), ExitedWithCode(1),
              "\\(kill\\)");
}

TEST_F(SandboxTest, ThreadsThatWereThereBeforeAreIn) {
  EXPECT_EXIT(
      {
        std::atomic<bool> in = false;
        std::thread other([&in] {
          while (!in) std::this_thread::yield();
          socket(AF_INET, SOCK_STREAM, 0);
          _exit(7);
        });
        if (!EnterSandbox(SandboxMode::kRun).ok()) _exit(9);
        in = true;
        other.join();
        _exit(6);
      },
      ExitedWithCode(1), "\\(socket\\)");
}

TEST_F(SandboxTest, ThreadsCanBeMadeAndProcessesNot) {
  const auto thread = [] {
    int seen = 0;
    std::thread([&seen] { seen = 1; }).join();
    return seen == 1;
  };
  const auto process = [] { return fork() >= 0; };
  for (SandboxMode mode : kModes) {
    EXPECT_EXIT(InSandbox(mode, thread), ExitedWithCode(0), "");
  }
  EXPECT_EXIT(InSandbox(SandboxMode::kRecord, process), ExitedWithCode(1), "\\(clone\\)");
  EXPECT_EXIT(InSandbox(SandboxMode::kConform, process), ExitedWithCode(0), "");
}

TEST_F(SandboxTest, MemoryBecomesNoCode) {
  const auto map = [] {
    return mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
  };
  const auto protect = [] {
    void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(memory, 4096, PROT_READ | PROT_EXEC) == 0;
  };
  EXPECT_EXIT(InSandbox(SandboxMode::kRun, map), ExitedWithCode(1), "\\(mmap\\)");
  EXPECT_EXIT(InSandbox(SandboxMode::kReplay, protect), ExitedWithCode(1), "\\(mprotect\\)");
  EXPECT_EXIT(InSandbox(SandboxMode::kConform, protect), ExitedWithCode(0), "");
}

// As a comparison does when it looks for the first difference: translators with two views of their
// code are made, and children have copies of them.
TEST_F(SandboxTest, AComparisonNarrowsInChildren) {
  const auto narrow = [] {
    constexpr size_t kSize = 1 << 16;
    void* code = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    void* view = mremap(code, 0, kSize, MREMAP_MAYMOVE);
    if (view == MAP_FAILED || mprotect(view, kSize, PROT_READ | PROT_EXEC) != 0) return false;
    auto* word = static_cast<volatile int*>(code);
    *word = 1;
    hostio::ChildProcess child([word] {
      *word = 2;
      return std::string("done");
    });
    return child.Finish() == "done" && *word == 1;
  };
  EXPECT_EXIT(InSandbox(SandboxMode::kConform, narrow), ExitedWithCode(0), "");
}

TEST_F(SandboxTest, ARunOpensNothing) {
  const auto refused = [] { return open("/dev/null", O_RDONLY) < 0 && errno == EACCES; };
  const auto opened = [] { return open("/dev/null", O_WRONLY) >= 0; };
  EXPECT_EXIT(InSandbox(SandboxMode::kRun, refused), ExitedWithCode(0), "");
  EXPECT_EXIT(InSandbox(SandboxMode::kRecord, opened), ExitedWithCode(0), "");
}

TEST_F(SandboxTest, SignalsReachThisProcessOnly) {
  const auto parent = [] { return kill(getppid(), 0) == 0; };
  const auto own = [] { return kill(getpid(), 0) == 0; };
  EXPECT_EXIT(InSandbox(SandboxMode::kConform, parent), ExitedWithCode(1), "\\(kill\\)");
  EXPECT_EXIT(InSandbox(SandboxMode::kRun, own), ExitedWithCode(0), "");
  EXPECT_EXIT(InSandbox(SandboxMode::kRun, [] { return raise(SIGTERM) == 0; }),
              testing::KilledBySignal(SIGTERM), "");
}

TEST(SandboxTableTest, IsInTheDocs) {
  std::ifstream file(ISOCHRON_SOURCE_DIR "/docs/security.md");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_THAT(text.str(), testing::HasSubstr(SandboxTable()));
}

}  // namespace
}  // namespace isochron::cli
