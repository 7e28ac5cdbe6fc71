// Recording and replaying guest kernels, without files in between: the same events every time, each
// difference found where it is.

#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/guests/guest_run.h"
#include "engines/engines.h"
#include "gtest/gtest.h"
#include "machine/events/cycle_text.h"
#include "machine/machine.h"
#include "replaylog/event_merger.h"
#include "replaylog/event_stream.h"
#include "replaylog/log_testing.h"
#include "replaylog/zstd_frame.h"
#include "timeline/observer_list.h"
#include "timeline/recorder.h"
#include "timeline/replayer.h"
#include "timeline/snapshot.h"

namespace isochron::conformance {
namespace {

using machine::Machine;
using machine::MachineConfig;
using machine::RunEnd;
using replaylog::CheckpointEvent;
using replaylog::EndEvent;
using replaylog::Event;
using replaylog::InputEvent;
using replaylog::InterruptEvent;
using replaylog::OutputRun;
using timeline::Divergence;
using timeline::Recorder;
using timeline::Replayer;

class MemoryLog final : public replaylog::EventSink {
 public:
  void Append(const Event& event) override {
    const bool end = std::holds_alternative<EndEvent>(event.body);
    replaylog::EventMerger::Completed completed = merger_.Add(event);
    if (completed.run) events_.push_back(*std::move(completed.run));
    if (completed.number) {
      events_.push_back({*completed.number, event.cycle, event.cpu, event.body});
    }
    if (end) {
      if (auto run = merger_.Flush()) events_.push_back(*std::move(run));
    }
  }
  absl::Status status() const override { return absl::OkStatus(); }
  std::vector<Event>& events() { return events_; }

 private:
  replaylog::EventMerger merger_;
  std::vector<Event> events_;
};

class MemorySource final : public replaylog::EventSource {
 public:
  explicit MemorySource(std::vector<Event> events) : events_(std::move(events)) {}
  absl::StatusOr<bool> Next(Event& event) override {
    if (next_ == events_.size()) return false;
    event = events_[next_++];
    return true;
  }

 private:
  std::vector<Event> events_;
  size_t next_ = 0;
};

// Types at the console now and then, and quits at the end.
class Typist final : public machine::InputSource {
 public:
  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    if (point.cycle / 300'000 != last_ / 300'000) {
      inputs.push_back(machine::Input::Console("x"));
      inputs.push_back(machine::Input::Console("yz"));
    }
    last_ = point.cycle;
    if (point.cycle > 4'000'000'000) {
      inputs.push_back(machine::Input::Stop(machine::StopCause::kQuit));
    }
  }

 private:
  uint64_t last_ = 0;
};

// Types a byte at every input point, and quits soon.
class Chatterbox final : public machine::InputSource {
 public:
  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    inputs.push_back(machine::Input::Console("x"));
    if (point.cycle > 8'000'000) {
      inputs.push_back(machine::Input::Stop(machine::StopCause::kQuit));
    }
  }
};

// Has the host ask for a stop when it hears the guest for the third time, and takes it.
class Impatient final : public machine::InputSource, public machine::ConsoleSink {
 public:
  explicit Impatient(Machine& machine) : machine_(machine) { machine.SetConsoleSink(this); }

  void OnConsoleByte(int, uint64_t, uint8_t) override {
    if (++heard_ == 3) machine_.LookForStop();
  }
  void Poll(const machine::InputPoint&, std::vector<machine::Input>&) override {}
  std::optional<machine::Input> TakeStop(const machine::InputPoint&, Occasion occasion) override {
    if (occasion != Occasion::kRequest) return std::nullopt;
    return machine::Input::Stop(machine::StopCause::kQuit);
  }

 private:
  Machine& machine_;
  int heard_ = 0;
};

MachineConfig Config() {
  MachineConfig config;
  config.memory_bytes = uint64_t{64} << 20;
  config.input_interval = 50'000;
  config.checkpoint_interval = 200'000;
  return config;
}

std::unique_ptr<Machine> Make(const std::string& guest) {
  auto machine = MakeMachine(std::string(ISOCHRON_GUEST_DIR) + "/" + guest + ".elf", Config());
  EXPECT_TRUE(machine.ok()) << machine.status();
  return *std::move(machine);
}

std::vector<Event> Record(const std::string& guest) {
  auto machine = Make(guest);
  MemoryLog log;
  Recorder recorder(log);
  Typist typist;
  machine->SetObserver(&recorder);
  machine->SetInputSource(&typist);
  machine->Run();
  return std::move(log.events());
}

