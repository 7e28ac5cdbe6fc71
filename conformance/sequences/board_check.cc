#include "conformance/sequences/board_check.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/state_visitor.h"
#include "conformance/sequences/board_program.h"
#include "conformance/sequences/sequence_check.h"
#include "conformance/sequences/shrinking.h"
#include "hostio/temporary_directory.h"
#include "machine/events/digest.h"
#include "machine/machine.h"
#include "ref/engine.h"
#include "replaylog/describe.h"
#include "replaylog/event_stream.h"
#include "replaylog/log_diff.h"
#include "replaylog/output_file.h"
#include "timeline/observer_list.h"
#include "timeline/recorder.h"
#include "timeline/snapshot.h"

namespace isochron::conformance {
namespace {

using machine::Machine;
using replaylog::Event;
using timeline::SnapshotInfo;
using timeline::SnapshotReader;
using timeline::SnapshotWriter;

constexpr char kMissingMark[] = "a page has changed without its dirty mark";

replaylog::LogHeader HeaderOf(const BoardCase& board_case) {
  replaylog::LogHeader header;
  header.model_version = machine::kModelVersion;
  header.config = board_case.config;
  if (!board_case.disk.empty()) {
    header.images.push_back({replaylog::ImageRecord::DiskRole(0), board_case.disk.size(),
                             machine::DigestOf(board_case.disk)});
  }
  return header;
}

// A file is not waited for until it is on the disk: it is read under the name that it has until
// then.
absl::StatusOr<std::unique_ptr<SnapshotReader>> OpenUnfinished(const std::string& path,
                                                               const BoardCase& board_case) {
  return SnapshotReader::Open(replaylog::PartialPath(path), HeaderOf(board_case));
}

// Whether no page has changed without its dirty mark since the last digest.
bool MarksHold(const machine::MemoryDigest& memory) { return memory.sum() == memory.Recompute(); }

// `marks_hold`: see MarksHold().
absl::Status WriteStart(const BoardCase& board_case, const std::string& path, bool& marks_hold) {
  absl::StatusOr<std::unique_ptr<Machine>> machine = MakeBoard(board_case, ref::CreateEngine);
  if (!machine.ok()) return machine.status();
  if (absl::Status status = PutToCase(board_case, **machine); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<SnapshotWriter>> writer =
      SnapshotWriter::Create(path, HeaderOf(board_case));
  if (!writer.ok()) return writer.status();
  absl::Status status = (*writer)->Take(**machine);
  marks_hold = MarksHold((*machine)->memory_digest());
  return status;
}

class EventList final : public replaylog::EventSink {
 public:
  void Append(const Event& event) override {
    events_.push_back(event);
    events_.back().number = events_.size() - 1;
  }
  absl::Status status() const override { return absl::OkStatus(); }
  std::vector<Event> Release() { return std::move(events_); }

 private:
  std::vector<Event> events_;
};

// What the case says, and the end.
class Inputs final : public machine::InputSource {
 public:
  // `begun`: the cycle of the case's beginning; `from`: that of the run's.
  Inputs(const BoardCase& board_case, uint64_t begun, uint64_t from)
      : board_case_(board_case), begun_(begun) {
    if (from == begun) return;
    while (next_ < board_case.inputs.size() && board_case.inputs[next_].after <= from - begun)
      ++next_;
  }

  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    idle_ = point.idle_cycles;
    const uint64_t now = point.cycle - begun_;
    for (; next_ < board_case_.inputs.size() && board_case_.inputs[next_].after <= now; ++next_) {
      inputs.push_back(board_case_.inputs[next_].input);
    }
    if (now >= board_case_.program.cycles) {
      inputs.push_back(machine::Input::Stop(machine::StopCause::kQuit));
    }
  }
  uint64_t idle_cycles() const { return idle_; }

 private:
  const BoardCase& board_case_;
  const uint64_t begun_;
  size_t next_ = 0;
  uint64_t idle_ = 0;
};

struct BoardRun {
  absl::Status status;
  uint64_t begun = 0;  // the cycle of the case's beginning
  std::vector<Event> events;
  machine::Digest end;
  uint64_t instructions = 0;  // in this run
  uint64_t idle_cycles = 0;
  bool marks_hold = true;  // see MarksHold()
  std::string broken;      // what must hold in any run, and did not; or nothing
};

// Finds a register of the Cchip.
class MiscFinder final : public alpha::StateVisitor {
 public:
  uint64_t misc = 0;

