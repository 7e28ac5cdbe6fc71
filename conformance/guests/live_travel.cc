#include "conformance/guests/live_travel.h"

#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/guests/guest_run.h"
#include "gtest/gtest.h"
#include "replaylog/log_testing.h"
#include "replaylog/log_writer.h"
#include "timeline/recorder.h"
#include "timeline/timeline.h"

namespace isochron::conformance {
namespace {

using machine::Input;
using machine::Machine;
using machine::StopCondition;
using timeline::Arrival;
using timeline::Timeline;

// Where the debugger writes, which guests leave alone.
constexpr uint64_t kUnusedPa = 0xff0000;

class Typist final : public machine::InputSource {
 public:
  void Poll(const machine::InputPoint& point, std::vector<Input>& inputs) override {
    EXPECT_TRUE(!last_.has_value() || point.cycle > *last_) << "asked of a place in the past";
    last_ = point.cycle;
    if (point.cycle % 3 == 0) inputs.push_back(Input::Console("x"));
  }

 private:
  std::optional<uint64_t> last_;
};

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The parts of one run, with its log.
class LiveRun {
 public:
  LiveRun(std::unique_ptr<Machine> machine, const std::string& name)
      : path_(replaylog::TestPath(name)), machine_(std::move(machine)) {
    header_ = timeline::HeaderOf(machine_->config());
    for (size_t i = 0; i < header_.config.disks.size(); ++i) {
      header_.images.push_back(
          {replaylog::ImageRecord::DiskRole(i), header_.config.disks[i].bytes, {}});
    }
    auto writer = replaylog::LogWriter::Create(path_, header_);
    EXPECT_TRUE(writer.ok()) << writer.status();
    writer_ = *std::move(writer);
    recorder_.emplace(*writer_);
    machine_->SetObserver(&*recorder_);
    machine_->SetInputSource(&typist_);
    machine_->SetConsoleSink(&transcript_);
  }

  Machine& machine() { return *machine_; }
  const std::string& console() const { return transcript_.text(); }
  std::unique_ptr<Timeline> MakeTimeline(uint64_t snapshot_bytes) {
    Timeline::Options options;
    options.snapshot_bytes = snapshot_bytes;
    options.snapshot_interval = 300'000;
    return Timeline::CreateLive(*machine_, header_, options);
  }
  std::string Finish() {
    EXPECT_TRUE(writer_->Finish().ok());
    return Contents(path_);
  }

 private:
  const std::string path_;
  replaylog::LogHeader header_;
  std::unique_ptr<replaylog::LogWriter> writer_;
  std::optional<timeline::Recorder> recorder_;
  Typist typist_;
  Transcript transcript_;
  std::unique_ptr<Machine> machine_;
};

// Of a boundary: what the debugger does there, and the state that is left.
struct Stop {
  std::vector<Input> inputs;
  machine::Digest state;
};

// Goes around in the past of a run.
class Traveller {
 public:
  Traveller(Timeline& timeline, const std::map<uint64_t, Stop>& stops, uint64_t seed)
      : timeline_(timeline), stops_(stops), random_(seed) {}

  void Travel() {
    const uint64_t present = Cycle();
    SCOPED_TRACE(absl::StrCat("from ", present));
    const machine::Digest state = State();
    const uint64_t events = timeline_.position().event;
    GoToAStop(present);
    StepBackAndForth();
    if (random_() % 2 == 0) SearchBack(present);
    if (random_() % 3 == 0) (void)timeline_.GoToCycle(random_() % (present + 1));
    // Home, by one way or the other.
    if (random_() % 2 == 0 || !timeline_.in_past()) {
      ASSERT_TRUE(timeline_.GoToPresent().ok());
    } else {
      const auto arrival = timeline_.RunForward(StopCondition::AtCycle(present));
      ASSERT_TRUE(arrival.ok()) << arrival.status();
    }
    ASSERT_FALSE(timeline_.in_past());
    ASSERT_EQ(Cycle(), present);
    EXPECT_EQ(State(), state);
    EXPECT_EQ(timeline_.position().event, events);
  }

 private:
  uint64_t Cycle() const { return timeline_.machine().cpu().cycle; }
  machine::Digest State() const { return timeline_.machine().StateDigest(); }

