// A recording as a place to be in: where a machine stands in it, and how it gets elsewhere.

#ifndef ISOCHRON_TIMELINE_TIMELINE_H_
#define ISOCHRON_TIMELINE_TIMELINE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "alpha/stop_ranges.h"
#include "machine/bus/console.h"
#include "machine/bus/frame_sink.h"
#include "machine/events/run_end.h"
#include "machine/machine.h"
#include "machine/stop_condition.h"
#include "replaylog/event.h"
#include "replaylog/log_reader.h"
#include "timeline/memory_snapshots.h"
#include "timeline/observer_list.h"
#include "timeline/replayer.h"
#include "timeline/run_history.h"
#include "timeline/snapshot.h"
#include "timeline/stop_selector.h"

namespace isochron::timeline {

// A boundary of a run.
struct Position {
  uint64_t cycle = 0;         // machine time
  uint64_t instructions = 0;  // retired since power-on, by all CPUs
  uint64_t event = 0;         // number of the first event of the log that is still to come
  uint64_t moment = 0;        // Machine::moment(): no two boundaries have the same

  friend bool operator==(const Position&, const Position&) = default;
};

// Why a Timeline stands where it stands.
enum class Arrival : uint8_t {
  kThere,        // where it was told to go
  kBegin,        // going back it came to power-on
  kEnd,          // going forward it came to where the log ends
  kInterrupted,  // somebody lost patience: somewhere on the way
};

// A machine that can be put to any boundary of the run that a log holds, forwards and backwards; or
// one that is being run, which goes back in what it has done so far, and forward to where it has
// never been.
//
// Whatever is run again is held against the log, event by event, as in any replay: an error of a
// function that goes somewhere is Aborted where the run leaves its log (see divergence()), DataLoss
// where the log or the snapshots cannot be read. The machine stands somewhere then, and may be sent
// elsewhere. Looking at the machine changes nothing; nobody else may run it.
//
// Snapshots of the run are kept in memory, and thinned so that they stay within a number of bytes;
// those of a file beside the log are used, too.
class Timeline {
 public:
  static constexpr int kAnyCpu = -1;
  // Where so many instructions have retired, by all CPUs or by one of them.
  static machine::StopCondition AtRetired(int cpu, uint64_t instructions);

  struct Options {
    // For snapshots in memory, in bytes. At least the one of power-on and a few others are kept.
    uint64_t snapshot_bytes = uint64_t{1} << 30;
    // Distance between snapshots where there is room for all, in cycles; with a clock of the host
    // (which this library does not ask by itself) as far as a run comes in so much time. How long
    // it takes to come there again is not told by cycles: idle ones cost nothing, those of a boot
    // several times the usual. Where snapshots take long, for many pages have changed, and have
    // done so for a while, it is up to so many times as far, so that a run does not become slow for
    // them.
    uint64_t snapshot_interval = uint64_t{1} << 28;
    absl::Duration snapshot_time = absl::Milliseconds(70);
    int longest_snapshot_times = 4;
    // Of a partial log: up to this cycle, which is where it ends then, nothing happened behind its
    // last event.
    uint64_t known_to = 0;
    std::function<absl::Time()> host_time = nullptr;
  };

