#include "cli/run/report_file.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "cli/run/log_output.h"
#include "cli/run/replay_report.h"
#include "cli/run/version.h"
#include "cli/text/command_line.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "conformance/compare/guest_code.h"
#include "machine/events/cycle_text.h"
#include "machine/firmware/firmware.h"
#include "replaylog/describe.h"
#include "replaylog/output_file.h"

namespace isochron::cli {
namespace {

using conformance::Escape;
using conformance::ReportRow;

// The PC at which the guest cannot go on, or at which it has ended, of each CPU.
std::vector<ReportRow> PcRows(const machine::RunEnd& end, const machine::Machine& machine) {
  std::vector<ReportRow> rows;
  for (int i = 0; i < machine.cpu_count(); ++i) {
    if (end.kind == machine::RunEnd::Kind::kFatal && end.cpu != static_cast<uint32_t>(i)) continue;
    const alpha::Cpu& cpu = machine.cpu(i);
    rows.push_back({machine.cpu_count() == 1 ? "PC" : absl::StrCat("PC of CPU ", i),
                    conformance::DescribePc(cpu, cpu.pc, machine.kernel())});
  }
  return rows;
}

}  // namespace

std::vector<ReportRow> OriginRows(const Guest& guest) {
  const machine::MachineConfig& config = guest.machine->config();
  std::vector<ReportRow> rows = {
      {"command", CommandLine()},
      {"program", absl::StrReplaceAll(VersionText(), {{"\n", "; "}})},
  };
  for (const replaylog::ImageFile& image : guest.images) {
    rows.push_back({std::string(replaylog::ImageRoleName(image.record.role)),
                    absl::StrCat(image.path, ", ", image.record.size, " bytes, digest ",
                                 image.record.digest.ToString())});
  }
  rows.push_back({"PALcode", absl::StrCat("digest ", machine::PalcodeDigest().ToString())});
  rows.push_back({"kernel's command line", replaylog::QuoteBytes(config.command_line)});
  rows.push_back(
      {"machine", absl::StrCat(config.memory_bytes >> 20, " MiB, ", config.clock_hz, " Hz, RTC ",
                               config.rtc_base_seconds, ", seed ", config.seed,
                               config.cpus == 1 ? "" : absl::StrCat(", ", config.cpus, " CPUs"))});
  return rows;
}

std::string RunPage(const machine::RunEnd& end, int exit_code, const Guest& guest,
                    std::string_view log) {
  const machine::Machine& machine = *guest.machine;
  const alpha::Cpu& cpu = machine.cpu(static_cast<int>(end.cpu));
  std::string title = DescribeEnd(end);
  title[0] = static_cast<char>(toupper(static_cast<unsigned char>(title[0])));
  std::string body = absl::StrCat("<h1>", Escape(title), "</h1>\n");
  std::vector<ReportRow> rows = {
      {"exit code", absl::StrCat(exit_code)},
      {"duration", machine::CyclesText(machine.now(), machine.config().clock_hz)},
      {"instructions", absl::StrCat(machine.Instructions())},
  };
  for (ReportRow& row : PcRows(end, machine)) rows.push_back(std::move(row));
  absl::StrAppend(&body, conformance::HtmlRows(rows));
  if (end.kind == machine::RunEnd::Kind::kFatal) {
    const std::string code = conformance::InstructionLines(cpu, machine.memory(), cpu.pc);
    if (!code.empty()) {
      absl::StrAppend(&body, "<h2>Instruction</h2>\n", conformance::HtmlListing(code));
    }
    absl::StrAppend(&body, "<h2>State</h2>\n",
                    conformance::HtmlListing(FatalReport(end.message, cpu, machine.kernel(),
                                                         machine.config().clock_hz)));
  }
  rows = OriginRows(guest);
  if (!log.empty()) rows.push_back({"log", absl::StrCat("identity ", std::string(log))});
  absl::StrAppend(&body, "<h2>To come back to it</h2>\n", conformance::HtmlRows(rows));
  return conformance::HtmlPage(absl::StrCat("Isochron: ", title), body);
}

int WriteReport(const std::string& path, std::string_view text, int exit_code) {
  absl::StatusOr<std::unique_ptr<replaylog::OutputFile>> file = replaylog::OutputFile::Create(path);
  absl::Status status = file.status();
  if (status.ok()) status = (*file)->Finish((*file)->Write(text));
  if (status.ok()) {
    Say(absl::StrCat("report: ", path));
    return exit_code;
  }
  Say(std::string(status.message()));
  return ToInt(ExitCode::kInternal);
}

int PublishVerdict(const RunOptions& options, const Verdict& verdict, std::chrono::nanoseconds time,
                   int exit_code) {
  if (!options.report_path.empty()) {
    std::string page = verdict.page;
    if (page.empty()) {
      page = conformance::HtmlPage(
          absl::StrCat("Isochron: ", verdict.title),
          absl::StrCat("<h1>", Escape(verdict.title), "</h1>\n",
                       conformance::HtmlListing(verdict.details), "<h2>To come back to it</h2>\n",
                       conformance::HtmlRows(verdict.origin)));
    }
    exit_code = WriteReport(options.report_path, page, exit_code);
  }
  if (!options.junit_path.empty()) {
    conformance::JunitCase test;
    test.suite = verdict.suite;
    test.name = verdict.name;
    test.time = time;
    test.failure = verdict.failure;
    test.details = verdict.details;
    test.properties = verdict.origin;
    exit_code = WriteReport(options.junit_path, conformance::JunitXml(test), exit_code);
  }
  return exit_code;
}

int WriteRunReport(const RunOptions& options, const machine::RunEnd& end, int exit_code,
                   const Guest& guest, std::string_view log) {
  if (options.report_path.empty()) return exit_code;
  return WriteReport(options.report_path, RunPage(end, exit_code, guest, log), exit_code);
}

}  // namespace isochron::cli
