// A recording as gdb sees it.

#ifndef ISOCHRON_DEBUG_GDB_TIMELINE_DEBUGGEE_H_
#define ISOCHRON_DEBUG_GDB_TIMELINE_DEBUGGEE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "debug/flow_stepper.h"
#include "debug/gdb/debuggee.h"
#include "debug/gdb/monitor.h"
#include "machine/stop_condition.h"
#include "timeline/timeline.h"

namespace isochron::debug {

// A machine on a timeline: one that can go anywhere in its recording and cannot be changed, or one
// that is being run, and can be changed where it has come farthest.
//
// Addresses are virtual, as the current process has them (FindPlace()); in PALmode those of RAM are
// physical, and the PC is shown without the bits 1:0 of Cpu::pc. So PALcode can be disassembled,
// and a breakpoint at an address of RAM is one in PALmode, too. R4 to R7 and R20 to R23 are the
// shadow registers while PALcode runs with them.
class TimelineDebuggee final : public Debuggee {
 public:
  // `timeline` and `symbols` must outlive it.
  TimelineDebuggee(timeline::Timeline& timeline, const Symbols& symbols)
      : timeline_(timeline), monitor_(timeline, symbols) {}

  // What went wrong with the recording the first time that something did; OK: nothing. Aborted
  // where a run has left its log.
  const absl::Status& failure() const { return failure_; }

  int cpus() const override { return timeline_.machine().cpu_count(); }
  std::optional<uint64_t> ReadRegister(int cpu, int number) override;
  std::string ReadMemory(int cpu, uint64_t address, uint64_t size) override;
  absl::Status WriteRegister(int cpu, int number, uint64_t value) override;
  absl::Status WriteMemory(int cpu, uint64_t address, std::string_view bytes) override;
  absl::Status Insert(const Stoppoint& stoppoint) override;
  absl::Status Remove(const Stoppoint& stoppoint) override;
  StopReport Go(const Resume& resume, const std::function<bool()>& interrupted) override;
  bool ends_when_killed() const override { return timeline_.is_live(); }
  StopReport Restart(const std::function<bool()>& interrupted) override;
  std::string Monitor(int cpu, std::string_view command,
                      const std::function<bool()>& interrupted) override;

  // What `monitor branch` makes the run live with.
  void SetBrancher(MonitorCommands::Brancher brancher) {
    monitor_.SetBrancher(std::move(brancher));
  }

 private:
  absl::Status CheckWritable() const;
  // Has the machine take a write.
  absl::Status Inject(machine::Input write);
  // What the stoppoints ask for.
  machine::StopCondition Condition() const;
  FlowStepper Stepper(int cpu, const std::function<bool()>& interrupted);
  absl::StatusOr<StepEnd> Continue(const Resume& resume, const std::function<bool()>& interrupted);
  // The instruction at the PC of a CPU, which gdb must know to step. Where its page is not there
  // yet, it is the one that will be.
  std::optional<uint32_t> InstructionHere(int cpu);
  // gdb does not ask for steps forward on Alpha: it puts a breakpoint to where it thinks that the
  // instruction leads, and continues. If it may have done that: that breakpoint.
  const Stoppoint* GuessedStep(int cpu);
  // Steps as gdb may have meant it with that breakpoint. Nothing: that was no step, go on.
  absl::StatusOr<std::optional<StepEnd>> StepTo(const Stoppoint& guess, int cpu,
                                                FlowStepper& stepper);
  absl::StatusOr<StepEnd> Step(const Resume& resume, const std::function<bool()>& interrupted);
  StopReport Report(int cpu, const absl::StatusOr<StepEnd>& end);
  // Which stoppoint was met, by the reference or at the PC.
  void ReportMet(const StepEnd& end, StopReport& report);

  timeline::Timeline& timeline_;
  MonitorCommands monitor_;
  std::vector<Stoppoint> stoppoints_;
  // What was found ahead, of a CPU at this moment, when so much was known of the run.
  struct Ahead {
    int cpu;
    uint64_t moment;
    uint64_t known_to;
    std::optional<uint32_t> instruction;
  };
  std::optional<Ahead> ahead_;
  absl::Status failure_;
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_GDB_TIMELINE_DEBUGGEE_H_