  // `machine` stands at power-on and was made from the configuration and the images of `log`,
  // which has been verified. `snapshots` are those of a file, or nullptr. The machine's observer
  // and input source are the timeline's from here on. DataLoss when the log cannot be read.
  static absl::StatusOr<std::unique_ptr<Timeline>> Create(std::unique_ptr<replaylog::LogReader> log,
                                                          std::unique_ptr<SnapshotReader> snapshots,
                                                          std::unique_ptr<machine::Machine> machine,
                                                          const Options& options);
  // Of a machine that is being run, which stands at power-on and must outlive it. Observer, input
  // source, console and frame sink, which must, too, are told and asked as in any run, and of
  // nothing else: while the machine is in its past, where it has been before, it follows a history
  // that is kept in memory, as a replay follows a log. Where it has come farthest it goes on as if
  // it had never been elsewhere. `header`: of the log that it has, or would have. To go back is
  // FailedPrecondition when the history is too large.
  static std::unique_ptr<Timeline> CreateLive(machine::Machine& machine,
                                              replaylog::LogHeader header, const Options& options);
  ~Timeline();
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  const machine::Machine& machine() const { return machine_; }
  // Whether it is a run that is being made, and no recording of one.
  bool is_live() const { return live_; }
  // Whether it is such a run and stands where it has been before.
  bool in_past() const { return present_.has_value(); }
  // Up to this cycle all is known that happens; behind it a live run is made.
  uint64_t known_to() const;
  uint64_t known_to_moment() const;
  // Of the cycles that a live run's machine has been idle, those that it was in the past: its input
  // source is told of the others alone.
  uint64_t idle_elsewhere() const { return present_inputs_.idle_elsewhere; }
  // Whether there is a way back; FailedPrecondition says why not.
  absl::Status CheckHistory() const;
  // To where the run has come farthest, if it is live and in its past.
  absl::StatusOr<Arrival> GoToPresent();
  // Hands out what the log has up to where it stands, in order, of output that is under way what
  // has been sent. FailedPrecondition when this is live.
  absl::Status ReadPast(const std::function<void(const replaylog::Event&)>& take);
  // Has the run go on by itself from where it stands: what comes is no longer the log's, but what
  // `observer` records of the inputs that `inputs` gives. Both must outlive the timeline.
  // FailedPrecondition when it is live already, or stands at the end of the recording.
  absl::Status Branch(machine::InputSource* inputs, machine::Observer* observer);
  // Has happen here what a debugger does: see Machine::Inject(). The end, when it is one.
  // FailedPrecondition when this is not live, is in its past, or has ended.
  absl::StatusOr<std::optional<machine::RunEnd>> Inject(machine::Input input);
  // Where it stands.
  Position position() {
    return {machine_.now(), machine_.Instructions(), PlaceHere().event, machine_.moment()};
  }
  // The last boundary of the run; none until it has been there.
  const std::optional<Position>& end() const { return end_; }
  // How the run ended, if it stands at its end. A partial log ends with a stop that nobody asked
  // for.
  const std::optional<machine::RunEnd>& run_end() const { return run_end_; }
  const replaylog::LogHeader& header() const { return header_; }
  // Where the run left its log, after an Aborted.
  const std::optional<Divergence>& divergence() const { return divergence_; }
  const MemorySnapshots& memory_snapshots() const { return snapshots_; }
  // Of a live run; nullptr of a recording.
  const RunHistory* history() const { return history_.has_value() ? &*history_ : nullptr; }

  // Told of bytes that a UART sends while the machine runs, which may be again and again.
  // Of a live run the sink is told of each byte once, when it is sent for the first time.
  void SetConsoleSink(machine::ConsoleSink* sink);
  // Told of all that is executed from where it stands on, as machine::Machine has it.
  void SetExecutionSink(alpha::ExecutionSink* sink) { machine_.SetExecutionSink(sink); }
  // Asked now and then while it runs; true: stop, with kInterrupted.
  void SetInterrupt(std::function<bool()> interrupt) { interrupt_ = std::move(interrupt); }
  // To a boundary from which somebody has gone elsewhere on the way; nobody is asked whether to
  // interrupt that.
  absl::Status ComeBack(uint64_t moment);

  // The event with this number of the log, or of what a live run has done. OutOfRange when there is
  // none.
  absl::StatusOr<replaylog::Event> ReadEvent(uint64_t number);

  // All events of the log, in order, or those from this number on, until `take`, which may keep
  // what it is given, says false. Of a live run those that there have been.
  absl::Status ReadEvents(const std::function<bool(replaylog::Event&)>& take) {
    return ReadEventsFrom(0, take);
  }
  absl::Status ReadEventsFrom(uint64_t number, const std::function<bool(replaylog::Event&)>& take);

