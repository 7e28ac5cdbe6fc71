// What gdb's `monitor` takes beyond what gdb knows itself.

#ifndef ISOCHRON_DEBUG_GDB_MONITOR_H_
#define ISOCHRON_DEBUG_GDB_MONITOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "alpha/stop_ranges.h"
#include "debug/stops.h"
#include "debug/symbols.h"
#include "timeline/timeline.h"

namespace isochron::debug {

// Commands of lines such as "goto cycle 1000"; "help" lists them. Some of them look, some go
// elsewhere, some say how it is to go on.
class MonitorCommands {
 public:
  // `timeline` and `symbols` must outlive it.
  MonitorCommands(timeline::Timeline& timeline, const Symbols& symbols)
      : timeline_(timeline), symbols_(symbols), stops_(timeline) {}

  // What the command answers, in lines, about `cpu` where it is about one; an error is what was
  // wrong. Aborted and DataLoss are the recording's.
  absl::StatusOr<std::string> Run(int cpu, std::string_view line);

  // Begins a new log at a path and has the timeline, a recording's, go on by itself there. The
  // error of `branch` while there is none.
  using Brancher = std::function<absl::Status(const std::string& path)>;
  void SetBrancher(Brancher brancher) { brancher_ = std::move(brancher); }

  // What they have set: whether steps are of one instruction each, whatever it is of; and ranges of
  // physical memory that are watched.
  bool exact_steps() const { return exact_steps_; }
  const std::vector<alpha::StopRange>& watches() const { return watches_; }
  Stops& stops() { return stops_; }

  // Where it stands, in a line, and of several CPUs in a line for each.
  std::string When() const;
  const Symbols& symbols() const { return symbols_; }

 private:
  using Words = std::vector<std::string>;
  using Answer = absl::StatusOr<std::string>;
  struct Command {
    std::string_view name;
    std::string_view arguments;
    std::string_view help;
    Answer (MonitorCommands::*run)(const Words& words);
  };
  static const Command kCommands[];

  Answer Help(const Words& words);
  Answer GoTo(const Words& words);
  Answer TellWhen(const Words& words);
  Answer Iprs(const Words& words);
  Answer Tlbs(const Words& words);
  Answer Physical(const Words& words);
  Answer Translate(const Words& words);
  Answer Console(const Words& words);
  Answer Events(const Words& words);
  Answer Checkpoint(const Words& words);
  Answer RestoreCheckpoint(const Words& words);
  Answer Watch(const Words& words);
  Answer Unwatch(const Words& words);
  Answer StopAt(const Words& words);
  Answer ListStops(const Words& words);
  Answer StepHow(const Words& words);
  Answer Stats(const Words& words);
  Answer Branch(const Words& words);

  // The answer of a command that has gone somewhere.
  Answer Arrived(const absl::StatusOr<timeline::Arrival>& arrival);
  // "cycle TIME cpu N" and the like.
  Answer GoToPlaceOf(const Words& words);
  bool several() const { return timeline_.machine().cpu_count() != 1; }
  const alpha::Cpu& cpu() const { return timeline_.machine().cpu(cpu_); }
  // Of several CPUs, in front of what is about one of them.
  std::string CpuHeading() const { return several() ? absl::StrCat("CPU ", cpu_, "\n") : ""; }
  // What a CPU executes next.
  std::string PcText(const alpha::Cpu& cpu) const;
  // A number or a symbol.
  absl::StatusOr<uint64_t> Address(const std::string& word) const;

  timeline::Timeline& timeline_;
  const Symbols& symbols_;
  Brancher brancher_;
  bool exact_steps_ = false;
  std::vector<alpha::StopRange> watches_;
  Stops stops_;
  std::string_view rest_;  // of the line of the command that is run, behind its name
  int cpu_ = 0;            // that it is about
  std::map<uint64_t, timeline::Position> checkpoints_;  // by number
  uint64_t next_checkpoint_ = 1;
};

// "write of 8 bytes at virtual 0x..., physical 0x..., by 0x... main+0x8".
std::string DescribeReference(const alpha::MemoryReference& reference, const Symbols& symbols);

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_GDB_MONITOR_H_