struct ReplayResult {
  RunEnd end;
  std::optional<Divergence> divergence;
  bool reached_end;
  uint64_t cycle;
  absl::Status status;
};

ReplayResult Replay(const std::string& guest, replaylog::EventSource& source) {
  auto machine = Make(guest);
  Replayer replayer(source, Config().clock_hz);
  machine->SetObserver(&replayer);
  machine->SetInputSource(&replayer);
  const RunEnd end = machine->Run();
  return {end, replayer.divergence(), replayer.reached_end(), machine->cpu().cycle,
          replayer.status()};
}

ReplayResult Replay(const std::string& guest, std::vector<Event> events) {
  MemorySource source(std::move(events));
  return Replay(guest, source);
}

class GuestReplay : public testing::TestWithParam<const char*> {};

TEST_P(GuestReplay, ReplaysToItsEnd) {
  const std::vector<Event> events = Record(GetParam());
  ASSERT_TRUE(std::holds_alternative<EndEvent>(events.back().body));
  const ReplayResult result = Replay(GetParam(), events);
  EXPECT_FALSE(result.divergence) << result.end.message;
  EXPECT_TRUE(result.reached_end);
  EXPECT_EQ(result.cycle, events.back().cycle);
}

INSTANTIATE_TEST_SUITE_P(Guests, GuestReplay, testing::Values(ISOCHRON_GUEST_NAMES),
                         [](const auto& info) { return std::string(info.param); });

// Each event in turn is falsified; the replay must name just that one.
class Falsified : public testing::Test {
 protected:
  void ExpectFound(size_t index, const std::vector<Event>& events) {
    const ReplayResult result = Replay("interrupts", events);
    ASSERT_TRUE(result.divergence) << "event " << index;
    EXPECT_EQ(result.end.kind, RunEnd::Kind::kObserver);
    ASSERT_TRUE(result.divergence->expected);
    EXPECT_EQ(result.divergence->expected->number, index);
    EXPECT_LE(result.divergence->before.size(), 16u);
    if (index > 0) {
      EXPECT_EQ(result.divergence->before.back().number, index - 1);
    }
  }
};

TEST_F(Falsified, EveryKindOfWitnessIsFound) {
  const std::vector<Event> good = Record("interrupts");
  std::array<int, 4> seen{};
  for (size_t i = 0; i < good.size(); ++i) {
    std::vector<Event> bad = good;
    int kind = 0;
    if (auto* output = std::get_if<OutputRun>(&bad[i].body)) {
      output->bytes.back() = static_cast<char>(output->bytes.back() ^ 1);
    } else if (auto* interrupt = std::get_if<InterruptEvent>(&bad[i].body)) {
      kind = 1;
      interrupt->pending ^= uint64_t{1} << 35;
    } else if (auto* checkpoint = std::get_if<CheckpointEvent>(&bad[i].body)) {
      kind = 2;
      checkpoint->state.low ^= 1;
    } else if (auto* end = std::get_if<EndEvent>(&bad[i].body)) {
      kind = 3;
      end->instructions += 1;
    } else {
      continue;
    }
    if (++seen[kind] > 5) continue;
    ExpectFound(i, bad);
  }
  for (int count : seen) EXPECT_GT(count, 0);
}

TEST_F(Falsified, ALateCycleIsFound) {
  const std::vector<Event> good = Record("interrupts");
  for (size_t i = 0; i < good.size(); i += 1 + good.size() / 7) {
    if (good[i].is_input()) continue;
    std::vector<Event> bad = good;
    ++bad[i].cycle;
    ExpectFound(i, bad);
  }
}

TEST_F(Falsified, AMissingEventIsFound) {
  const std::vector<Event> good = Record("interrupts");
  std::vector<Event> bad = good;
  size_t i = good.size() / 2;
  while (!std::holds_alternative<InterruptEvent>(good[i].body)) ++i;
  bad.erase(bad.begin() + static_cast<ptrdiff_t>(i));
  EXPECT_TRUE(Replay("interrupts", bad).divergence);
}

TEST_F(Falsified, AnInputAtANonexistentPointIsFound) {
  std::vector<Event> bad = Record("interrupts");
  size_t i = 0;
  while (!bad[i].is_input()) ++i;
  ++bad[i].cycle;
  const ReplayResult result = Replay("interrupts", bad);
  ASSERT_TRUE(result.divergence);
  EXPECT_EQ(result.divergence->expected->number, i);
}