  // To the first boundary at or past the cycle, of several CPUs between rounds; at which so many
  // instructions have retired, by all CPUs or by one of them; or, to go to where somebody has been,
  // at or past the moment.
  absl::StatusOr<Arrival> GoToCycle(uint64_t cycle);
  absl::StatusOr<Arrival> GoToInstruction(uint64_t instructions, int cpu = kAnyCpu);
  absl::StatusOr<Arrival> GoToMoment(uint64_t moment);
  // To the boundary at which one of several CPUs executes next, from that cycle of its own on.
  absl::StatusOr<Arrival> GoToCycleOf(int cpu, uint64_t cycle);
  // To the next boundary between rounds at which a debugger may write, or this one.
  absl::StatusOr<Arrival> GoToRoundEnd();
  // To the first boundary at which all of the event with this number of the log has happened.
  absl::StatusOr<Arrival> GoToEvent(uint64_t number);
  absl::StatusOr<Arrival> GoToEnd() { return RunForward({}); }

  // To the next boundary at which the condition is met, or one that `also` selects. Where a run is
  // being made that is the boundary at which it does so.
  absl::StatusOr<Arrival> RunForward(const machine::StopCondition& condition);
  absl::StatusOr<Arrival> RunForward(const machine::StopCondition& condition, StopSelector& also);
  // To the last boundary before this one at which the condition, which is of PCs, references or
  // events, is met. Of a reference it is the boundary before the instruction that makes it.
  absl::StatusOr<Arrival> RunBackward(const machine::StopCondition& condition);
  absl::StatusOr<Arrival> RunBackward(const machine::StopCondition& condition, StopSelector& also);
  // What `also` selected where the last of these runs has stopped for it.
  const std::optional<Selection>& selection() const { return selection_; }
  // What the last RunForward() has met of its condition.
  const machine::StopReasons& met() const { return met_; }
  // The reference for which the last RunForward() or RunBackward() has stopped, which the last
  // instruction of the run may have made, too.
  const std::optional<alpha::MemoryReference>& reference() const { return reference_; }

  // Forward by so many instructions, or back: to boundaries at which another instruction has just
  // retired. (Behind an interrupt's entry, and while the CPU waits, there are boundaries of the
  // same number of instructions. From one of those the first step back leads to the first of them.)
  // Of one of several CPUs it is its instructions that count.
  absl::StatusOr<Arrival> StepForward(uint64_t instructions = 1, int cpu = kAnyCpu);
  absl::StatusOr<Arrival> StepBackward(uint64_t instructions = 1, int cpu = kAnyCpu);

 private:
  // How far a run goes until it is asked whether to be interrupted, in cycles: some tens of
  // milliseconds of host time.
  static constexpr uint64_t kSlice = uint64_t{1} << 24;

  // A boundary at which a condition was met, or that was selected.
  struct Hit {
    Selection where;
    uint64_t instructions;  // at the boundary at which it was found
    bool selected;
  };
  // A search backwards.
  struct Search {
    const machine::StopCondition& condition;
    StopSelector* also;
    uint64_t here;  // the moment from which it goes back
  };

  Timeline(std::unique_ptr<replaylog::LogReader> log,
           std::unique_ptr<SnapshotReader> file_snapshots,
           std::unique_ptr<machine::Machine> machine, const Options& options);
  Timeline(machine::Machine& machine, replaylog::LogHeader header, const Options& options);

