// A whole computer: CPUs, memory, board and the sequencer that runs them.

#ifndef ISOCHRON_MACHINE_MACHINE_H_
#define ISOCHRON_MACHINE_MACHINE_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "alpha/cpu.h"
#include "alpha/engine.h"
#include "alpha/lock_watch.h"
#include "alpha/memory.h"
#include "machine/board.h"
#include "machine/bus/console.h"
#include "machine/bus/event_queue.h"
#include "machine/bus/frame_sink.h"
#include "machine/disks/disk.h"
#include "machine/disks/disk_contents.h"
#include "machine/events/config.h"
#include "machine/events/digest.h"
#include "machine/events/input.h"
#include "machine/events/observer.h"
#include "machine/events/run_end.h"
#include "machine/firmware/elf_image.h"
#include "machine/host_memory.h"
#include "machine/schedule.h"
#include "machine/stop_condition.h"

namespace isochron::machine {

// Makes the engine that runs all CPUs of a machine on the given memory and I/O space, or says why
// it cannot.
using EngineFactory = std::function<absl::StatusOr<std::unique_ptr<alpha::Engine>>(
    alpha::Memory& memory, alpha::IoBus& io)>;

// What is put into memory at power-on and at every reset, and what is on the disks at power-on.
struct BootImages {
  KernelImage kernel;
  std::string initrd;                                      // empty: none
  std::vector<std::shared_ptr<const DiskContents>> disks;  // as MachineConfig::disks
};

// Who is told of the rounds of several CPUs. It changes nothing.
class TurnSink {
 public:
  virtual ~TurnSink() = default;
  // A round begins: the CPUs are about to run, interrupts have been taken.
  virtual void OnRound() {}
  // Which CPU has its turn, at each boundary at which a schedule other than the fixed one says so:
  // before it runs, also when it had the turn before.
  virtual void OnTurn(const TurnPlaces& /*places*/, uint32_t /*cpu*/) {}
};

// One deterministic computer. Everything in it happens on the thread that calls Run.
//
// The machine holds CPUs, memory, devices, the event queue and the order of everything. What
// it does depends on configuration, images and inputs alone.
class Machine final : private ConsoleSink,
                      private FrameSink,
                      private IrqSink,
                      private alpha::MemoryListener {
 public:
  // Powers the machine on: memory zero, firmware and images loaded, CPU at its reset entry.
  // InvalidArgument when the configuration or the images do not fit, ResourceExhausted when
  // the host has no memory for it.
  static absl::StatusOr<std::unique_ptr<Machine>> Create(const MachineConfig& config,
                                                         BootImages images,
                                                         const EngineFactory& engine);
  ~Machine() override;

  // All must outlive the machine or be replaced by nullptr. Without a source there is no
  // input and a guest that waits for ever runs for ever.
  void SetInputSource(InputSource* source) { input_source_ = source; }
  void SetConsoleSink(ConsoleSink* sink) { console_sink_ = sink; }
  void SetFrameSink(FrameSink* sink) { frame_sink_ = sink; }
  void SetObserver(Observer* observer) { observer_ = observer; }
  void SetTurnSink(TurnSink* sink) { turn_sink_ = sink; }
  InputSource* input_source() const { return input_source_; }
  ConsoleSink* console_sink() const { return console_sink_; }
  FrameSink* frame_sink() const { return frame_sink_; }
  Observer* observer() const { return observer_; }

  // Who is told of all that the CPUs execute from the boundary on at which the machine stands;
  // nullptr: nobody. It must outlive the machine or be replaced.
  void SetExecutionSink(alpha::ExecutionSink* sink);

  // Runs until the condition is met: nothing then; or until an end, of which the observer is told.
  // A cycle or number of instructions that lies behind is met at once. May be called again to go
  // on, also after kStopped; whether a run is made at once or in pieces makes no difference to it.
  std::optional<RunEnd> RunUntil(const StopCondition& condition);
  // What the last run has met of its condition, also when it came to an end.
  const StopReasons& stopped_by() const { return stopped_by_; }
  // Of a part of that condition.
  StopReasons MetOf(const StopCondition& part) const {
    return StopWatch::Part(part, stopped_by_, PlaceHere());
  }
  // Runs until an end.
  RunEnd Run() { return *RunUntil({}); }

  // While the machine stands between runs: what a debugger does at this boundary, a write, which is
  // done, or a stop, which ends the run here: the end. The observer is told of it as of any input.
  // Whatever is derived from what is written is as after a store, and a write to memory takes locks
  // away as a device's does.
  std::optional<RunEnd> Inject(Input input);

  // From any thread: has the run ask its input source for a stop at a boundary that comes within a
  // bounded amount of host work.
  void LookForStop() { deadline_.leave.store(true); }

  // All state at a boundary, with what has been written to disks. A machine that is restored must
  // have the same configuration, memory size and images; when the reader reports a fault, discard
  // the machine.
  void VisitState(alpha::StateVisitor& visitor) const;
  void RestoreState(alpha::StateReader& reader);

  // The first part of the walk: all but RAM and what disks hold, in the sections machine, cpu0 (and
  // so on for each CPU), events and one for each device and each disk, which is disk0 and so on.
  void VisitWithoutMemory(alpha::StateVisitor& visitor) const;

  // The parts apart, for snapshots that hold only the pages and blocks that have changed: the first
  // part as bytes; and restoring, for which `fill` writes RAM, puts blocks back (Disk::SetWritten)
  // and returns those bytes. RAM is zero when it is called; with RestoreOver() it is as it was.
  // Disks are as they were. On an error discard the machine.
  std::string SaveWithoutMemory() const;
  using Fill =
      std::function<absl::StatusOr<std::string>(alpha::Memory& memory, std::span<Disk> disks)>;
  absl::Status Restore(const Fill& fill);
  absl::Status RestoreOver(const Fill& fill);

  // The digest of the state at this boundary: of nothing before it.
  Digest StateDigest() const;
  // What StateDigest() knows of each page of RAM; up to date after a call of it.
  const MemoryDigest& memory_digest() const { return memory_digest_; }
  // The same, brought up to date, for who does not want the digest of the state.
  const MemoryDigest& UpdateMemoryDigest() const;

  const MachineConfig& config() const { return config_; }
  int cpu_count() const { return static_cast<int>(processors_.size()); }
  const alpha::Cpu& cpu(int index = 0) const { return processors_[index].cpu; }
  // Machine time: the cycle that the CPU which is farthest has come to. What happens inside a round
  // happens at EventQueue::now(), which is not before the boundary from which the round goes.
  uint64_t now() const {
    uint64_t cycle = 0;
    for (const Processor& processor : processors_) cycle = std::max(cycle, processor.cpu.cycle);
    return cycle;
  }
  // Names a boundary of the run: no two that come one after the other have the same, and the later
  // has the greater. Of one CPU it is the cycle. Of several it is twice the sum of their cycles,
  // and one more inside a round, where that of a boundary between rounds may be the same. (Where
  // each end of a round has a round behind it in which none can run, as when an input makes an
  // event due at once, it names the first.) From cycle 2^60 on it does not grow any more.
  uint64_t moment() const;
  // Who executes next, where that is known: of several CPUs inside a round.
  std::optional<int> next_cpu() const;
  // Instructions that all CPUs have retired.
  uint64_t Instructions() const;
  const alpha::Memory& memory() const { return memory_; }
  // In the order of config().disks.
  std::span<const Disk> disks() const { return disks_; }
  // What the console's NVRAM holds; nothing where there is none.
  std::optional<ConsoleEnvironment> nvram() const {
    const ConsoleDevice* const device = board_.console_device();
    return device != nullptr ? device->nvram() : std::nullopt;
  }
  // Without segments where the console boots from a disk.
  const KernelImage& kernel() const { return images_.kernel; }
  const alpha::Engine& engine() const { return *engine_; }
  // What alpha::TranslationProbe says, for the place where the machine stands. False and empty when
  // the engine does not translate.
  bool TranslateAtMost(uint32_t instructions, int cpu = 0);
  std::string DescribeCode(int cpu = 0) const;
  std::optional<alpha::TranslationStats> translation_stats() const;
  // Host memory that guest RAM takes, in bytes.
  uint64_t touched_bytes() const { return host_memory_.TouchedBytes(); }
  // Whether the machine stands inside a round of several CPUs, where one of them executes next: not
  // where Inject() is to be called.
  bool inside_round() const { return round_.open; }
  // The CPU that executed, or took an interrupt, last; of a machine that has been restored since,
  // CPU 0.
  uint32_t acting_cpu() const { return acting_cpu_; }
  // Whether it is where Inject() may be called: of several CPUs at the first boundary between
  // rounds of a machine time.
  bool takes_injections() const { return !round_.open && (TimeHasPassed() || now() == 0); }
  // The cycle of the last event or access, at most now().
  uint64_t device_time() const { return events_.now(); }
  // Up to which cycle several CPUs all stand still, so that a stop on the way is no boundary
  // between rounds: no part of the state, and to be kept with one that is saved there.
  uint64_t quiet_until() const { return quiet_until_; }
  void SetQuietUntil(uint64_t cycle) { quiet_until_ = cycle; }
  // Whether a CPU stands still now, until an interrupt can be delivered.
  bool waiting(int cpu = 0) const { return processors_[cpu].waiting; }
  // Cycles that the CPUs, or one of them, stood still in WTINT while this machine ran: of a place
  // in a run it depends on how it came there, between two that it ran past on nothing else.
  uint64_t wait_cycles() const;
  uint64_t wait_cycles(int cpu) const { return processors_[cpu].wait_cycles; }

 private:
  Machine(const MachineConfig& config, BootImages images, HostMemory host_memory);

  // Stops the process, in a build that checks digests, when this is not the digest of RAM.
  void CheckMemoryDigest(const Digest& memory) const;

  // Puts the machine to its state at power-on, or after a reset, which leaves memory alone where
  // firmware and images do not lie.
  absl::Status PowerOn();
  void ClearMemory();
  // A CPU and what the sequencer knows about it.
  struct Processor {
    alpha::Cpu cpu;
    bool waiting = false;
    uint64_t wait_cycles = 0;
  };
  // Lets time pass to the next boundary of the machine, or with several CPUs to one in the turn of
  // a CPU at which the run is to stop: then the round stays open.
  alpha::RunResult Advance() {
    return processors_.size() == 1 ? AdvanceAlone(processors_.front()) : AdvanceRound();
  }
  // One CPU: in the engine, or to the next event while it stands still.
  alpha::RunResult AdvanceAlone(Processor& processor);

  // Several CPUs run in rounds (docs/smp.md), in each of which each that does not stand still has a
  // turn: up to the horizon, or nothing if it is there already. All of this is state.
  struct Round {
    bool open = false;   // else the machine stands between two rounds
    uint32_t next = 0;   // by the fixed schedule: whose turn it is
    uint64_t limit = 0;  // the farthest that the horizon can be
    uint64_t begun = 0;  // machine time at the last boundary between rounds
  };
  alpha::RunResult AdvanceRound();
  // False when all stand still: time has passed.
  bool BeginRound();
  void EndRound();
  // Fails when the state of rounds is none that a run comes to.
  void CheckRound(alpha::StateReader& reader) const;
  // The CPU whose turn it is, which is `turn_` then; nullptr when none is left.
  Processor* NextTurn();
  // Has that CPU go on until the schedule is to be asked again, or it is to stop.
  alpha::RunResult GoOn(Processor& processor);
  StopPlace PlaceHere() const;
  // Whether this boundary is the one to stop at, all of whose events have happened.
  bool StopsHere();
  // Whether a CPU can have a turn: it neither stands still nor has come to the horizon.
  bool CanRun(const Processor& processor) const {
    return !processor.waiting && processor.cpu.cycle < Horizon();
  }
  TurnPlaces PlacesNow() const;
  // The cycle to which turns go now. A device that asks for an earlier event moves it nearer.
  uint64_t Horizon() const;
  // Whether machine time has passed since the boundary before: else what has a cycle for an address
  // (a stop, what a debugger does) has had its turn.
  bool TimeHasPassed() const { return processors_.size() == 1 || now() > round_.begun; }
  // A CPU stands still, up to a cycle at which nothing wakes it.
  void StandStill(Processor& processor, uint64_t until);
  // Has a CPU that can take an interrupt at this boundary take it.
  void TakeInterrupt(Processor& processor);
  // What is due at a boundary beside device events.
  struct DuePoints {
    bool input = false;
    bool checkpoint = false;
  };
  // The sequencer's own events: input points and checkpoints. It is the last source, so that they
  // come after all device events of a boundary.
  struct Points final : EventTarget {
    static constexpr int kInput = 0, kCheckpoint = 1;
    explicit Points(EventQueue& queue) : events(queue, *this) {}
    void OnEvent(int kind) override {
      if (kind == kInput) due.input = true;
      if (kind == kCheckpoint) due.checkpoint = true;
    }
    EventPort events;
    DuePoints due;  // since it was looked at last
  };
  // Handles all due device events and tells what else is due.
  DuePoints HandleDueEvents();
  // Makes the next input point or checkpoint due at the next multiple of `interval`.
  void ScheduleNext(int point, uint64_t interval);
  // Runs to an end without telling the observer of it, or to the boundary that `stop_watch_` waits
  // for.
  std::optional<RunEnd> RunToEnd();
  // An event happens: to a CPU, or with kNoCpu to the machine.
  static constexpr uint32_t kNoCpu = 0;
  void Tell(uint32_t cpu, uint64_t cycle, EventBody body);
  // Handles all that happens at one boundary but the interrupt.
  std::optional<RunEnd> HandleBoundary();
  // The end, when the observer's status is not OK.
  std::optional<RunEnd> AskObserver() const;
  // The end, when a disk could not be read.
  std::optional<RunEnd> AskDisks() const;
  // What an input source is told of this boundary.
  InputPoint PointHere();
  // Takes inputs at an input point. The end, when one of them asks for it.
  std::optional<RunEnd> TakeInputs();
  // Asks for a stop at a boundary that is no input point, if this is one to ask at. The end, when
  // there is one.
  std::optional<RunEnd> TakeStop(bool requested);
  // Has happen what a debugger did at this boundary, of which the source knows. The end, when there
  // is one.
  std::optional<RunEnd> TakeDebugged();
  // Does what a debugger asks for, when the observer has been told.
  std::optional<RunEnd> Apply(Input input);
  // The observer is told of an end, and may have another.
  std::optional<RunEnd> Conclude(std::optional<RunEnd> end);
  // Up to where the machine may go before it asks for a stop again. Up to `quiet_until` it does
  // nothing but wait, and is there at once.
  uint64_t NextStop(uint64_t quiet_until);
  // Whether all of several CPUs have come to rest for ever, the primary by HALT: the machine is
  // off.
  bool AllHaveHalted() const;
  // Whether a CPU other than this one executes what an operating system has given it.
  bool OthersAreInOperation(uint32_t cpu) const;
  // What the guest has asked of the platform device, once; or what several CPUs come to by halting.
  PowerRequest TakePowerRequest();
  // Acts on what the guest asked of the platform device; a reset takes time and adds to what is
  // due. The end, when that is one.
  std::optional<RunEnd> HandlePowerRequest(DuePoints& due);
  // Cycles for which all CPUs stood still, about.
  uint64_t idle_cycles() const;
  void RestoreWithoutMemory(alpha::StateReader& reader);
  // Says what is wrong in what has been restored when all of it is there.
  void CheckRestored(alpha::StateReader& reader) const;
  template <typename Visitor, typename Self>
  static void WalkWithoutMemory(Visitor& visitor, Self& self);
  // `pages`: those to visit, not looked at when restoring. `prepare` is told the address of each
  // page before its bytes are visited, and whether to go on.
  template <typename Visitor, typename Self, typename Prepare>
  static void WalkMemory(Visitor& visitor, Self& self, std::vector<uint32_t> pages,
                         Prepare prepare);

  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override;
  void OnFrame(uint64_t cycle, std::string_view frame) override;
  void SetIrq(int line, bool asserted) override;
  void OnDeviceWrite(uint64_t pa, uint64_t size) override;

  MachineConfig config_;
  BootImages images_;
  HostMemory host_memory_;
  alpha::Memory memory_;
  std::vector<Processor> processors_;  // by Cpu::index; they stay where they are
  alpha::LockWatch lock_watch_;
  alpha::Deadline deadline_;
  EventQueue events_;
  std::vector<Disk> disks_;  // they stay where they are
  Board board_;
  Points points_;
  Round round_;
  uint32_t acting_cpu_ = 0;           // no part of the state
  Processor* turn_ = nullptr;         // inside a round: who executes next
  std::optional<Schedule> schedule_;  // nothing: the fixed one
  // While all of several CPUs stand still: up to which cycle nothing happens. A stop before that is
  // no boundary between rounds.
  uint64_t quiet_until_ = 0;
  bool stop_requested_ = false;  // inside a round: the next boundary of the machine is to know
  std::unique_ptr<alpha::Engine> engine_;
  // What was hashed before, page by page, which spares StateDigest() work: the digest is that of
  // the contents whatever it knows. Engines see only that stores must be announced again.
  mutable MemoryDigest memory_digest_;
  mutable uint64_t digests_ = 0;  // used when kChecksDigests

  InputSource* input_source_ = nullptr;
  ConsoleSink* console_sink_ = nullptr;
  FrameSink* frame_sink_ = nullptr;
  Observer* observer_ = nullptr;
  TurnSink* turn_sink_ = nullptr;
  StopWatch stop_watch_;  // of the run that is made
  StopReasons stopped_by_;
  bool debugger_writes_ = false;  // what is written to RAM now
  // How far the input source has been asked for stops, and where it has the first. No part of the
  // state: both follow from where the run is and from its inputs.
  uint64_t stops_known_to_ = 0;
  uint64_t stop_at_ = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_MACHINE_H_
