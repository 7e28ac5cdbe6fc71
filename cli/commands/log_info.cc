#include <ctime>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/commands/log.h"
#include "cli/run/guest.h"
#include "cli/text/exit_code.h"
#include "cli/text/text_output.h"
#include "machine/events/config.h"
#include "machine/events/cycle_text.h"
#include "replaylog/describe.h"
#include "replaylog/describe_frame.h"
#include "replaylog/file_source.h"
#include "replaylog/image_set.h"
#include "replaylog/log_reader.h"
#include "replaylog/output_file.h"
#include "replaylog/snapshot_header.h"
#include "timeline/snapshot.h"

namespace isochron::cli {
namespace {

using replaylog::LogHeader;
using replaylog::LogReader;
using replaylog::LogSummary;
using replaylog::RecordType;

void Row(TextOutput& out, const std::string& name, const std::string& value) {
  out.Line(absl::StrFormat("%-15s %s", name, value));
}

std::string Date(int64_t seconds) {
  const time_t time = seconds;
  struct tm parts;
  char text[64];
  if (gmtime_r(&time, &parts) == nullptr ||
      strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
    return absl::StrCat(seconds, " s since 1970");
  }
  return text;
}

std::string Size(uint64_t bytes) {
  if (bytes % (1 << 20) != 0) return absl::StrCat(bytes, " bytes");
  return absl::StrCat(bytes, " bytes (", bytes >> 20, "M)");
}

void PrintLog(TextOutput& out, const std::string& path, const LogReader& log,
              const LogSummary& summary) {
  Row(out, "log", path);
  Row(out, "identity", summary.identity.ToString());
  Row(out, "state", log.is_partial() ? "partial: it breaks off" : "complete");
  Row(out, "size",
      absl::StrFormat("%d bytes: %d frames of %d bytes, %d bytes raw", log.log_bytes(),
                      log.frames().size(), log.frames().compressed_bytes(),
                      log.frames().raw_bytes()));
  Row(out, "duration", machine::CyclesText(summary.last_cycle, log.header().config.clock_hz));
  if (!summary.end.has_value()) return;
  const auto* end = std::get_if<replaylog::EndEvent>(&summary.end->body);
  if (end == nullptr) return;
  Row(out, "end",
      absl::StrCat(std::string(replaylog::EndKindName(end->kind)), " after ", end->instructions,
                   " instructions"));
}

void PrintConfig(TextOutput& out, const LogHeader& header) {
  const machine::MachineConfig& config = header.config;
  Row(out, "model version", absl::StrCat(header.model_version));
  Row(out, "PALcode", header.palcode.ToString());
  for (const replaylog::ImageRecord& image : header.images) {
    Row(out, std::string(replaylog::ImageRoleName(image.role)),
        absl::StrCat(image.digest.ToString(), ", ", image.size, " bytes"));
  }
  for (size_t i = 0; i < config.disks.size(); ++i) {
    Row(out, absl::StrCat("disk", i, " is"),
        absl::StrCat(std::string(replaylog::DiskInterfaceName(config.disks[i].interface)),
                     config.disks[i].read_only ? ", read-only" : ""));
  }
  if (config.boot_disk.has_value()) Row(out, "boots from", absl::StrCat("disk", *config.boot_disk));
  if (config.has_disk_console()) Row(out, "console", header.disk_console.ToString());
  if (config.nvram.has_value()) Row(out, "NVRAM", replaylog::QuoteBytes(*config.nvram));
  Row(out, config.boot_disk.has_value() ? "flags" : "command line",
      replaylog::QuoteBytes(config.command_line));
  Row(out, "memory", Size(config.memory_bytes));
  Row(out, "clock", absl::StrCat(config.clock_hz, " Hz"));
  Row(out, "TLB entries", absl::StrCat("ITB ", config.itb_entries, ", DTB ", config.dtb_entries));
  Row(out, "date at start", Date(config.rtc_base_seconds));
  Row(out, "entropy seed", absl::StrCat(config.seed));
  if (config.entropy_device) Row(out, "entropy device", "virtio");
  if (config.network.has_value()) {
    Row(out, "network device",
        absl::StrCat(std::string(replaylog::NetworkModelName(config.network->model)), ", ",
                     replaylog::StationName(config.network->mac)));
    const uint32_t whole = config.network->whole_frames;
    Row(out, "frames sent",
        whole == machine::kMaxFrame
            ? "with their bytes"
            : absl::StrCat("with their bytes up to ", whole, ", beyond that their digest"));
  }
  if (config.cpus > 1) {
    Row(out, "CPUs", absl::StrCat(config.cpus, ", in turns of ", config.quantum, " cycles"));
    if (!config.schedule.is_fixed()) Row(out, "schedule", config.schedule.Text());
  }
  Row(out, "input points",
      absl::StrCat("every ", machine::CyclesText(config.input_interval, config.clock_hz)));
  Row(out, "checkpoints",
      absl::StrCat("every ", machine::CyclesText(config.checkpoint_interval, config.clock_hz)));
  Row(out, "a reset", header.config.reboot ? "restarts the guest" : "ends the run");
}

void PrintCounts(TextOutput& out, const LogSummary& summary) {
  out.Line(absl::StrFormat("%-15s %12s", "event", "count"));
  for (const std::string_view name : replaylog::EventTypeNames()) {
    const auto type = replaylog::EventTypeFromName(name);
    const uint64_t count = summary.events_by_type[static_cast<size_t>(*type)];
    out.Line(absl::StrFormat("%-15s %12d", std::string(name), count));
  }
  if (summary.unknown_witnesses > 0) {
    out.Line(absl::StrFormat("%-15s %12d", "unknown", summary.unknown_witnesses));
  }
  out.Line(absl::StrFormat("%-15s %12d", "all", summary.events));
  out.Line(absl::StrFormat("%-15s %12d", "console bytes", summary.console_bytes));
}

int PrintImageList(const std::string& path) {
  const absl::StatusOr<std::vector<replaylog::ImageFile>> images = replaylog::ReadImageList(path);
  if (!images.ok()) return RefuseInput(images.status());
  TextOutput out;
  Row(out, "images of a log", replaylog::QuoteBytes(path));
  for (const replaylog::ImageFile& image : *images) {
    Row(out, std::string(replaylog::ImageRoleName(image.record.role)),
        absl::StrCat(image.record.digest.ToString(), ", ", image.record.size, " bytes, ",
                     replaylog::QuoteBytes(image.path)));
  }
  return out.Finish(ToInt(ExitCode::kOk));
}

int PrintSnapshots(const std::string& path) {
  absl::StatusOr<std::unique_ptr<timeline::SnapshotReader>> reader =
      timeline::SnapshotReader::Open(path);
  if (!reader.ok()) return RefuseInput(reader.status());
  const std::vector<timeline::SnapshotInfo>& snapshots = (*reader)->snapshots();
  TextOutput out;
  Row(out, "snapshots", replaylog::QuoteBytes(path));
  Row(out, "state", (*reader)->breaks_off() ? "partial: it breaks off" : "complete");
  Row(out, "number", absl::StrCat(snapshots.size(), "; `isochron log snapshots` lists them"));
  if (!snapshots.empty()) {
    const std::unique_ptr<LogReader> log = LogOfSnapshots(**reader);
    const auto cycle = [&log](const timeline::SnapshotInfo& snapshot) {
      return log == nullptr ? absl::StrCat(snapshot.cycle)
                            : machine::WithSeconds(snapshot.cycle, log->header().config.clock_hz);
    };
    Row(out, "cycles",
        absl::StrCat(cycle(snapshots.front()), " to ", cycle(snapshots.back()),
                     log == nullptr ? "; seconds are known beside their log" : ""));
  }
  return out.Finish(ToInt(ExitCode::kOk));
}

// Of a file that is no log: whether it is one of those that stand beside logs.
bool IsBesideLogs(const std::string& path, bool is_kind(const replaylog::FileSource&)) {
  if (replaylog::IsSpecialFile(path)) return false;
  const absl::StatusOr<std::unique_ptr<replaylog::FileSource>> file =
      replaylog::FileSource::Open(path);
  return file.ok() && is_kind(**file);
}

int PrintInfo(const std::string& path) {
  absl::StatusOr<std::unique_ptr<LogReader>> log = LogReader::Open(path);
  if (absl::IsInvalidArgument(log.status())) {
    if (IsBesideLogs(path, replaylog::IsImageList)) return PrintImageList(path);
    if (IsBesideLogs(path, replaylog::IsSnapshotFile)) return PrintSnapshots(path);
  }
  if (!log.ok()) return RefuseInput(log.status());
  absl::StatusOr<LogSummary> summary = (*log)->Verify();
  if (!summary.ok()) return RefuseInput(summary.status());
  TextOutput out;
  PrintLog(out, path, **log, *summary);
  out.Line("");
  PrintConfig(out, (*log)->header());
  out.Line("");
  PrintCounts(out, *summary);
  return out.Finish(ToInt(ExitCode::kOk));
}

}  // namespace

void AddLogInfoCommand(CLI::App& log, std::function<int()>& command) {
  CLI::App* info = log.add_subcommand("info", "Tell what a log is and holds");
  auto path = std::make_shared<std::string>();
  info->add_option("log", *path, "the log, or a bundle")->type_name("LOG")->required();
  info->footer(ExitCodeHelp(ExitCodesOfReaders()));
  info->callback([path, &command] { command = [path] { return PrintInfo(*path); }; });
}

}  // namespace isochron::cli