  // Instructions that all CPUs have retired, or one.
  uint64_t Retired(int cpu) const {
    return cpu == kAnyCpu ? machine_.Instructions() : machine_.cpu(cpu).instructions;
  }
  // Whether it is this boundary that GoToCycle() leads to.
  bool StandsAtCycle(uint64_t cycle) const;
  // Whether all CPUs stand still.
  bool AllWait() const;
  // Goes somewhere as `go` does; nobody is asked whether to interrupt that.
  absl::StatusOr<Arrival> Undisturbed(const std::function<absl::StatusOr<Arrival>()>& go);
  // Has observer and history told of what the machine does from here on.
  void GoLive(machine::InputSource* inputs, machine::Observer* observer);
  // Notes where the live run stands, which it is about to leave, unless it is in its past already.
  absl::Status LeavePresent();
  absl::Status ReturnToPresent();
  // Has the live run's source asked, if there is one.
  void AskSource() {
    machine_.SetInputSource(present_inputs_.source != nullptr ? &present_inputs_ : nullptr);
  }
  // Cycles that the machine has been idle, wherever it was.
  uint64_t IdleCycles() const {
    return machine_.wait_cycles() + machine_.engine().stats().spin_cycles_skipped;
  }
  // Where the machine is in its log or history.
  Replayer::Place PlaceHere();
  // Follows the log, or the history, from that place on, of a boundary of that cycle.
  absl::Status Follow(const Replayer::Place& place, uint64_t cycle);
  // Follows the log from that place on.
  absl::Status FollowLog(const Replayer::Place& place);
  void Attach(Replayer& replayer);
  // The same after the log has been read elsewhere, unless the run has left it.
  absl::Status GoOnFrom(const Replayer::Place& place);
  // Lets snapshots go that no way leads back to.
  void DropUseless();
  // Takes a snapshot if one is due. The moment at which the next one is.
  uint64_t TakeDueSnapshot();
  // Runs until the condition is met, and takes snapshots on the way.
  absl::StatusOr<Arrival> RunOn(const machine::StopCondition& condition);
  // The same with snapshots close to where it is to arrive: for who will go on from there
  // backwards. `left`: how far it is, in what the condition counts; `at`: the condition for a place
  // so far before it.
  absl::StatusOr<Arrival> Approach(uint64_t left,
                                   const std::function<machine::StopCondition(uint64_t)>& at);
  absl::StatusOr<Arrival> Ended(machine::RunEnd end);
  // A snapshot to begin at: in memory, unless one in the file is much closer.
  struct Start {
    const MemorySnapshots::Snapshot* in_memory = nullptr;
    const SnapshotInfo* in_file = nullptr;
    uint64_t moment = 0;  // of that of the file, at most
  };
  Start BestStart(const MemorySnapshots::Snapshot* in_memory, uint64_t file_cycle) const;
  Start StartForMoment(uint64_t moment) const {
    return BestStart(snapshots_.FindAtOrBefore(moment), moment / per_cycle_);
  }
  Start StartForCycle(uint64_t cycle) const;
  // Puts the machine there, or to the next best where that of the file is of no use.
  absl::Status StartFrom(const std::function<Start()>& find);
  // Puts the machine to the best snapshot at or before the moment.
  absl::Status StartAtOrBefore(uint64_t moment) {
    return StartFrom([this, moment] { return StartForMoment(moment); });
  }
  // The same unless the machine is on its way (`ahead`) and as good as there.
  absl::Status StartOrStay(bool ahead, const std::function<Start()>& find);
  // Has one of several CPUs be where it had retired fewer instructions, close before the place.
  absl::StatusOr<Arrival> StartBeforeInstruction(uint64_t instructions, int cpu);
  absl::Status Restore(const MemorySnapshots::Snapshot& snapshot);
  // False when it does not belong to the log.
  absl::StatusOr<bool> RestoreFromFile(const SnapshotInfo& snapshot);
  // The last of the file's that can be used, as far as is known; nullptr when there is none.
  const SnapshotInfo* FileSnapshot(uint64_t cycle) const;
  // Of those of the file that lie between these cycles and can be used, the one in the middle;
  // nullptr when there is none.
  const SnapshotInfo* FileSnapshotBetween(uint64_t low, uint64_t high) const;
  // A cycle at which fewer than so many instructions had retired, close before the place.
  absl::StatusOr<uint64_t> CycleBeforeInstruction(uint64_t instructions);
  // Of several CPUs: to where an event has happened whose cycle that is.
  absl::StatusOr<Arrival> GoBehindEvent(uint64_t number, uint64_t cycle);
  // Runs to the first boundary at or past the moment `end`. The last hit of the search.
  absl::StatusOr<std::optional<Hit>> LastHit(const Search& search, uint64_t end, bool& interrupted);
  // All hits at this boundary, at which a run has stopped.
  absl::StatusOr<std::vector<Hit>> HitsHere(const machine::StopCondition& condition,
                                            StopSelector* also);
  absl::StatusOr<Arrival> Forward(const machine::StopCondition& condition, StopSelector* also);
  absl::StatusOr<Arrival> Backward(const Search& search);
  // Makes the first of what was selected behind `begin` the selection; several of one boundary are
  // one.
  void SelectFirst(const std::vector<Hit>& hits, uint64_t begin);
  absl::StatusOr<Arrival> GoToHit(const Hit& hit);
  absl::Time HostTime() const { return options_.host_time ? options_.host_time() : absl::Time(); }
  // To the last boundary before `moment`, at which so many instructions have retired, `executed`:
  // to where the last of them is executed next.
  absl::StatusOr<Arrival> GoToBoundaryBefore(uint64_t moment, uint64_t instructions, bool executed);

