// Stops and looks ahead in runs that are being made, where what comes is not known and what was can
// be gone back to.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "alpha/exceptions.h"
#include "conformance/guests/guest_recording.h"
#include "conformance/guests/guest_run.h"
#include "debug/address_space.h"
#include "debug/gdb/timeline_debuggee.h"
#include "debug/osf_calls.h"
#include "debug/stops.h"
#include "debug/symbols.h"
#include "engines/engines.h"
#include "gtest/gtest.h"
#include "machine/firmware/firmware_layout.h"
#include "machine/machine.h"
#include "timeline/timeline.h"

namespace isochron::conformance {
namespace {

using debug::Stops;
using machine::Machine;
using machine::StopCondition;
using timeline::Arrival;
using timeline::Timeline;

constexpr uint64_t kLimit = 20'000'000;

// A guest that is run, and the stops of somebody.
class LiveGuest {
 public:
  // It is asked whether to go on at each snapshot.
  LiveGuest(const std::string& guest, const std::string& engine, uint64_t interval = 10'000) {
    auto machine = MakeMachine(absl::StrCat(ISOCHRON_GUEST_DIR, "/", guest, ".elf"),
                               GuestRecording::Config(), engine);
    EXPECT_TRUE(machine.ok()) << machine.status();
    machine_ = *std::move(machine);
    replaylog::LogHeader header;
    header.config = machine_->config();
    Timeline::Options options;
    options.snapshot_interval = interval;
    timeline_ = Timeline::CreateLive(*machine_, header, options);
    symbols_ = std::make_unique<debug::Symbols>(machine_->kernel());
    stops_ = std::make_unique<Stops>(*timeline_);
  }

  Timeline& timeline() { return *timeline_; }
  Stops& stops() { return *stops_; }
  const debug::Symbols& symbols() const { return *symbols_; }
  const Machine& machine() const { return *machine_; }
  const alpha::Cpu& cpu() const { return machine_->cpu(); }

  void Set(const std::string& line) {
    stops_->DeleteAll();
    const auto stop = debug::StopNamed(line, *symbols_);
    ASSERT_TRUE(stop.ok()) << stop.status();
    ASSERT_TRUE(stops_->Add(*stop).ok());
  }
  // False at the end, and at the beginning.
  bool Next() { return IsThere(timeline_->RunForward({}, *stops_)); }
  bool Last() { return IsThere(timeline_->RunBackward({}, *stops_)); }
  bool ToPc(uint64_t pc, uint64_t within = kLimit) {
    StopCondition condition = StopCondition::AtPcs({pc});
    condition.cycle = cpu().cycle + within;
    return IsThere(timeline_->RunForward(condition)) && cpu().pc == pc;
  }
  uint64_t CallPc() const { return alpha::CallPalPc(cpu(), debug::osf::kCallsys); }

 private:
  static bool IsThere(const absl::StatusOr<Arrival>& arrival) {
    EXPECT_TRUE(arrival.ok()) << arrival.status();
    return arrival.ok() && *arrival == Arrival::kThere;
  }

