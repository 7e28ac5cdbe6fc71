// Stops in recordings of guests: forwards and backwards they are the same boundaries, on every
// engine and from wherever one comes.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/guests/guest_recording.h"
#include "debug/query.h"
#include "debug/query_kinds.h"
#include "debug/stops.h"
#include "debug/symbols.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hostio/sanitizers.h"
#include "machine/machine.h"
#include "replaylog/log_reader.h"
#include "timeline/timeline.h"

namespace isochron::conformance {
namespace {

using debug::Stops;
using ::testing::HasSubstr;
using timeline::Arrival;
using timeline::Timeline;

// Where a run has stopped, and why.
struct Hit {
  uint64_t cycle = 0;
  uint64_t pc = 0;
  std::string why;

  friend bool operator==(const Hit&, const Hit&) = default;
};

void PrintTo(const Hit& hit, std::ostream* out) {
  *out << absl::StrCat("cycle ", hit.cycle, ", PC ", absl::Hex(hit.pc), ": ", hit.why);
}

// A recording on one engine, with stops.
class Travel {
 public:
  Travel(const GuestRecording& recording, const std::string& engine) {
    auto log = replaylog::LogReader::Open(recording.path());
    EXPECT_TRUE(log.ok()) << log.status();
    auto timeline = Timeline::Create(*std::move(log), nullptr, recording.Make(engine),
                                     {uint64_t{128} << 20, 1'000'000});
    EXPECT_TRUE(timeline.ok()) << timeline.status();
    timeline_ = *std::move(timeline);
    symbols_ = std::make_unique<debug::Symbols>(timeline_->machine().kernel());
    stops_ = std::make_unique<Stops>(*timeline_);
  }

  void Set(const std::vector<std::string>& lines) {
    stops_->DeleteAll();
    for (const std::string& line : lines) {
      const auto stop = debug::StopNamed(line, *symbols_);
      ASSERT_TRUE(stop.ok()) << line << ": " << stop.status();
      ASSERT_TRUE(stops_->Add(*stop).ok());
    }
  }
  // Nothing where there is no further one.
  std::vector<Hit> Next() { return Arrived(timeline_->RunForward({}, *stops_)); }
  std::vector<Hit> Last() { return Arrived(timeline_->RunBackward({}, *stops_)); }
  std::vector<Hit> All() {
    Go(0);
    std::vector<Hit> all;
    for (std::vector<Hit> next = Next(); !next.empty(); next = Next()) {
      all.push_back(WithoutNumber(next.front()));
    }
    return all;
  }
  void Go(uint64_t cycle) { ASSERT_TRUE(timeline_->GoToCycle(cycle).ok()); }
  // Goes to the boundary in front of the instruction before. Returns its cycle.
  uint64_t GoToInstructionBefore(uint64_t cycle) {
    Go(cycle);
    EXPECT_TRUE(timeline_->StepBackward().ok());
    return Cycle();
  }
  // The way to a place takes snapshots, the last of them so far before it.
  void TakeSnapshotAt(uint64_t cycle) {
    constexpr uint64_t kNearestOfApproach = uint64_t{1} << 11;
    Go(0);
    Go(cycle + kNearestOfApproach);
    ASSERT_EQ(timeline_->memory_snapshots().FindAtOrBefore(cycle)->cycle(), cycle);
  }
  uint64_t Cycle() const { return timeline_->machine().cpu().cycle; }
  machine::Digest State() const { return timeline_->machine().StateDigest(); }
  Timeline& timeline() { return *timeline_; }
  const debug::Symbols& symbols() const { return *symbols_; }

  // Stops are numbered in the order in which they are set.
  static Hit WithoutNumber(Hit hit) {
    hit.why.erase(0, hit.why.find(": "));
    return hit;
  }

 private:
  std::vector<Hit> Arrived(const absl::StatusOr<Arrival>& arrival) {
    EXPECT_TRUE(arrival.ok()) << arrival.status();
    if (!arrival.ok() || *arrival != Arrival::kThere) return {};
    EXPECT_TRUE(timeline_->selection().has_value());
    if (!timeline_->selection().has_value()) return {};
    return {{Cycle(), timeline_->machine().cpu().pc, timeline_->selection()->why}};
  }

  std::unique_ptr<Timeline> timeline_;
  std::unique_ptr<debug::Symbols> symbols_;
  std::unique_ptr<Stops> stops_;
};

// From how many places a stop is looked for, of each kind the same number.
constexpr int kPlaces = hostio::kAddressSanitizer ? 3 : 6;

class StopsOfGuest : public ::testing::TestWithParam<std::string> {
 protected:
  StopsOfGuest() {
    travels_.push_back(std::make_unique<Travel>(recording_, "ref"));
#ifdef ISOCHRON_JIT
    travels_.push_back(std::make_unique<Travel>(recording_, "jit"));
#endif
  }