// Input points are an hour of guest time apart.
constexpr uint64_t kFarAway = uint64_t{1} << 40;

TEST(Stops, NeedNoInputPointAndReplayOnBothEngines) {
  MachineConfig config = Config();
  config.input_interval = kFarAway;
  const std::string path = std::string(ISOCHRON_GUEST_DIR) + "/timers.elf";
  for (const std::string& recording : engines::EngineNames()) {
    auto machine = *MakeMachine(path, config, recording);
    MemoryLog log;
    Recorder recorder(log);
    Impatient impatient(*machine);
    machine->SetObserver(&recorder);
    machine->SetInputSource(&impatient);
    EXPECT_EQ(machine->Run().kind, RunEnd::Kind::kStopped);
    const std::vector<Event> events = log.events();
    const uint64_t cycle = events.back().cycle;
    ASSERT_NE(cycle % machine::kStopInterval, 0u);
    for (const std::string& replaying : engines::EngineNames()) {
      for (const uint64_t late : {0, 1}) {
        std::vector<Event> told = events;
        ASSERT_TRUE(told[told.size() - 2].is_input());
        for (size_t i = told.size() - 2; i < told.size(); ++i) told[i].cycle += late;
        auto again = *MakeMachine(path, config, replaying);
        MemorySource source(told);
        Replayer replayer(source, Config().clock_hz);
        again->SetObserver(&replayer);
        again->SetInputSource(&replayer);
        again->Run();
        EXPECT_EQ(replayer.end().has_value(), late == 0) << replaying;
        EXPECT_EQ(replayer.divergence().has_value(), late != 0) << replaying;
        EXPECT_LT(again->cpu().cycle, cycle + 1000);
      }
    }
  }
}

TEST(Stops, APartialLogEndsAtAStopPoint) {
  MachineConfig config = Config();
  config.input_interval = kFarAway;
  auto machine = *MakeMachine(std::string(ISOCHRON_GUEST_DIR) + "/timers.elf", config);
  MemorySource source({});
  Replayer replayer(source, Config().clock_hz);
  machine->SetObserver(&replayer);
  machine->SetInputSource(&replayer);
  EXPECT_EQ(machine->Run().kind, RunEnd::Kind::kStopped);
  EXPECT_EQ(machine->cpu().cycle / machine::kStopInterval, 1u);
}

TEST(PartialLog, ReplaysToWhereItBreaksOff) {
  std::vector<Event> events = Record("timers");
  events.resize(events.size() / 2);
  const ReplayResult result = Replay("timers", events);
  EXPECT_FALSE(result.divergence);
  EXPECT_TRUE(result.reached_end);
  EXPECT_EQ(result.end.kind, RunEnd::Kind::kStopped);
}

TEST(HostileLog, InputsOfOneCycleAreBounded) {
  std::vector<Event> events = Record("interrupts");
  size_t first = 0;
  while (!events[first].is_input()) ++first;
  const Event input = events[first];
  // More than any memory holds, were they gathered.
  class Endless final : public replaylog::EventSource {
   public:
    Endless(std::vector<Event> before, Event repeated)
        : before_(std::move(before)), repeated_(std::move(repeated)) {}
    absl::StatusOr<bool> Next(Event& event) override {
      event = next_ < before_.size() ? before_[next_] : repeated_;
      event.number = next_++;
      return true;
    }

   private:
    const std::vector<Event> before_;
    const Event repeated_;
    size_t next_ = 0;
  };
  events.resize(first);
  Endless source(std::move(events), input);
  const ReplayResult result = Replay("interrupts", source);
  EXPECT_EQ(result.end.kind, RunEnd::Kind::kObserver);
  EXPECT_EQ(result.status, absl::DataLossError(
                               absl::StrCat("event ", first + 64, ": more than 64 inputs at cycle ",
                                            machine::WithSeconds(input.cycle, Config().clock_hz))));
}

// Stops at every input point that is also a checkpoint, again and again.
class StopAtCheckpoints final : public machine::InputSource {
 public:
  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    if (point.cycle / 200'000 == last_ / 200'000) return;
    last_ = point.cycle;
    inputs.push_back(machine::Input::Stop(machine::StopCause::kQuit));
  }

 private:
  uint64_t last_ = 0;
};