  const std::unique_ptr<replaylog::LogReader> log_;  // nullptr of a machine that is being run
  const std::unique_ptr<SnapshotReader> file_snapshots_;
  std::vector<bool>
      unusable_;  // which of them have been found not to belong to the log, or damaged
  const std::unique_ptr<machine::Machine> owned_;  // nullptr of a machine that is being run
  machine::Machine& machine_;
  const replaylog::LogHeader header_;
  const uint64_t per_cycle_;  // MomentsPerCycle()
  const Options options_;
  MemorySnapshots snapshots_;
  // Of a live run: all that has happened, who else is told of what happens, and who is asked.
  bool live_ = false;
  std::optional<RunHistory> history_;
  std::unique_ptr<replaylog::SeekableSource> past_events_;
  ObserverList observers_;
  machine::Observer* observer_ = nullptr;
  // Asks the source of a live run.
  struct PresentInputs final : machine::InputSource {
    void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
      source->Poll(Point(point), inputs);
    }
    uint64_t NextStop(uint64_t cycle, uint64_t until) override {
      return source->NextStop(cycle, until);
    }
    std::optional<machine::Input> TakeStop(const machine::InputPoint& point,
                                           Occasion occasion) override {
      return source->TakeStop(Point(point), occasion);
    }
    std::optional<machine::Input> TakeDebugged(const machine::InputPoint& point) override {
      return source->TakeDebugged(Point(point));
    }
    machine::InputPoint Point(machine::InputPoint point) const {
      point.idle_cycles -= idle_elsewhere;
      return point;
    }
    machine::InputSource* source = nullptr;
    uint64_t idle_elsewhere = 0;
  };
  PresentInputs present_inputs_;
  // Where it has come farthest, while it is elsewhere.
  struct Present {
    uint64_t Retired(int cpu) const {
      return cpu == kAnyCpu ? at.instructions : cpu_instructions[static_cast<size_t>(cpu)];
    }
    Position at;
    std::vector<uint64_t> cpu_instructions;
    machine::ConsoleSink* console = nullptr;
    machine::FrameSink* frames = nullptr;
    std::optional<machine::RunEnd> run_end;
    absl::Status left;
    uint64_t idle = 0;  // cycles
  };
  std::optional<Present> present_;
  // The last snapshot before the machine, and for how long it has run since.
  uint64_t passed_snapshot_ = 0;
  absl::Duration ran_since_;
  absl::Duration snapshot_cost_;        // of the last one that was taken while it ran
  absl::Duration snapshots_overspent_;  // what they took more than their share of the time
  std::optional<Replayer> replayer_;
  // Not OK once the run that the machine is in has left the log, or could not be set up.
  absl::Status left_log_;
  absl::Status lost_;  // not OK: the present of a live run could not be put back
  std::optional<Divergence> divergence_;
  std::optional<Position> end_;
  std::optional<machine::RunEnd> run_end_;  // it stands at the end
  std::optional<alpha::MemoryReference> reference_;
  std::optional<Selection> selection_;
  machine::StopReasons met_;
  // The first boundary at which so many instructions had retired, by a CPU or by all, of the last
  // that were counted.
  struct FirstBoundary {
    int cpu;
    uint64_t instructions;
    uint64_t moment;
  };
  std::optional<FirstBoundary> first_boundary_;
  // Of each checkpoint of the log, in order; read when needed, as far as there is more of it.
  struct Milestone {
    uint64_t instructions;
    uint64_t cycle;
  };
  std::vector<Milestone> milestones_ = {{0, 0}};
  uint64_t milestones_to_ = 0;  // the number of the first event that has not been looked at
  std::function<bool()> interrupt_;
};

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_TIMELINE_H_