  // Sets these in all, and finds where they are met, which is the same in all.
  std::vector<Hit> SetAndFind(const std::vector<std::string>& lines) {
    std::vector<Hit> hits;
    for (const auto& travel : travels_) {
      travel->Set(lines);
      const std::vector<Hit> all = travel->All();
      if (travel == travels_.front()) hits = all;
      EXPECT_EQ(all.size(), hits.size());
      EXPECT_EQ(all, hits);
    }
    return hits;
  }

  // From random places and from hits the next and the last hit are those that they should be.
  void ExpectFromAnywhere(const std::vector<Hit>& hits) {
    for (int i = 0; i < kPlaces; ++i) {
      const bool at_hit = i % 3 == 0 && !hits.empty();
      const uint64_t near = hits.empty() ? 0 : hits[random_() % hits.size()].cycle;
      const uint64_t there = at_hit       ? near
                             : i % 3 == 1 ? near + random_() % 300
                                          : random_() % recording_.end();
      for (const auto& travel : travels_) {
        travel->Go(there);
        const uint64_t here = travel->Cycle();
        SCOPED_TRACE(absl::StrCat("from ", here));
        const auto behind = std::partition_point(hits.begin(), hits.end(),
                                                 [&](const Hit& hit) { return hit.cycle <= here; });
        const auto next = travel->Next();
        ASSERT_EQ(next.empty(), behind == hits.end());
        if (!next.empty()) {
          ASSERT_EQ(Travel::WithoutNumber(next[0]), *behind);
        }
        travel->Go(there);
        const auto before = std::partition_point(hits.begin(), hits.end(),
                                                 [&](const Hit& hit) { return hit.cycle < here; });
        const auto last = travel->Last();
        ASSERT_EQ(last.empty(), before == hits.begin());
        if (!last.empty()) {
          ASSERT_EQ(Travel::WithoutNumber(last[0]), *(before - 1));
        }
        states_.push_back(travel->State());
      }
      for (const machine::Digest& state : states_) ASSERT_EQ(state, states_.front());
      states_.clear();
    }
  }

  // The cycles that a query answers with.
  std::vector<uint64_t> Ask(std::unique_ptr<debug::Query> query) {
    std::vector<uint64_t> cycles;
    const absl::Status status =
        debug::SearchRange(travels_.front()->timeline(), *query, {0, recording_.end()},
                           [&](const debug::Sighting& sighting) {
                             if (sighting.kind == 0) cycles.push_back(sighting.cycle);
                             return true;
                           });
    EXPECT_TRUE(status.ok()) << status;
    return cycles;
  }
  static std::vector<uint64_t> CyclesOf(const std::vector<Hit>& hits) {
    std::vector<uint64_t> cycles;
    for (const Hit& hit : hits) cycles.push_back(hit.cycle);
    return cycles;
  }