TEST(Checkpoints, ComeAlsoWhenTheRunWasStoppedThere) {
  MemoryLog whole;
  Recorder whole_recorder(whole);
  auto machine = Make("timers");
  machine->SetObserver(&whole_recorder);
  machine->Run();
  MemoryLog parts;
  Recorder parts_recorder(parts);
  StopAtCheckpoints stops;
  auto stopped = Make("timers");
  stopped->SetObserver(&parts_recorder);
  stopped->SetInputSource(&stops);
  int runs = 1;
  while (stopped->Run().kind == RunEnd::Kind::kStopped) ++runs;
  EXPECT_GT(runs, 10);
  const auto checkpoints = [](const std::vector<Event>& events) {
    std::vector<uint64_t> cycles;
    for (const Event& event : events) {
      if (std::holds_alternative<CheckpointEvent>(event.body)) cycles.push_back(event.cycle);
    }
    return cycles;
  };
  EXPECT_EQ(checkpoints(whole.events()), checkpoints(parts.events()));
}

// Rule 5 of determinism: what meets at one boundary happens in one order. Intervals are as short as
// they can be, so that all kinds do meet.
TEST(Boundaries, OutputInputCheckpointAndInterruptComeInThisOrder) {
  const auto rank = [](const Event& event) {
    if (std::holds_alternative<OutputRun>(event.body)) return 0;
    if (std::holds_alternative<InputEvent>(event.body)) return 1;
    if (std::holds_alternative<CheckpointEvent>(event.body)) return 2;
    return std::holds_alternative<InterruptEvent>(event.body) ? 3 : 4;
  };
  MachineConfig config = Config();
  config.input_interval = config.checkpoint_interval = 1000;
  auto machine = MakeMachine(std::string(ISOCHRON_GUEST_DIR) + "/interrupts.elf", config);
  ASSERT_TRUE(machine.ok());
  MemoryLog log;
  Recorder recorder(log);
  Chatterbox chatterbox;
  (*machine)->SetObserver(&recorder);
  (*machine)->SetInputSource(&chatterbox);
  (*machine)->Run();
  const std::vector<Event>& events = log.events();
  std::set<std::pair<int, int>> met;
  for (size_t i = 1; i < events.size(); ++i) {
    if (events[i].cycle != events[i - 1].last_cycle()) continue;
    EXPECT_LE(rank(events[i - 1]), rank(events[i])) << "cycle " << events[i].cycle;
    met.emplace(rank(events[i - 1]), rank(events[i]));
  }
  EXPECT_EQ(met.count({1, 2}) + met.count({2, 3}) + met.count({0, 1}), 3u);
}

replaylog::LogHeader Header() {
  replaylog::LogHeader header;
  header.model_version = machine::kModelVersion;
  header.config = Config();
  return header;
}

