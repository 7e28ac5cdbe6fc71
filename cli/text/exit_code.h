// The program's exit codes: the one table that help, docs and tests are held against.

#ifndef ISOCHRON_CLI_TEXT_EXIT_CODE_H_
#define ISOCHRON_CLI_TEXT_EXIT_CODE_H_

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "machine/events/run_end.h"

namespace isochron::cli {

enum class ExitCode : int {
  kOk = 0,
  kInternal = 1,
  kUsage = 2,
  kDifference = 3,
  kFatal = 4,
  kLimit = 5,
  kReset = 6,
  kSignalBase = 128,  // plus the signal's number
};

struct ExitCodeRow {
  ExitCode code;
  std::string_view name;
  std::string_view meaning;
};

inline constexpr std::array<ExitCodeRow, 8> kExitCodes = {{
    {ExitCode::kOk, "ok",
     "the guest powered off or halted, or was stopped as asked; replay or comparison equal"},
    {ExitCode::kInternal, "internal", "a fault of isochron itself, or the host failed it"},
    {ExitCode::kUsage, "usage", "usage error or bad input file; nothing was started"},
    {ExitCode::kDifference, "difference",
     "replay or comparison found a difference, or a hunt a failure"},
    {ExitCode::kFatal, "fatal", "the guest was stopped by a fatal error, or panicked"},
    {ExitCode::kLimit, "limit",
     "a limit was reached: --max-cycles, --max-log, an expect not met, or the end of machine time"},
    {ExitCode::kReset, "reset", "the guest asked for a reset under --no-reboot"},
    {ExitCode::kSignalBase, "signal", "ended by signal N (141: standard output closed)"},
}};

constexpr int ToInt(ExitCode code) { return static_cast<int>(code); }

// The exit code that a run's end stands for.
int ExitCodeOf(const machine::RunEnd& end);

// A row's code as people read it: "0", "128+N".
std::string ExitCodeText(const ExitCodeRow& row);

// The table as text, a line a code, for --help: those of its rows whose codes a command can give.
std::string ExitCodeHelp(const std::vector<ExitCode>& codes);
// The same, all of it.
std::string ExitCodeHelp();

// The codes of commands that run a guest: all but that of a difference.
std::vector<ExitCode> ExitCodesOfRuns();
// Those of commands that read files and write standard output.
std::vector<ExitCode> ExitCodesOfReaders();
// Those of commands that do so while they run a log's guest again.
std::vector<ExitCode> ExitCodesOfLookers();

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_TEXT_EXIT_CODE_H_