 private:
  void OnSection(std::string_view) override {}
  void OnNumber(uint64_t value, size_t) override {
    if (section() == "cchip" && path() == "cchip.misc") misc = value;
  }
  void OnBytes(std::string_view) override {}
};

// Whether each CPU sees the interrupts that MISC tells of, which are levels.
bool PinsHold(const Machine& machine) {
  MiscFinder found;
  machine.VisitWithoutMemory(found);
  for (int i = 0; i < machine.cpu_count(); ++i) {
    const uint64_t timer = found.misc >> (4 + i) & 1, others = found.misc >> (8 + i) & 1;
    if ((machine.cpu(i).irq_pins >> 2 & 3) != (timer | others << 1)) return false;
  }
  return true;
}

// Runs to the end in pieces, and looks now and then. Gives what does not hold that must, or
// nothing.
std::string RunInPieces(const BoardCase& board_case, Machine& machine) {
  Random random(board_case.seed);
  for (uint64_t piece = 0;; ++piece) {
    const int of = static_cast<int>(random() % static_cast<uint64_t>(machine.cpu_count()));
    const alpha::Cpu& cpu = machine.cpu(of);
    const uint64_t any = random();
    const uint64_t length = 1 + any % (random() % 8 == 0 ? 4000 : 60);
    using machine::StopCondition;
    const StopCondition stop = random() % 2 == 0
                                   ? StopCondition::AtCycleOf(of, cpu.cycle + length)
                                   : StopCondition::AtInstructionOf(of, cpu.instructions + length);
    if (machine.RunUntil(stop).has_value()) return "";
    if (piece % 16 == 0) machine.StateDigest();  // looking changes nothing
    if (piece % 4 == 0 && board_case.flips.empty() && !PinsHold(machine)) {
      return absl::StrCat("at device time ", machine.now(),
                          " a CPU does not see the interrupts that it is asked for");
    }
  }
}

// Runs from a snapshot. `writer`, unless it is nullptr, gets those on the way.
BoardRun RunCase(const engines::NamedEngine& engine, const BoardCase& board_case,
                 SnapshotReader& snapshots, const SnapshotInfo& from, uint64_t begun,
                 SnapshotWriter* writer, bool in_pieces = false) {
  BoardRun run;
  run.begun = begun;
  absl::StatusOr<std::unique_ptr<Machine>> made = MakeBoard(board_case, engine.factory);
  run.status = made.status();
  if (!run.status.ok()) return run;
  Machine& machine = **made;
  run.status = snapshots.Restore(from, machine);
  if (!run.status.ok()) return run;
  run.instructions = machine.Instructions();
  EventList list;
  timeline::Recorder recorder(list);
  timeline::ObserverList observers;
  observers.Add(&recorder);
  std::optional<timeline::SnapshotTaker> taker;
  if (writer != nullptr) {
    taker.emplace(machine, *writer, board_case.program.cycles / 3 + 1);
    observers.Add(&*taker);
  }
  Inputs inputs(board_case, begun, from.cycle);
  machine.SetObserver(&observers);
  machine.SetInputSource(&inputs);
  if (in_pieces) {
    run.broken = RunInPieces(board_case, machine);
  } else {
    machine.Run();
  }
  machine.SetObserver(nullptr);
  machine.SetInputSource(nullptr);
  if (taker) run.status = taker->error();
  run.events = list.Release();
  run.instructions = machine.Instructions() - run.instructions;
  run.idle_cycles = inputs.idle_cycles();
  run.end = machine.StateDigest();
  if (from.cycle == begun) run.marks_hold = MarksHold(machine.memory_digest());
  return run;
}

std::string Line(const std::vector<Event>& events, size_t index, uint64_t clock_hz) {
  return index < events.size() ? replaylog::DescribeEvent(events[index], clock_hz) : "nothing more";
}

// `skipped`: the events that the first run had before the second began.
std::optional<BoardMismatch> Compare(const BoardRun& first, const BoardRun& second, size_t skipped,
                                     uint64_t clock_hz) {
  for (const BoardRun* run : {&first, &second}) {
    if (!run->status.ok()) return BoardMismatch{0, std::string(run->status.message())};
    if (!run->broken.empty()) {
      const uint64_t cycle = run->events.empty() ? run->begun : run->events.back().cycle;
      return BoardMismatch{cycle - run->begun, run->broken};
    }
  }
  const std::vector<Event>& a = first.events;
  std::vector<Event> b = second.events;
  for (Event& event : b) event.number += skipped;
  const auto [left, right] =
      std::mismatch(a.begin() + static_cast<std::ptrdiff_t>(skipped), a.end(), b.begin(), b.end());
  if (left != a.end() || right != b.end()) {
    const uint64_t cycle = left != a.end() ? left->cycle : right->cycle;
    return BoardMismatch{
        cycle - first.begun,
        absl::StrCat(Line(a, static_cast<size_t>(left - a.begin()), clock_hz), "\n",
                     Line(b, static_cast<size_t>(right - b.begin()), clock_hz))};
  }
  const uint64_t last = a.empty() ? 0 : a.back().cycle - first.begun;
  if (first.end != second.end) return BoardMismatch{last, "the states at the end differ"};
  if (first.marks_hold && second.marks_hold) return std::nullopt;
  return BoardMismatch{last, kMissingMark};
}

// Where device time goes back.
std::optional<BoardMismatch> FindTimeGoneBack(const BoardRun& run) {
  const auto back = std::adjacent_find(
      run.events.begin(), run.events.end(),
      [](const Event& before, const Event& event) { return event.cycle < before.cycle; });
  if (back == run.events.end()) return std::nullopt;
  return BoardMismatch{back->cycle - run.begun,
                       absl::StrCat("device time goes back from cycle ", back->cycle, " to ",
                                    std::next(back)->cycle)};
}

// How many events there were when a snapshot was taken: its checkpoint is the last.
size_t EventsUpTo(const SnapshotInfo& snapshot, const std::vector<Event>& events) {
  const auto at = std::find_if(events.begin(), events.end(), [&](const Event& event) {
    return event.cycle == snapshot.cycle &&
           std::holds_alternative<replaylog::CheckpointEvent>(event.body);
  });
  return static_cast<size_t>(at - events.begin()) + (at == events.end() ? 0 : 1);
}

void Count(const BoardRun& run, BoardVerdict& verdict) {
  verdict.digest = run.end.ToString();
  verdict.instructions = run.instructions;
  verdict.idle_cycles = run.idle_cycles;
  verdict.events = run.events.size();
  for (const Event& event : run.events) {
    verdict.interrupts += std::holds_alternative<replaylog::InterruptEvent>(event.body);
    verdict.outputs += std::holds_alternative<replaylog::OutputRun>(event.body);
  }
}

// The CPUs with the highest numbers go, and the schedule becomes the fixed one, as long as it
// fails. What flips mean depends on the number of CPUs.
void LeaveOutCpus(Shrinker<BoardCase>& shrinker) {
  while (shrinker.best().others.size() > 1 && shrinker.best().flips.empty()) {
    BoardCase fewer = shrinker.best();
    fewer.others.pop_back();
    --fewer.config.cpus;
    if (!shrinker.Try(std::move(fewer))) break;
  }
  if (shrinker.best().config.schedule.is_fixed() || !shrinker.best().flips.empty()) return;
  BoardCase fixed = shrinker.best();
  fixed.config.schedule = {};
  shrinker.Try(std::move(fixed));
}

}  // namespace

BoardVerdict CheckBoardCase(const std::vector<engines::NamedEngine>& engines,
                            const BoardCase& board_case) {
  BoardVerdict verdict;
  const hostio::TemporaryDirectory scratch;
  const std::string start_path = scratch.Path("start");
  const std::string later_path = scratch.Path("on-the-way");
  const auto fails = [&verdict](const absl::Status& status) {
    verdict.status = status;
    return !status.ok();
  };
  bool marks_hold = true;
  if (fails(scratch.status()) || fails(WriteStart(board_case, start_path, marks_hold))) {
    return verdict;
  }
  if (!marks_hold) {
    verdict.mismatch = BoardMismatch{0, kMissingMark};
    return verdict;
  }
  absl::StatusOr<std::unique_ptr<SnapshotReader>> start = OpenUnfinished(start_path, board_case);
  if (fails(start.status())) return verdict;
  absl::StatusOr<std::unique_ptr<SnapshotWriter>> writer =
      SnapshotWriter::Create(later_path, HeaderOf(board_case));
  if (fails(writer.status())) return verdict;

  const SnapshotInfo& begin = (*start)->snapshots().front();
  const uint64_t hz = board_case.config.clock_hz;
  const BoardRun first =
      RunCase(engines[0], board_case, **start, begin, begin.cycle, writer->get());
  Count(first, verdict);
  const BoardRun second = RunCase(engines[1], board_case, **start, begin, begin.cycle, nullptr);
  verdict.mismatch = Compare(first, second, 0, hz);
  if (!verdict.mismatch && board_case.flips.empty()) verdict.mismatch = FindTimeGoneBack(first);
  if (verdict.mismatch) return verdict;
  if (board_case.config.cpus > 1) {
    verdict.mismatch = Compare(
        first, RunCase(engines[1], board_case, **start, begin, begin.cycle, nullptr, true), 0, hz);
    if (verdict.mismatch) {
      verdict.mismatch->report = absl::StrCat("run in pieces:\n", verdict.mismatch->report);
      return verdict;
    }
  }

  absl::StatusOr<std::unique_ptr<SnapshotReader>> later = OpenUnfinished(later_path, board_case);
  if (fails(later.status())) return verdict;
  verdict.snapshots = (*later)->snapshots().size();
  if (verdict.snapshots == 0) return verdict;
  const SnapshotInfo& last = (*later)->snapshots().back();
  const BoardRun resumed = RunCase(engines[1], board_case, **later, last, begin.cycle, nullptr);
  verdict.mismatch = Compare(first, resumed, EventsUpTo(last, first.events), hz);
  if (verdict.mismatch) {
    verdict.mismatch->report =
        absl::StrCat("from the snapshot at cycle ", last.cycle, ":\n", verdict.mismatch->report);
  }
  return verdict;
}

BoardCase ShrinkBoardCase(const std::vector<engines::NamedEngine>& engines,
                          const BoardCase& board_case, const BoardMismatch& mismatch, int tries) {
  int left = tries;
  const auto fails = [&](const BoardCase& candidate) {
    --left;
    return CheckBoardCase(engines, candidate).mismatch.has_value();
  };
  Shrinker<BoardCase> shrinker(board_case, fails, tries);
  BoardCase shorter = board_case;
  shorter.program.cycles = std::min(shorter.program.cycles, mismatch.after + 1);
  shrinker.Try(std::move(shorter));
  shrinker.LeaveOut(&BoardCase::flips);
  shrinker.LeaveOut(&BoardCase::inputs);
  LeaveOutCpus(shrinker);
  BoardCase best = shrinker.best();
  for (size_t cpu = 0; cpu <= best.others.size(); ++cpu) {
    const auto program_of = [cpu](BoardCase& of) -> Sequence& {
      return cpu == 0 ? of.program : of.others[cpu - 1];
    };
    const auto program_fails = [&](const Sequence& program) {
      BoardCase candidate = best;
      program_of(candidate) = program;
      return fails(candidate);
    };
    // Each program has its share of what is left.
    const int share = left / static_cast<int>(best.others.size() + 1 - cpu);
    Shrinker<Sequence> program(program_of(best), program_fails, share);
    ShrinkProgram(program, IsBoardCode);
    program_of(best) = program.best();
  }
  return best;
}

std::string ListBoardCase(const BoardCase& board_case) {
  std::string text;
  for (const StateFlip& flip : board_case.flips) {
    absl::StrAppendFormat(&text, "  byte %d of the state ^ 0x%02x\n", flip.offset, flip.bits);
  }
  for (const BoardInput& at : board_case.inputs) {
    absl::StrAppendFormat(&text, "  after %d cycles: %s for UART %d\n", at.after,
                          at.input.kind == machine::InputKind::kBreak
                              ? "a break"
                              : absl::StrCat(at.input.bytes.size(), " bytes"),
                          at.input.port.stream);
  }
  if (board_case.config.cpus > 1) {
    absl::StrAppendFormat(&text, "  quantum %d, schedule %s; CPU 0:\n", board_case.config.quantum,
                          board_case.config.schedule.Text());
  }
  text += ListSequence(board_case.program, IsBoardCode);
  for (size_t i = 0; i < board_case.others.size(); ++i) {
    absl::StrAppend(&text, "  CPU ", i + 1, ":\n", ListSequence(board_case.others[i], IsBoardCode));
  }
  return text;
}

}  // namespace isochron::conformance
