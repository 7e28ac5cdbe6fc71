#include "cli/text/exit_code.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace isochron::cli {

int ExitCodeOf(const machine::RunEnd& end) {
  switch (end.kind) {
    case machine::RunEnd::Kind::kPowerOff: return ToInt(ExitCode::kOk);
    case machine::RunEnd::Kind::kReset: return ToInt(ExitCode::kReset);
    case machine::RunEnd::Kind::kFatal: return ToInt(ExitCode::kFatal);
    case machine::RunEnd::Kind::kObserver: return ToInt(ExitCode::kInternal);
    case machine::RunEnd::Kind::kEndOfTime: return ToInt(ExitCode::kLimit);
    case machine::RunEnd::Kind::kStopped: break;
  }
  switch (end.stop.cause) {
    case machine::StopCause::kQuit: return ToInt(ExitCode::kOk);
    case machine::StopCause::kSignal:
      return ToInt(ExitCode::kSignalBase) + static_cast<int>(end.stop.detail);
    case machine::StopCause::kCycleLimit:
    case machine::StopCause::kExpectFailed:
    case machine::StopCause::kLogLimit: return ToInt(ExitCode::kLimit);
    case machine::StopCause::kPanic: return ToInt(ExitCode::kFatal);
  }
  return ToInt(ExitCode::kInternal);
}

std::string ExitCodeText(const ExitCodeRow& row) {
  return absl::StrCat(ToInt(row.code), row.code == ExitCode::kSignalBase ? "+N" : "");
}

std::string ExitCodeHelp(const std::vector<ExitCode>& codes) {
  std::string text = "Exit codes:\n";
  for (const ExitCodeRow& row : kExitCodes) {
    if (std::find(codes.begin(), codes.end(), row.code) == codes.end()) continue;
    absl::StrAppendFormat(&text, "  %5s  %s\n", ExitCodeText(row), std::string(row.meaning));
  }
  return text;
}

std::string ExitCodeHelp() {
  std::vector<ExitCode> all;
  for (const ExitCodeRow& row : kExitCodes) all.push_back(row.code);
  return ExitCodeHelp(all);
}

std::vector<ExitCode> ExitCodesOfRuns() {
  return {ExitCode::kOk,    ExitCode::kInternal, ExitCode::kUsage,     ExitCode::kFatal,
          ExitCode::kLimit, ExitCode::kReset,    ExitCode::kSignalBase};
}

std::vector<ExitCode> ExitCodesOfReaders() {
  return {ExitCode::kOk, ExitCode::kInternal, ExitCode::kUsage, ExitCode::kSignalBase};
}

std::vector<ExitCode> ExitCodesOfLookers() {
  return {ExitCode::kOk, ExitCode::kInternal, ExitCode::kUsage, ExitCode::kDifference,
          ExitCode::kSignalBase};
}

}  // namespace isochron::cli