// A run from any snapshot writes the same rest of the log.
TEST(Snapshots, TheRestOfTheLogIsTheSame) {
  const std::string path = replaylog::TestPath("snapshots");
  for (const char* guest : {"interrupts", "timers", "mmu", "smc"}) {
    MemoryLog whole;
    uint64_t cycles = 0;
    {
      auto machine = Make(guest);
      auto writer = timeline::SnapshotWriter::Create(path, Header());
      ASSERT_TRUE(writer.ok()) << writer.status();
      timeline::SnapshotTaker taker(*machine, **writer, 400'000);
      Recorder recorder(whole);
      timeline::ObserverList observers;
      observers.Add(&recorder);
      observers.Add(&taker);
      machine->SetObserver(&observers);
      EXPECT_EQ(machine->Run().kind, RunEnd::Kind::kPowerOff);
      ASSERT_TRUE((*writer)->Finish().ok());
      cycles = machine->cpu().cycle;
    }
    auto reader = timeline::SnapshotReader::Open(path, Header());
    ASSERT_TRUE(reader.ok()) << reader.status();
    const auto& snapshots = (*reader)->snapshots();
    ASSERT_GT(snapshots.size(), 1u) << guest << " runs for " << cycles << " cycles";
    for (size_t i = 0; i < snapshots.size(); i += 1 + snapshots.size() / 2) {
      std::vector<Event> expected;
      for (const Event& event : whole.events()) {
        if (event.cycle > snapshots[i].cycle) expected.push_back(event);
      }
      MemorySource source(expected);
      Replayer replayer(source, Config().clock_hz);
      auto machine = Make(guest);
      ASSERT_TRUE((*reader)->Restore(snapshots[i], *machine).ok());
      machine->SetObserver(&replayer);
      machine->SetInputSource(&replayer);
      EXPECT_EQ(machine->Run().kind, RunEnd::Kind::kPowerOff);
      EXPECT_FALSE(replayer.divergence()) << guest << " from cycle " << snapshots[i].cycle;
      EXPECT_TRUE(replayer.reached_end());
      EXPECT_EQ(machine->cpu().cycle, cycles);
    }
  }
}

TEST(Snapshots, ADamagedFileIsAnError) {
  const std::string path = replaylog::TestPath("snapshots");
  {
    auto machine = Make("integer");
    auto writer = timeline::SnapshotWriter::Create(path, Header());
    ASSERT_TRUE(writer.ok());
    timeline::SnapshotTaker taker(*machine, **writer, 1'000'000);
    machine->SetObserver(&taker);
    machine->Run();
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  const std::string bytes = replaylog::ReadBytes(path);
  const size_t size = bytes.size();
  ASSERT_GT(size, 0u);
  uint64_t random = 7;
  int refused = 0;
  for (int i = 0; i < 150; ++i) {
    random = random * 6364136223846793005 + 1442695040888963407;
    std::string bad = bytes;
    if (i % 3 == 0) {
      bad.resize((random >> 20) % size);
    } else {
      bad[(random >> 20) % size] ^= static_cast<char>(1 << (random >> 60 & 7));
    }
    replaylog::WriteBytes(path, bad);
    auto reader = timeline::SnapshotReader::Open(path, Header());
    if (!reader.ok()) {
      ++refused;
      continue;
    }
    for (const auto& snapshot : (*reader)->snapshots()) {
      auto machine = Make("integer");
      if (!(*reader)->Restore(snapshot, *machine).ok()) {
        ++refused;
        break;
      }
    }
  }
  EXPECT_GT(refused, 50);
}

TEST(Snapshots, BytesBehindTheLastPageAreAnError) {
  const std::string path = replaylog::TestPath("snapshots");
  auto machine = Make("integer");
  auto writer = timeline::SnapshotWriter::Create(path, Header());
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Take(*machine).ok() && (*writer)->Finish().ok());
  const auto open = [&path] { return timeline::SnapshotReader::Open(path, Header()); };
  auto reader = open();
  ASSERT_TRUE(reader.ok() && (*reader)->snapshots().size() == 1) << reader.status();
  const timeline::SnapshotInfo snapshot = (*reader)->snapshots()[0];
  ASSERT_TRUE((*reader)->Restore(snapshot, *machine).ok());

  const std::string bytes = replaylog::ReadBytes(path);
  replaylog::FrameCompressor compressor;
  const absl::StatusOr<std::string_view> frame = compressor.Compress(std::string(1, '\0'));
  ASSERT_TRUE(frame.ok());
  for (const std::string& more : {std::string(*frame), std::string("x")}) {
    // The last eight bytes in front of the snapshot say how many it has.
    std::string longer = bytes + more;
    const uint64_t size = snapshot.bytes + more.size();
    std::memcpy(&longer[snapshot.offset - sizeof size], &size, sizeof size);
    replaylog::WriteBytes(path, longer);
    reader = open();
    ASSERT_TRUE(reader.ok()) << reader.status();
    const absl::Status status = (*reader)->Restore((*reader)->snapshots()[0], *machine);
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_NE(status.message().find("bytes are left over"), std::string::npos) << status;
  }
}

TEST(Snapshots, AnotherMachinesSnapshotsAreRefused) {
  const std::string path = replaylog::TestPath("snapshots");
  auto writer = timeline::SnapshotWriter::Create(path, Header());
  ASSERT_TRUE(writer.ok() && (*writer)->Finish().ok());
  replaylog::LogHeader other = Header();
  other.config.command_line = "other";
  EXPECT_TRUE(timeline::SnapshotReader::Open(path, Header()).ok());
  EXPECT_EQ(timeline::SnapshotReader::Open(path, other).status().code(),
            absl::StatusCode::kInvalidArgument);
  // Nor is there anything to wait for at a pipe.
  ASSERT_TRUE(std::filesystem::remove(path));
  EXPECT_TRUE(absl::IsNotFound(timeline::SnapshotReader::Open(path, Header()).status()));
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(timeline::SnapshotReader::Open(path, Header()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace isochron::conformance
