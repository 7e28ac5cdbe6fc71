#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/commands/log.h"
#include "cli/run/command_files.h"
#include "cli/run/guest.h"
#include "cli/text/exit_code.h"
#include "replaylog/log_reader.h"
#include "replaylog/output_file.h"
#include "replaylog/pcapng.h"

namespace isochron::cli {
namespace {

struct PcapOptions {
  std::string log_path;
  std::string capture_path;
};

absl::Status WritePackets(replaylog::LogReader& log, replaylog::OutputFile& file) {
  constexpr size_t kEnough = 1 << 20;  // for a write
  const uint64_t clock_hz = log.header().config.clock_hz;
  std::string bytes = replaylog::PcapngHead(log.header());
  replaylog::Event event;
  for (;;) {
    const absl::StatusOr<bool> more = log.Next(event);
    if (!more.ok()) return more.status();
    if (!*more) return file.Write(bytes);
    bytes += replaylog::PcapngPacket(event, clock_hz);
    if (bytes.size() < kEnough) continue;
    if (absl::Status status = file.Write(bytes); !status.ok()) return status;
    bytes.clear();
  }
}

absl::Status WriteCapture(const PcapOptions& options) {
  absl::StatusOr<std::unique_ptr<replaylog::LogReader>> log =
      replaylog::LogReader::Open(options.log_path);
  if (!log.ok()) return log.status();
  if (!(*log)->header().config.network.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.log_path, " is the log of a machine without a network device"));
  }
  CommandFiles files;
  files.AddInput(options.log_path, "the log");
  files.AddOutput(options.capture_path, "the capture");
  if (absl::Status status = files.Check(); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<replaylog::OutputFile>> file =
      replaylog::OutputFile::Create(options.capture_path);
  if (!file.ok()) return file.status();
  return (*file)->Finish(WritePackets(**log, **file));
}

}  // namespace

void AddLogPcapCommand(CLI::App& log, std::function<int()>& command) {
  CLI::App* pcap =
      log.add_subcommand("pcap", "Write the frames of a log as a capture for packet analysers");
  auto options = std::make_shared<PcapOptions>();
  pcap->add_option("log", options->log_path, "the log, or a bundle")->type_name("LOG")->required();
  pcap->add_option("-o,--output", options->capture_path, "the capture to write, in pcapng")
      ->type_name("FILE")
      ->required();
  pcap->footer(ExitCodeHelp({ExitCode::kOk, ExitCode::kUsage}));
  pcap->callback([options, &command] {
    command = [options] {
      const absl::Status status = WriteCapture(*options);
      return status.ok() ? ToInt(ExitCode::kOk) : RefuseInput(status);
    };
  });
}

}  // namespace isochron::cli