  void GoToAStop(uint64_t present) {
    auto stop = stops_.begin();
    std::advance(stop, random_() % stops_.size());
    if (stop->first >= present) return;
    const auto arrival = timeline_.GoToCycle(stop->first);
    ASSERT_TRUE(arrival.ok()) << arrival.status();
    ASSERT_EQ(Cycle(), stop->first);
    EXPECT_EQ(State(), stop->second.state);
    EXPECT_TRUE(timeline_.in_past());
    EXPECT_FALSE(timeline_.Inject(Input::WriteRegister(0, 1, 1)).ok());
  }

  void StepBackAndForth() {
    for (int i = 0; i < 3; ++i) {
      const machine::Digest before = State();
      const uint64_t cycle = Cycle();
      const auto back = timeline_.StepBackward(1 + random_() % 50);
      ASSERT_TRUE(back.ok()) << back.status();
      const auto there = timeline_.GoToCycle(cycle);
      ASSERT_TRUE(there.ok()) << there.status();
      ASSERT_EQ(State(), before);
    }
  }

  void SearchBack(uint64_t present) {
    const auto arrival = timeline_.RunBackward(StopCondition::AtEvent<machine::CheckpointEvent>());
    ASSERT_TRUE(arrival.ok()) << arrival.status();
    EXPECT_LE(Cycle(), present);
  }

  Timeline& timeline_;
  const std::map<uint64_t, Stop>& stops_;
  std::mt19937_64 random_;
};

}  // namespace

void ExpectTravelLeavesNoTrace(const std::function<std::unique_ptr<Machine>()>& make, uint64_t end,
                               uint64_t seed, uint64_t snapshot_bytes) {
  std::mt19937_64 random(seed);
  std::map<uint64_t, Stop> stops;
  for (int i = 0; i < 12; ++i) {
    Stop& stop = stops[i == 0 ? 0 : random() % end];
    for (uint64_t left = random() % 3; left > 0; --left) {
      stop.inputs.push_back(
          Input::WriteMemory(0, kUnusedPa + random() % 999, absl::StrCat("write ", random())));
    }
  }
  stops[end].inputs = {Input::Stop(machine::StopCause::kQuit)};

  LiveRun straight(make(), "straight");
  std::map<uint64_t, Stop>
      happened;  // boundaries are where they are, not where they are looked for
  bool ended = false;
  for (auto& [cycle, stop] : stops) {
    ended = ended || straight.machine().RunUntil(StopCondition::AtCycle(cycle)).has_value();
    if (ended) break;
    Stop& there = happened[straight.machine().cpu().cycle];
    for (const Input& input : stop.inputs) {
      ended = straight.machine().Inject(input).has_value();
      there.inputs.push_back(input);
    }
    there.state = straight.machine().StateDigest();
  }

  LiveRun travelled(make(), "travelled");
  std::unique_ptr<Timeline> timeline = travelled.MakeTimeline(snapshot_bytes);
  Traveller traveller(*timeline, happened, seed);
  for (const auto& [cycle, stop] : happened) {
    const auto arrival = timeline->GoToCycle(cycle);
    ASSERT_TRUE(arrival.ok()) << arrival.status();
    traveller.Travel();
    for (const Input& input : stop.inputs) ASSERT_TRUE(timeline->Inject(input).ok());
    ASSERT_EQ(travelled.machine().StateDigest(), stop.state);
    traveller.Travel();
  }
  if (!timeline->run_end().has_value()) {
    EXPECT_EQ(*timeline->GoToEnd(), Arrival::kEnd);
  }
  // From the end, too.
  traveller.Travel();
  ASSERT_TRUE(timeline->run_end().has_value());
  EXPECT_EQ(*timeline->GoToCycle(0), Arrival::kThere);
  EXPECT_FALSE(timeline->run_end().has_value());
  EXPECT_EQ(*timeline->GoToEnd(), Arrival::kEnd);
  EXPECT_TRUE(timeline->run_end().has_value());
  timeline.reset();
  EXPECT_EQ(travelled.machine().StateDigest(), straight.machine().StateDigest());
  EXPECT_EQ(travelled.console(), straight.console());
  EXPECT_EQ(travelled.Finish(), straight.Finish());
}

}  // namespace isochron::conformance