  std::unique_ptr<Machine> machine_;
  std::unique_ptr<Timeline> timeline_;
  std::unique_ptr<debug::Symbols> symbols_;
  std::unique_ptr<Stops> stops_;
};

class LiveStops : public ::testing::TestWithParam<std::string> {};

TEST_P(LiveStops, ACallThatWasStoppedAtIsNotStoppedAtFromTheOtherSide) {
  LiveGuest guest("callpal", GetParam());
  guest.Set("syscall");
  ASSERT_TRUE(guest.Next());
  const uint64_t first = guest.cpu().cycle;
  ASSERT_EQ(guest.cpu().pc, guest.CallPc()) << "PALcode's first instruction";
  // From in front of the instruction, where one has come by a step back, as from anywhere.
  ASSERT_TRUE(guest.timeline().StepBackward().ok());
  const uint64_t before = guest.cpu().cycle;
  ASSERT_LT(before, first);
  ASSERT_FALSE(guest.cpu().pal_mode());
  ASSERT_TRUE(guest.Next());
  const uint64_t second = guest.cpu().cycle;
  EXPECT_GT(second, first) << "it knows that one";
  // And backwards: not to the same again, but to the one before.
  ASSERT_TRUE(guest.Last());
  EXPECT_EQ(guest.cpu().cycle, before);
  EXPECT_FALSE(guest.Last());
}

TEST_P(LiveStops, ACallThatWasPassedIsFoundBackwards) {
  LiveGuest guest("callpal", GetParam());
  ASSERT_TRUE(guest.ToPc(guest.CallPc()));
  const uint64_t inside = guest.cpu().cycle;
  guest.Set("syscall");
  ASSERT_TRUE(guest.Last());
  EXPECT_FALSE(guest.cpu().pal_mode());
  EXPECT_EQ(guest.cpu().cycle, inside - debug::CallPalCycles());
}

TEST_P(LiveStops, WhoInterruptsALookBackStandsWhereHeStood) {
  for (const char* line : {"syscall after", "callpal callsys after"}) {
    SCOPED_TRACE(line);
    LiveGuest guest("callpal", GetParam(), 20);  // PALcode takes longer
    ASSERT_TRUE(guest.ToPc(guest.CallPc()));
    ASSERT_TRUE(guest.timeline().StepForward(2).ok());
    ASSERT_TRUE(guest.cpu().pal_mode());
    const uint64_t present = guest.cpu().cycle;
    const machine::Digest state = guest.machine().StateDigest();
    guest.Set(line);
    guest.timeline().SetInterrupt([&guest] { return guest.timeline().in_past(); });
    const auto arrival = guest.timeline().RunForward({}, guest.stops());
    guest.timeline().SetInterrupt(nullptr);
    ASSERT_TRUE(arrival.ok()) << arrival.status();
    ASSERT_EQ(*arrival, Arrival::kInterrupted);
    EXPECT_FALSE(guest.timeline().in_past());
    EXPECT_EQ(guest.cpu().cycle, present);
    EXPECT_EQ(guest.machine().StateDigest(), state);
    // Nothing has been missed.
    ASSERT_TRUE(guest.Next());
    EXPECT_FALSE(guest.cpu().pal_mode());
  }
}

TEST_P(LiveStops, AnInstructionThatWasNotThereYetIsOnceTheRunHasComeToIt) {
  LiveGuest guest("mmu", GetParam());
  debug::TimelineDebuggee debuggee(guest.timeline(), guest.symbols());
  const uint64_t miss = (uint64_t{FW_PAL_BASE} + 0x580) | 1;  // of fetches
  int found = 0;
  while (found < 2 && guest.ToPc(miss)) {
    const uint64_t present = guest.cpu().cycle;
    ASSERT_TRUE(guest.timeline().GoToInstruction(guest.cpu().instructions).ok());
    const uint64_t pc = guest.cpu().pc;
    const uint64_t place = guest.cpu().cycle;
    const bool there = guest.cpu().pal_mode() ||
                       !debug::ReadVirtual(guest.machine(), 0, pc, 4).empty() || place == present;
    if (!there) {
      EXPECT_EQ(debuggee.ReadMemory(0, pc, 4), "") << "nobody knows it";
      ASSERT_TRUE(guest.timeline().GoToPresent().ok());
      if (!guest.ToPc(pc, 50'000)) continue;  // some lead nowhere
      const std::string bytes = debug::ReadVirtual(guest.machine(), 0, pc, 4);
      ASSERT_TRUE(guest.timeline().StepForward().ok());
      ASSERT_TRUE(guest.timeline().GoToCycle(place).ok());
      EXPECT_EQ(debuggee.ReadMemory(0, pc, 4), bytes);
      ++found;
    }
    ASSERT_TRUE(guest.timeline().GoToPresent().ok());
  }
  EXPECT_GT(found, 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, LiveStops, ::testing::ValuesIn(engines::EngineNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace isochron::conformance
