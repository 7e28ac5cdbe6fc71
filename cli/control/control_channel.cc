#include "cli/control/control_channel.h"

#include <csignal>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "machine/events/cycle_text.h"
#include "replaylog/describe.h"

namespace isochron::cli {

absl::Status ControlChannel::AwaitClient() { return socket_->AwaitClient(queue_.stop_event()); }

std::optional<ScriptCommand> ControlChannel::Next(const machine::InputPoint& point) {
  while (!hung_up_) {
    std::string line;
    switch (socket_->ReadLine(queue_.stop_event(), line)) {
      case ControlSocket::Read::kStopped: return std::nullopt;
      case ControlSocket::Read::kEnd: HangUp(); return std::nullopt;
      case ControlSocket::Read::kTooLong:
        ++request_;
        Answer(absl::InvalidArgumentError(
                   absl::StrCat("a request has at most ", ControlSocket::kMaxLine, " bytes")),
               point.cycle);
        continue;
      case ControlSocket::Read::kLine: break;
    }
    absl::StatusOr<std::optional<ScriptCommand>> command =
        ParseRequest(line, "request", request_ + 1, clock_hz_);
    if (command.ok() && !command->has_value()) continue;  // blank
    ++request_;
    if (!command.ok()) {
      Answer(command.status(), point.cycle);
    } else if (std::optional<ScriptCommand> rest = Obey(**command, point.cycle)) {
      return rest;
    }
  }
  return std::nullopt;
}

void ControlChannel::HangUp() {
  hung_up_ = true;
  queue_.PushStop(machine::StopCause::kSignal, SIGHUP);
}

void ControlChannel::OnEndlessRun() {
  if (!hung_up_ && socket_->HasLostClient()) HangUp();
}

std::optional<ScriptCommand> ControlChannel::Obey(const ScriptCommand& command, uint64_t cycle) {
  using Kind = ScriptCommand::Kind;
  switch (command.kind) {
    case Kind::kStats:
      Answer(absl::OkStatus(), cycle, services_.stats ? services_.stats() : "");
      return std::nullopt;
    case Kind::kPeek: {
      const absl::StatusOr<uint64_t> value =
          services_.peek ? services_.peek(command.text)
                         : absl::FailedPreconditionError("there is no memory to look into");
      Answer(value.status(), cycle,
             value.ok() ? absl::StrFormat("\"value\":\"0x%x\"", *value) : "");
      return std::nullopt;
    }
    case Kind::kInspect: {
      const absl::StatusOr<std::string> fields =
          services_.inspect ? services_.inspect(command.text)
                            : absl::FailedPreconditionError("there is no machine to look into");
      Answer(fields.status(), cycle, fields.ok() ? *fields : "");
      return std::nullopt;
    }
    case Kind::kSnapshot:
      Answer(services_.snapshot
                 ? services_.snapshot()
                 : absl::FailedPreconditionError("there is no log to take a snapshot for"),
             cycle);
      return std::nullopt;
    case Kind::kSave:
      Answer(services_.save ? services_.save(command.text)
                            : absl::FailedPreconditionError("no log is being written"),
             cycle);
      return std::nullopt;
    case Kind::kSend:
    case Kind::kSendAt:
    case Kind::kSendBreak:
      if (!read_only_) return command;
      Answer(absl::FailedPreconditionError("a replay takes its input from the log"), cycle);
      return std::nullopt;
    case Kind::kExpect:
    case Kind::kStop:
    case Kind::kRun: return command;
  }
  return command;
}

void ControlChannel::OnDone(const ScriptCommand& command, const CommandResult& result) {
  std::string fields;
  if (command.kind == ScriptCommand::Kind::kExpect) {
    fields = replaylog::JsonBytes("output", "text", result.output);
  }
  if (command.is_regex && result.failure.empty()) {
    auto append = [](std::string* out, const std::optional<std::string>& group) {
      out->append(group.has_value() ? replaylog::JsonString(*group) : "null");
    };
    absl::StrAppend(&fields, ",\"groups\":[", absl::StrJoin(result.groups, ",", append), "]");
  }
  Answer(result.failure.empty() ? absl::OkStatus() : absl::DeadlineExceededError(result.failure),
         result.cycle, fields);
}

void ControlChannel::Answer(const absl::Status& status, uint64_t cycle, std::string_view fields) {
  std::string line =
      absl::StrCat("{\"request\":", request_, ",\"ok\":", status.ok() ? "true" : "false",
                   ",\"cycle\":", cycle, ",\"seconds\":", machine::SecondsText(cycle, clock_hz_));
  if (!status.ok()) {
    absl::StrAppend(
        &line, ",\"error\":",
        replaylog::JsonString(std::string_view(status.message().data(), status.message().size())));
  }
  if (!fields.empty()) absl::StrAppend(&line, ",", std::string(fields));
  socket_->WriteLine(line + "}", queue_.stop_event());
}

void ControlChannel::End(std::string_view fields) {
  socket_->WriteLine(absl::StrCat("{\"end\":{", std::string(fields), "}}"), queue_.stop_event());
}

}  // namespace isochron::cli
