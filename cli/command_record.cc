#include "cli/command_record.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "cli/exit_code.h"
#include "cli/guest.h"
#include "cli/log_output.h"
#include "machine/machine.h"

namespace isochron::cli {

void AddRecordCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* record = app.add_subcommand("record", "Run a guest and write its replay log");
  struct Arguments {
    RunOptions options;
    std::string log_path;
  };
  auto arguments = std::make_shared<Arguments>();
  RunOptions& options = arguments->options;
  record->add_option("-o,--output", arguments->log_path, "the log to write; - is standard output")
      ->type_name("LOG")->required();
  AddMachineOptions(*record, options);
  AddIntervalOptions(*record, options);
  AddEngineOption(*record, options);
  AddControlOptions(*record, options);
  AddConsoleOptions(*record, options);
  record->footer("At a terminal, Ctrl-A x quits and Ctrl-A h helps.\n\n" + ExitCodeHelp());
  record->callback([arguments, &command] {
    command = [arguments] { return RecordGuest(arguments->options, arguments->log_path); };
  });
}

int RecordGuest(const RunOptions& options, const std::string& log_path) {
  absl::StatusOr<Guest> guest = PrepareGuest(options);
  if (!guest.ok()) return RefuseInput(guest.status());
  absl::StatusOr<std::unique_ptr<LogOutput>> log = LogOutput::Create(log_path, options, *guest);
  if (!log.ok()) return RefuseInput(log.status());
  guest->machine->SetObserver(&(*log)->recorder());
  absl::StatusOr<machine::RunEnd> end = guest->session->Run(*guest->machine);
  guest->machine->SetObserver(nullptr);
  if (!end.ok()) return RefuseInput(end.status());
  return (*log)->Finish(*end, guest->session->Report(*end, *guest->machine));
}

}  // namespace isochron::cli
