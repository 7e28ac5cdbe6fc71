// Reports that go to files.

#ifndef ISOCHRON_CLI_RUN_REPORT_FILE_H_
#define ISOCHRON_CLI_RUN_REPORT_FILE_H_

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "cli/run/guest.h"
#include "cli/run/run_options.h"
#include "conformance/compare/report_page.h"
#include "machine/machine.h"

namespace isochron::cli {

// What it takes to come back to a run of this guest: command line, program, images with digests,
// PALcode, machine.
std::vector<conformance::ReportRow> OriginRows(const Guest& guest);

// How the run ended, after a fatal stop with its place and all registers, as a page. `log`: the
// identity of its log; empty when it has none.
std::string RunPage(const machine::RunEnd& end, int exit_code, const Guest& guest,
                    std::string_view log);

// Writes a report whole and says so on standard error. Returns `exit_code`, or after an error,
// which it says, that of a failure.
int WriteReport(const std::string& path, std::string_view text, int exit_code);

// What a comparison or a replay came to, for --report and --junit.
struct Verdict {
  std::string suite;                           // "isochron conform"
  std::string name;                            // what was compared
  std::string title;                           // "Engines ref and jit agree"
  std::string failure;                         // in a line; empty when all is well
  std::string details;                         // lines of text
  std::string page;                            // HTML; empty: one of the title and the details
  std::vector<conformance::ReportRow> origin;  // what it takes to come back to it
};
// Writes it where both options say, if they were given. Returns `exit_code`, or that of a failure
// to write.
int PublishVerdict(const RunOptions& options, const Verdict& verdict, std::chrono::nanoseconds time,
                   int exit_code);

// Writes RunPage() where --report says, if it was given.
int WriteRunReport(const RunOptions& options, const machine::RunEnd& end, int exit_code,
                   const Guest& guest, std::string_view log);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_REPORT_FILE_H_
