// --control: a conversation with whoever controls a run.

#ifndef ISOCHRON_CLI_CONTROL_CONTROL_CHANNEL_H_
#define ISOCHRON_CLI_CONTROL_CONTROL_CHANNEL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/control/command_source.h"
#include "cli/control/control_socket.h"
#include "cli/control/script.h"
#include "cli/host/host_queue.h"
#include "machine/events/input.h"

namespace isochron::cli {

// What a command offers beside running; a function that is not set is refused.
struct ControlServices {
  // The fields of the answer to `stats`, as JSON: "name":value,...
  std::function<std::string()> stats;
  // The quadword of RAM at a symbol or an address.
  std::function<absl::StatusOr<uint64_t>(const std::string& where)> peek;
  // The answer to `inspect` of what has this path, as JSON: "name":value,...
  std::function<absl::StatusOr<std::string>(const std::string& path)> inspect;
  // Takes a snapshot at the next checkpoint.
  std::function<absl::Status()> snapshot;
  // Copies the log so far.
  std::function<absl::Status(const std::string& path)> save;
};

// Takes requests, a line each, and answers each with a line of JSON; docs/control.md describes
// both.
//
// Requests are read nowhere but in Next(), where the sequencer waits for them: what a client asks
// has its place in guest time, and how long it takes to ask has no effect. A client that goes away
// is a signal SIGHUP, after what it asked before has been done; a `run` without an end is done when
// nobody is left who could read the answer.
class ControlChannel final : public CommandSource {
 public:
  // `queue` must outlive the channel: it knows of requests to stop, and gets that SIGHUP.
  // `clock_hz`: cycles in a guest second.
  ControlChannel(std::unique_ptr<ControlSocket> socket, HostQueue& queue, uint64_t clock_hz)
      : socket_(std::move(socket)), queue_(queue), clock_hz_(clock_hz) {}

  ControlServices& services() { return services_; }
  // Whether the guest takes input from elsewhere, so that `send` is refused.
  void SetReadOnly(bool read_only) { read_only_ = read_only; }

  // Waits until the client is there, or a request to stop. An error when nobody can come.
  absl::Status AwaitClient();

  std::optional<ScriptCommand> Next(const machine::InputPoint& point) override;
  void OnEndlessRun() override;
  void OnDone(const ScriptCommand& command, const CommandResult& result) override;

  // The last line, when all is over: `fields` as JSON ("name":value,...).
  void End(std::string_view fields);

 private:
  // Obeys what concerns nobody but the channel; otherwise returns the command.
  std::optional<ScriptCommand> Obey(const ScriptCommand& command, uint64_t cycle);
  void HangUp();
  void Answer(const absl::Status& status, uint64_t cycle, std::string_view fields = "");

  std::unique_ptr<ControlSocket> socket_;
  HostQueue& queue_;
  const uint64_t clock_hz_;
  ControlServices services_;
  bool read_only_ = false;
  bool hung_up_ = false;
  uint32_t request_ = 0;  // the number of the last one
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_CONTROL_CONTROL_CHANNEL_H_
