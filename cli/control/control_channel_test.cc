#include "cli/control/control_channel.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <re2/re2.h>

#include "absl/strings/str_cat.h"
#include "cli/control/script_runner.h"

namespace isochron::cli {
namespace {

using machine::Input;
using machine::InputKind;
using machine::StopCause;
using testing::HasSubstr;

constexpr uint64_t kHz = 1'000'000;

// A runner that obeys a channel, and the client at its other end.
class ControlChannelTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    client_ = ends[0];
    absl::StatusOr<std::unique_ptr<ControlSocket>> socket =
        ControlSocket::Open(absl::StrCat("fd:", ends[1]));
    ASSERT_TRUE(socket.ok()) << socket.status();
    channel_ = std::make_unique<ControlChannel>(*std::move(socket), queue_, kHz);
    runner_.emplace(channel_.get(), kHz);
  }
  void TearDown() override { HangUp(); }

  void HangUp() {
    if (client_ >= 0) close(client_);
    client_ = -1;
  }
  void Ask(std::string_view requests) {
    ASSERT_EQ(write(client_, requests.data(), requests.size()),
              static_cast<ssize_t>(requests.size()));
  }
  // What has been answered and not been read, without the times in seconds.
  std::string Answers() {
    std::string answers = AnswersWithSeconds();
    re2::RE2::GlobalReplace(&answers, R"(,"seconds":[0-9.]+)", "");
    return answers;
  }
  std::string AnswersWithSeconds() {
    std::string bytes(1 << 20, '\0');
    const ssize_t got = recv(client_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return bytes;
  }
  void Print(std::string_view text, uint64_t cycle) {
    for (char c : text) runner_->OnConsoleByte(0, cycle, static_cast<uint8_t>(c));
  }
  // What the runner, then the queue, does at an input point, as text.
  std::string Poll(uint64_t cycle) {
    std::vector<Input> inputs;
    runner_->Poll(machine::InputPoint{cycle}, inputs);
    queue_.Poll(machine::InputPoint{cycle}, inputs);
    std::string text;
    for (const Input& input : inputs) {
      text += input.kind == InputKind::kBytes   ? "[" + input.bytes + "]"
              : input.cause == StopCause::kQuit ? "quit"
                                                : absl::StrCat("signal ", input.detail);
    }
    return text;
  }

  HostQueue queue_;
  int client_ = -1;
  std::unique_ptr<ControlChannel> channel_;
  std::optional<ScriptRunner> runner_;
};

TEST_F(ControlChannelTest, AnswersInOrderAndTakesOutputOnce) {
  Ask("send \"a\"\nsend \"b\"\nexpect \"one\"\n");
  EXPECT_EQ(Poll(100), "[a][b]");
  Print("so one t", 150);
  Ask("expect \"two\" within 1000\nstop\n");
  EXPECT_EQ(Poll(200), "");
  Print("wo three", 250);
  EXPECT_EQ(Poll(300), "quit");
  EXPECT_EQ(runner_->output(), " three");
  EXPECT_EQ(Answers(),
            "{\"request\":1,\"ok\":true,\"cycle\":100}\n"
            "{\"request\":2,\"ok\":true,\"cycle\":100}\n"
            "{\"request\":3,\"ok\":true,\"cycle\":150,\"output\":\"so one\"}\n"
            "{\"request\":4,\"ok\":true,\"cycle\":250,\"output\":\" two\"}\n"
            "{\"request\":5,\"ok\":true,\"cycle\":300}\n");
}

TEST_F(ControlChannelTest, AnExpectThatFailsLeavesTheOutput) {
  Ask("expect \"two\" within 50\nexpect \"one\"\nexpect \"three\" within 1\nstop\n");
  Print("one", 20);
  EXPECT_EQ(Poll(100), "");
  EXPECT_EQ(Poll(150), "");
  EXPECT_EQ(Poll(151), "");
  EXPECT_EQ(Poll(153), "quit");
  const std::string answers = Answers();
  EXPECT_THAT(answers,
              HasSubstr("{\"request\":1,\"ok\":false,\"cycle\":151,\"error\":\"expect "
                        "\\\"two\\\" was not met within 50 cycles (0.000050 s); last output: "
                        "\\\"one\\\"\",\"output\":\"one\"}\n"));
  EXPECT_THAT(answers, HasSubstr("{\"request\":2,\"ok\":true,\"cycle\":151,\"output\":\"one\"}"));
  EXPECT_THAT(answers, HasSubstr("{\"request\":3,\"ok\":false,\"cycle\":153"));
}

TEST_F(ControlChannelTest, RunsForSoManyCycles) {
  Ask("run 100\nsend \"x\"\nrun\n");
  EXPECT_EQ(Poll(10), "");
  EXPECT_EQ(Poll(109), "");
  EXPECT_EQ(Poll(110), "[x]");
  EXPECT_EQ(Poll(1'000'000), "");
  EXPECT_TRUE(runner_->NoteGuestEnd(1'000'123));
  EXPECT_THAT(Answers(), HasSubstr("{\"request\":3,\"ok\":true,\"cycle\":1000123}\n"));
}

TEST_F(ControlChannelTest, TellsAnExpectThatTheGuestLeftBehind) {
  Ask("expect \"x\"\n");
  EXPECT_EQ(Poll(10), "");
  EXPECT_TRUE(runner_->NoteGuestEnd(20));
  EXPECT_THAT(Answers(), HasSubstr("before the guest ended; the guest wrote nothing"));
  channel_->End("\"x\":1");
  EXPECT_EQ(Answers(), "{\"end\":{\"x\":1}}\n");
}

TEST_F(ControlChannelTest, RefusesNonsenseAndGoesOn) {
  Ask("\n  # a comment\nfly\nsend \"x\nexpect \"\"\nat 5 jump\n\xff\x01\nsave\nrun far\nstop\n");
  EXPECT_EQ(Poll(10), "quit");
  const std::string answers = Answers();
  EXPECT_THAT(answers, HasSubstr("{\"request\":1,\"ok\":false,\"cycle\":10,\"error\":\"request:1:1:"
                                 " unknown request"));
  EXPECT_THAT(answers, HasSubstr("\"request\":7,\"ok\":false"));
  EXPECT_THAT(answers, HasSubstr("{\"request\":8,\"ok\":true,\"cycle\":10}\n"));
}

TEST_F(ControlChannelTest, RefusesLinesThatAreTooLong) {
  const std::string most(ControlSocket::kMaxLine - 7, 'x');
  // Beside the socket's buffer, so that nobody waits.
  std::string requests = absl::StrCat("send \"", most, "\"\nsend \"", most, "x\"\nstop\n");
  int size = 1 << 20;
  setsockopt(client_, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
  Ask(requests);
  EXPECT_EQ(Poll(10), absl::StrCat("[", most, "]quit"));
  EXPECT_EQ(Answers(),
            "{\"request\":1,\"ok\":true,\"cycle\":10}\n"
            "{\"request\":2,\"ok\":false,\"cycle\":10,\"error\":\"a request has at most 65536 "
            "bytes\"}\n"
            "{\"request\":3,\"ok\":true,\"cycle\":10}\n");
}

TEST_F(ControlChannelTest, OffersServices) {
  Ask("stats\npeek x+1 # a name\npeek\nsnapshot\nsave \"a\\nb\"\nstop\n");
  channel_->services().stats = [] { return "\"n\":1"; };
  channel_->services().peek = [](const std::string& where) -> absl::StatusOr<uint64_t> {
    return where.size();
  };
  channel_->services().save = [](const std::string& path) {
    return path == "a\nb" ? absl::OkStatus() : absl::InternalError(path);
  };
  EXPECT_EQ(Poll(10), "quit");
  EXPECT_EQ(
      Answers(),
      "{\"request\":1,\"ok\":true,\"cycle\":10,\"n\":1}\n"
      "{\"request\":2,\"ok\":true,\"cycle\":10,\"value\":\"0x3\"}\n"
      "{\"request\":3,\"ok\":false,\"cycle\":10,\"error\":\"request:3:5: expected a symbol or an "
      "address\"}\n"
      "{\"request\":4,\"ok\":false,\"cycle\":10,\"error\":\"there is no log to take a snapshot "
      "for\"}\n"
      "{\"request\":5,\"ok\":true,\"cycle\":10}\n"
      "{\"request\":6,\"ok\":true,\"cycle\":10}\n");
}

TEST_F(ControlChannelTest, InspectsState) {
  Ask("inspect cpu0.pc\ninspect no.such # a name\ninspect\nstop\n");
  channel_->services().inspect = [](const std::string& path) -> absl::StatusOr<std::string> {
    if (path == "no.such") return absl::NotFoundError("none");
    return "\"path\":\"" + path + "\"";
  };
  EXPECT_EQ(Poll(10), "quit");
  EXPECT_EQ(
      Answers(),
      "{\"request\":1,\"ok\":true,\"cycle\":10,\"path\":\"cpu0.pc\"}\n"
      "{\"request\":2,\"ok\":false,\"cycle\":10,\"error\":\"none\"}\n"
      "{\"request\":3,\"ok\":false,\"cycle\":10,\"error\":\"request:3:8: expected a name of the "
      "state, such as cpu0.pc or uart0\"}\n"
      "{\"request\":4,\"ok\":true,\"cycle\":10}\n");
}

TEST_F(ControlChannelTest, AWatcherCannotSend) {
  channel_->SetReadOnly(true);
  Ask("send \"x\"\nat 1M send \"x\"\nstop\n");
  EXPECT_EQ(Poll(10), "quit");
  EXPECT_THAT(Answers(), HasSubstr("a replay takes its input from the log"));
}

TEST_F(ControlChannelTest, AHangUpComesAfterTheRequests) {
  Ask("run 100\nsend \"x\"\nsend \"half a li");
  HangUp();
  EXPECT_EQ(Poll(10), "");
  EXPECT_EQ(Poll(110), absl::StrCat("[x]signal ", SIGHUP));
  EXPECT_EQ(Poll(120), "");
}

TEST_F(ControlChannelTest, AStopEndsTheWait) {
  queue_.PushStop(StopCause::kSignal, SIGINT);
  EXPECT_EQ(Poll(10), absl::StrCat("signal ", SIGINT));
}

// Sockets with a name.

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return address;
}

std::string ErrorOf(const std::string& target) {
  const absl::StatusOr<std::unique_ptr<ControlSocket>> socket = ControlSocket::Open(target);
  return socket.ok() ? "no error" : std::string(socket.status().message());
}

TEST(ControlSocketTest, RefusesWhatIsNoSocket) {
  EXPECT_THAT(ErrorOf("fd:"), HasSubstr("needs the number"));
  EXPECT_THAT(ErrorOf("fd:1"), HasSubstr("needs the number"));
  EXPECT_THAT(ErrorOf("fd:9x"), HasSubstr("needs the number"));
  EXPECT_THAT(ErrorOf("fd:999"), HasSubstr("Bad file descriptor"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("the path is empty"));
  EXPECT_THAT(ErrorOf("/no/such/directory/s"), HasSubstr("No such file"));
  EXPECT_THAT(ErrorOf(std::string(108, 'x')), HasSubstr("at most 107 bytes"));
}

TEST(ControlSocketTest, AProcessThatCannotAcceptGivesUp) {
  const std::string path = testing::TempDir() + absl::StrCat("control", getpid());
  const auto out_of_descriptors = [&path] {
    const absl::StatusOr<std::unique_ptr<ControlSocket>> control = ControlSocket::Open(path);
    const sockaddr_un address = AddressOf(path);
    const int client = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      _exit(1);
    const hostio::EventFd stop;
    const rlimit none = {3, 3};
    setrlimit(RLIMIT_NOFILE, &none);
    const absl::Status status = (*control)->AwaitClient(stop);
    std::fputs(std::string(status.message()).c_str(), stderr);
    std::string line;
    const bool ended = (*control)->ReadLine(stop, line) == ControlSocket::Read::kEnd;
    _exit(ended && access(path.c_str(), F_OK) != 0 ? 0 : 1);
  };
  EXPECT_EXIT(out_of_descriptors(), testing::ExitedWithCode(0),
              "cannot be controlled at .*: Too many open files");
}

TEST(ControlSocketTest, ReplacesOnlyWhatWasLeftBehind) {
  const std::string path = testing::TempDir() + absl::StrCat("control", getpid());
  {
    const absl::StatusOr<std::unique_ptr<ControlSocket>> socket = ControlSocket::Open(path);
    ASSERT_TRUE(socket.ok()) << socket.status();
    EXPECT_THAT(ErrorOf(path), HasSubstr("something is there already"));
    // Whoever tried has not taken the client's place.
    const sockaddr_un address = AddressOf(path);
    const int client = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(write(client, "hello\n", 6), 6);
    const hostio::EventFd stop;
    std::string line;
    EXPECT_EQ((*socket)->ReadLine(stop, line), ControlSocket::Read::kLine);
    EXPECT_EQ(line, "hello");
    EXPECT_NE(access(path.c_str(), F_OK), 0);
    close(client);
  }
  // A process that was killed.
  const sockaddr_un address = AddressOf(path);
  const int killed = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(killed, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  close(killed);
  ASSERT_EQ(access(path.c_str(), F_OK), 0);
  EXPECT_EQ(ErrorOf(path), "no error");
  // Anything else stays.
  ASSERT_EQ(fclose(fopen(path.c_str(), "w")), 0);
  EXPECT_THAT(ErrorOf(path), HasSubstr("something is there already"));
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
  unlink(path.c_str());
}

TEST_F(ControlChannelTest, TellsTheGroupsOfARegularExpressionAndSeconds) {
  Ask("expect /(a)(x)?: (\\d+)/ within 1s\nexpect /(a)(x)?: (\\d+)/ within 1s\nrun\n");
  EXPECT_EQ(Poll(100), "");
  Print("-a: 12;", 1'500'000);
  Poll(2'000'000);
  EXPECT_THAT(
      AnswersWithSeconds(),
      testing::MatchesRegex(
          "\\{\"request\":1,\"ok\":false,\"cycle\":2000000,\"seconds\":2.000,\"error\":.*\n"
          "\\{\"request\":2,\"ok\":true,\"cycle\":2000000,\"seconds\":2.000,\"output\":\"-a: 1\","
          "\"groups\":\\[\"a: 1\",\"a\",null,\"1\"\\]\\}\n"));
}

}  // namespace
}  // namespace isochron::cli