  GuestRecording recording_{GetParam()};
  std::vector<std::unique_ptr<Travel>> travels_;
  std::mt19937_64 random_{20261128};
  std::vector<machine::Digest> states_;
};

TEST_P(StopsOfGuest, AreTheSameFromAnywhere) {
  size_t met = 0;
  // Several at once where they take little.
  const std::vector<std::vector<std::string>> sets = {
      {"interrupt", "exception", "tlb-miss page-table asn 1"},
      {"exception entInt", "exception entSys", "exception machine-check", "tlb-miss itb"},
      {"console", "console serial1", "input", "checkpoint"},
      {"text \"ok \"", "text \"\\nok 2\""},
      {"syscall", "syscall 1 after asn 1", "callpal callsys after"},
      {"syscall after"},
      {"callpal swpctx after", "callpal rti", "callpal 0x3d after"},
      {"callpal callsys", "callpal wtint after", "callpal swpipl"}};
  for (const std::vector<std::string>& lines : sets) {
    SCOPED_TRACE(lines.front());
    const std::vector<Hit> hits = SetAndFind(lines);
    met += hits.empty() ? 0 : 1;
    ASSERT_NO_FATAL_FAILURE(ExpectFromAnywhere(hits));
  }
  EXPECT_GE(met, 5);
}

TEST_P(StopsOfGuest, AreWhereQueriesFindThem) {
  const debug::Symbols& symbols = travels_.front()->symbols();
  EXPECT_EQ(CyclesOf(SetAndFind({"exception"})), Ask(debug::MakeExceptionQuery(symbols)));
  EXPECT_EQ(CyclesOf(SetAndFind({"syscall"})), Ask(debug::MakeSystemCallQuery(symbols)));
  EXPECT_EQ(CyclesOf(SetAndFind({"callpal swpctx"})), Ask(debug::MakeSwitchQuery(symbols)));
  // Of a byte it is known from the log where it is.
  std::vector<uint64_t> bytes;
  ASSERT_TRUE(travels_.front()
                  ->timeline()
                  .ReadEvents([&](const replaylog::Event& event) {
                    const auto* output = std::get_if<replaylog::OutputRun>(&event.body);
                    if (output == nullptr || output->uart != 0) return true;
                    bytes.push_back(event.cycle);
                    for (const uint64_t delta : output->deltas)
                      bytes.push_back(bytes.back() + delta);
                    return true;
                  })
                  .ok());
  EXPECT_EQ(CyclesOf(SetAndFind({"console"})), bytes);
}

// Where a search backwards begins inside of a call it does not know what is to be said behind that,
// and must look farther back also when another stop is met at that very boundary.
TEST_P(StopsOfGuest, NamesAllThatIsMetWhereACallReturns) {
  const std::string after = "callpal rti after";
  const std::vector<Hit> returns = SetAndFind({after});
  if (returns.empty()) GTEST_SKIP() << "it makes no such call";
  const Hit& there = returns[returns.size() / 2];
  for (const auto& travel : travels_) {
    travel->Set({after, absl::StrCat("pc 0x", absl::Hex(there.pc))});
    const uint64_t before = travel->GoToInstructionBefore(there.cycle);
    ASSERT_TRUE(travel->timeline().machine().cpu().pal_mode());
    const std::vector<Hit> forward = travel->Next();
    ASSERT_EQ(forward.size(), 1);
    EXPECT_EQ(forward.front().cycle, there.cycle);
    EXPECT_EQ(std::count(forward.front().why.begin(), forward.front().why.end(), '\n'), 1)
        << forward.front().why;
    travel->TakeSnapshotAt(before);
    travel->Go(there.cycle + 1);
    const std::vector<Hit> backward = travel->Last();
    ASSERT_EQ(backward.size(), 1);
    EXPECT_EQ(backward.front(), forward.front());
  }
}

// An ASN leaves those of the others out.
TEST_P(StopsOfGuest, CanBeOfOneAddressSpace) {
  const std::vector<Hit> all = SetAndFind({"callpal callsys after"});
  std::vector<Hit> of_each;
  for (int asn = 0; asn < 4; ++asn) {
    for (Hit hit : SetAndFind({absl::StrCat("callpal callsys after asn ", asn)})) {
      hit.why.erase(hit.why.find(", ASN "), absl::StrCat(", ASN ", asn).size());
      of_each.push_back(std::move(hit));
    }
  }
  std::sort(of_each.begin(), of_each.end(),
            [](const Hit& a, const Hit& b) { return a.cycle < b.cycle; });
  EXPECT_LE(of_each.size(), all.size());
  EXPECT_TRUE(std::includes(all.begin(), all.end(), of_each.begin(), of_each.end(),
                            [](const Hit& a, const Hit& b) { return a.cycle < b.cycle; }));
}

TEST_P(StopsOfGuest, SaysWhatItDoesNotUnderstand) {
  const debug::Symbols& symbols = travels_.front()->symbols();
  for (const char* wrong :
       {"", "nothing", "pc", "pc nowhere", "syscall nonsense", "syscall before twice", "callpal",
        "callpal 0x55", "callpal nonsense", "text", "text \"open", "text \"\\q\"", "exception entX",
        "interrupt asn 256", "interrupt asn", "console serial2", "tlb-miss cache"}) {
    EXPECT_FALSE(debug::StopNamed(wrong, symbols).ok()) << wrong;
  }
  EXPECT_EQ(debug::StopNamed("syscall write after asn 3", symbols)->name,
            "system call 4 write, after, ASN 3");
  EXPECT_EQ(debug::StopNamed("text \"a\\n\"", symbols)->bytes, "a\n");
  EXPECT_THAT(std::string(debug::StopNamed("syscall nonsense", symbols).status().message()),
              HasSubstr("no system call of Linux is called 'nonsense'"));
}

INSTANTIATE_TEST_SUITE_P(Guests, StopsOfGuest,
                         ::testing::Values("interrupts", "asn", "callpal", "mmu", "uart"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace isochron::conformance
