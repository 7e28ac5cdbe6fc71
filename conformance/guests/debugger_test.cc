// Recordings of guests in the hands of a debugger.

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/guests/guest_run.h"
#include "debug/address_space.h"
#include "debug/flow_stepper.h"
#include "debug/gdb/timeline_debuggee.h"
#include "debug/symbols.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/firmware/firmware_layout.h"
#include "machine/machine.h"
#include "replaylog/log_reader.h"
#include "replaylog/log_testing.h"
#include "replaylog/log_writer.h"
#include "timeline/recorder.h"
#include "timeline/timeline.h"

namespace isochron::conformance {
namespace {

using debug::Resume;
using debug::Stoppoint;
using debug::StopReport;
using machine::Machine;
using machine::StopCondition;
using ::testing::HasSubstr;
using timeline::Arrival;
using timeline::Timeline;

constexpr uint64_t kLimit = 20'000'000;

// Ends a guest that does not end by itself.
class Limit final : public machine::InputSource {
 public:
  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    if (point.cycle >= kLimit) inputs.push_back(machine::Input::Stop(machine::StopCause::kQuit));
  }
};

machine::MachineConfig Config() {
  machine::MachineConfig config;
  config.memory_bytes = uint64_t{32} << 20;
  config.itb_entries = config.dtb_entries = 64;
  return config;
}

std::unique_ptr<Machine> MakeGuest(const std::string& guest, const std::string& engine) {
  auto machine =
      MakeMachine(absl::StrCat(ISOCHRON_GUEST_DIR, "/", guest, ".elf"), Config(), engine);
  EXPECT_TRUE(machine.ok()) << machine.status();
  return *std::move(machine);
}

struct Case {
  std::string guest;
  std::string engine;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.guest << " on " << one.engine; }

class DebuggedGuest : public ::testing::TestWithParam<Case> {
 protected:
  DebuggedGuest() {
    Record();
    auto timeline =
        Timeline::Create(OpenLog(), nullptr, MakeGuest(GetParam().guest, GetParam().engine), {});
    EXPECT_TRUE(timeline.ok()) << timeline.status();
    timeline_ = *std::move(timeline);
    symbols_ = std::make_unique<debug::Symbols>(machine().kernel());
    debuggee_ = std::make_unique<debug::TimelineDebuggee>(*timeline_, *symbols_);
  }

  void Record() {
    const replaylog::LogHeader header = timeline::HeaderOf(Config());
    auto writer = replaylog::LogWriter::Create(path_, header);
    ASSERT_TRUE(writer.ok()) << writer.status();
    const std::unique_ptr<Machine> machine = MakeGuest(GetParam().guest, "ref");
    timeline::Recorder recorder(**writer);
    Limit limit;
    machine->SetObserver(&recorder);
    machine->SetInputSource(&limit);
    machine->Run();
    end_ = machine->cpu().cycle;
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  std::unique_ptr<replaylog::LogReader> OpenLog() {
    auto log = replaylog::LogReader::Open(path_);
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }

  const Machine& machine() const { return timeline_->machine(); }
  const alpha::Cpu& cpu() const { return machine().cpu(); }
  uint64_t Pc() { return *debuggee_->ReadRegister(0, debug::kGdbPc); }
  uint64_t SymbolAddress(const std::string& name) {
    const auto place = symbols_->Find(name, /*code=*/true);
    EXPECT_TRUE(place.ok()) << place.status();
    return place->address;
  }
  StopReport Go(Resume::Kind kind, bool backward) {
    Resume resume;
    resume.kind = kind;
    resume.backward = backward;
    return debuggee_->Go(resume, [] { return false; });
  }
  StopReport Continue() { return Go(Resume::Kind::kContinue, false); }
  StopReport ContinueBackward() { return Go(Resume::Kind::kContinue, true); }
  std::string Monitor(const std::string& line) {
    return debuggee_->Monitor(0, line, [] { return false; });
  }

  const std::string path_ = replaylog::TestPath("log");
  uint64_t end_ = 0;
  std::unique_ptr<Timeline> timeline_;
  std::unique_ptr<debug::Symbols> symbols_;
  std::unique_ptr<debug::TimelineDebuggee> debuggee_;
};

// What a person who steps looks at.
struct View {
  uint64_t pc = 0;
  alpha::Mode mode = alpha::Mode::kKernel;
  std::array<uint64_t, 31> registers = {};

  friend bool operator==(const View&, const View&) = default;
};

class FlowSteps : public DebuggedGuest {
 protected:
  View Look() const {
    View view{cpu().pc, cpu().mode, {}};
    for (int i = 0; i < 31; ++i) view.registers[i] = cpu().r[i];
    return view;
  }
};

TEST_P(FlowSteps, LeadBackTheWayThatTheyCame) {
  constexpr int kStarts = 16;
  constexpr size_t kSteps = 250;
  std::mt19937_64 random(20261128);
  debug::FlowStepper stepper(*timeline_, 0, [] { return false; });
  size_t retraced = 0;
  for (int start = 0; start < kStarts; ++start) {
    ASSERT_TRUE(timeline_->GoToCycle(random() % end_).ok());
    while (cpu().pal_mode() && timeline_->run_end() == std::nullopt) {
      ASSERT_TRUE(stepper.Forward({}).ok());
    }
    std::vector<View> views;
    while (views.size() < kSteps && timeline_->run_end() == std::nullopt) {
      ASSERT_FALSE(cpu().pal_mode()) << "step " << views.size() << " of start " << start;
      // The flow of a handler ends where it returns.
      const std::optional<uint32_t> instruction = debug::ReadInstruction(machine(), 0);
      if (instruction.has_value() && *instruction >> 26 == 0 && *instruction < 0x80) break;
      views.push_back(Look());
      const auto end = stepper.Forward({});
      ASSERT_TRUE(end.ok()) << end.status();
    }
    if (timeline_->run_end().has_value()) continue;
    for (size_t step = views.size(); step-- > 0;) {
      const auto end = stepper.Backward({});
      ASSERT_TRUE(end.ok()) << end.status();
      ASSERT_EQ(end->arrival, Arrival::kThere);
      ASSERT_EQ(absl::StrCat(absl::Hex(cpu().pc)), absl::StrCat(absl::Hex(views[step].pc)))
          << "step " << step << " of start " << start << ", cycle " << cpu().cycle;
      ASSERT_EQ(Look(), views[step]) << "step " << step << " of start " << start;
      ++retraced;
    }
  }
  EXPECT_GT(retraced, kSteps) << "the guest ends everywhere";
}

TEST_P(FlowSteps, ExactOnesAreOneInstructionEach) {
  debug::FlowStepper stepper(*timeline_, 0, [] { return false; });
  ASSERT_TRUE(timeline_->GoToCycle(end_ / 2).ok());
  ASSERT_TRUE(stepper.ForwardExact({}).ok());
  std::vector<machine::Digest> states;
  for (int i = 0; i < 50; ++i) {
    states.push_back(machine().StateDigest());
    const uint64_t before = cpu().instructions;
    ASSERT_TRUE(stepper.ForwardExact({}).ok());
    ASSERT_EQ(cpu().instructions, before + 1);
  }
  for (int i = 50; i-- > 0;) {
    ASSERT_TRUE(stepper.BackwardExact({}).ok());
    ASSERT_EQ(machine().StateDigest(), states[i]);
  }
}

// A guest with interrupts, at 1024 Hz and others, and what handles them; `clocks` counts them.
class InterruptsGuest : public DebuggedGuest {
 protected:
  using Reason = StopReport::Reason;
  using Kind = Stoppoint::Kind;

  void Insert(Kind kind, uint64_t address, uint64_t size) {
    ASSERT_TRUE(debuggee_->Insert({kind, address, size}).ok());
  }
  uint64_t Quadword(uint64_t address) {
    const std::string bytes = debuggee_->ReadMemory(0, address, 8);
    uint64_t value = 0;
    EXPECT_EQ(bytes.size(), 8u);
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
};

using MmuGuest = DebuggedGuest;

TEST_P(InterruptsGuest, BeginsInPalcode) {
  EXPECT_EQ(Pc(), uint64_t{FW_PAL_BASE} + 0x780);
  EXPECT_EQ(debuggee_->ReadMemory(0, Pc(), 4),
            debug::ReadPhysical(machine(), uint64_t{FW_PAL_BASE} + 0x780, 4));
  EXPECT_EQ(debuggee_->ReadRegister(0, debug::kGdbUnique), std::nullopt);
  EXPECT_EQ(debuggee_->ReadRegister(0, debug::kGdbUnnamed), std::nullopt);
  EXPECT_EQ(ContinueBackward().reason, Reason::kBegin);
  EXPECT_EQ(Go(Resume::Kind::kStep, true).reason, Reason::kBegin);
  // Nothing stops it: it comes to the end of the recording, and stays there.
  EXPECT_EQ(Continue().reason, Reason::kEnd);
  EXPECT_EQ(cpu().cycle, end_);
  EXPECT_EQ(Continue().reason, Reason::kEnd);
  EXPECT_EQ(debuggee_->Restart([] { return false; }).reason, Reason::kStepped);
  EXPECT_EQ(cpu().cycle, 0u);
  EXPECT_TRUE(debuggee_->failure().ok());
}

TEST_P(InterruptsGuest, CannotBeChanged) {
  EXPECT_THAT(std::string(debuggee_->WriteRegister(0, 0, 1).message()), HasSubstr("a replay"));
  EXPECT_FALSE(debuggee_->WriteMemory(0, Pc(), "x").ok());
  EXPECT_FALSE(debuggee_->Insert({Kind::kSoftwareBreakpoint, 0x8781, 4}).ok());
  EXPECT_FALSE(debuggee_->Insert({Kind::kWrite, 0x8780, 0}).ok());
  EXPECT_FALSE(debuggee_->Insert({Kind::kAccess, ~uint64_t{0}, 8}).ok());
}

TEST_P(InterruptsGuest, HasRoomForAllThatAPersonWants) {
  absl::Status status;
  uint64_t address = 0x1000;
  for (; status.ok(); address += 4) {
    ASSERT_LT(address, 0x100000u);
    status = debuggee_->Insert({Kind::kSoftwareBreakpoint, address, 4});
  }
  EXPECT_THAT(std::string(status.message()), HasSubstr("4096 breakpoints"));
  EXPECT_TRUE(debuggee_->Insert({Kind::kSoftwareBreakpoint, 0x1000, 4}).ok()) << "is there";
  EXPECT_TRUE(debuggee_->Remove({Kind::kSoftwareBreakpoint, 0x1000, 4}).ok());
  EXPECT_TRUE(debuggee_->Insert({Kind::kWrite, 0x1000, 4}).ok());
}

TEST_P(InterruptsGuest, StopsAtABreakpointInBothDirections) {
  const uint64_t address = SymbolAddress("record");
  Insert(Kind::kHardwareBreakpoint, address, 4);
  std::vector<uint64_t> cycles;
  StopReport report;
  while ((report = Continue()).reason == Reason::kStoppoint) {
    EXPECT_EQ(Pc(), address);
    EXPECT_EQ(report.stoppoint->kind, Kind::kHardwareBreakpoint);
    cycles.push_back(cpu().cycle);
  }
  EXPECT_EQ(report.reason, Reason::kEnd);
  ASSERT_GT(cycles.size(), 10u);
  for (size_t i = cycles.size(); i-- > 0;) {
    ASSERT_EQ(ContinueBackward().reason, Reason::kStoppoint);
    ASSERT_EQ(cpu().cycle, cycles[i]);
  }
  EXPECT_EQ(ContinueBackward().reason, Reason::kBegin);
}

TEST_P(InterruptsGuest, StopsInPalmode) {
  const uint64_t address = uint64_t{FW_PAL_BASE} + 0x680;  // INTERRUPT
  Insert(Kind::kSoftwareBreakpoint, address, 4);
  ASSERT_EQ(Continue().reason, Reason::kStoppoint);
  EXPECT_EQ(Pc(), address);
  EXPECT_TRUE(cpu().pal_mode());
  // What is shown is what PALcode has: p22 is PS, the program's R22 something else.
  EXPECT_EQ(debuggee_->ReadRegister(0, 22), cpu().r[alpha::Cpu::IntegerPlace(22, true)]);
  const uint64_t instructions = cpu().instructions;
  Go(Resume::Kind::kStep, false);
  EXPECT_EQ(cpu().instructions, instructions + 1);
  Go(Resume::Kind::kStep, true);
  EXPECT_EQ(Pc(), address);
}

TEST_P(InterruptsGuest, StopsAtAWatchpointInBothDirections) {
  const uint64_t clocks = SymbolAddress("clocks");
  Insert(Kind::kWrite, clocks, 8);
  std::vector<uint64_t> values;
  for (StopReport report = Continue(); report.reason == Reason::kStoppoint; report = Continue()) {
    EXPECT_EQ(report.address, clocks);
    EXPECT_EQ(report.stoppoint->kind, Kind::kWrite);
    values.push_back(Quadword(clocks));
  }
  ASSERT_GT(values.size(), 10u);
  // Backwards it stands before each of them.
  for (size_t i = values.size(); i-- > 0;) {
    ASSERT_EQ(Quadword(clocks), values[i]);
    ASSERT_EQ(ContinueBackward().reason, Reason::kStoppoint);
  }
  EXPECT_EQ(ContinueBackward().reason, Reason::kBegin);
}

// gdb's own way to step: a breakpoint where it thinks that the instruction leads.
TEST_P(InterruptsGuest, UnderstandsWhenGdbMeansAStep) {
  Insert(Kind::kSoftwareBreakpoint, SymbolAddress("record"), 4);
  ASSERT_EQ(Continue().reason, Reason::kStoppoint);
  // On to the RTI of the handler, past which gdb will look for it in vain.
  ASSERT_TRUE(debuggee_->Remove({Kind::kSoftwareBreakpoint, Pc(), 4}).ok());
  constexpr uint32_t kRti = 0x3f;
  int steps = 0;
  while (debug::ReadInstruction(machine(), 0) != kRti && ++steps < 10000) {
    const uint64_t instructions = cpu().instructions;
    Go(Resume::Kind::kStep, false);
    ASSERT_GT(cpu().instructions, instructions);
  }
  ASSERT_EQ(debug::ReadInstruction(machine(), 0), kRti);
  const uint64_t back = Quadword(cpu().r[30] + 8);
  Insert(Kind::kSoftwareBreakpoint, Pc() + 4, 4);
  EXPECT_EQ(Continue().reason, Reason::kStepped);
  EXPECT_EQ(Pc(), back);
}

TEST_P(MmuGuest, ShowsAnInstructionWhosePageIsNotThereYet) {
  // Fetches that miss.
  const uint64_t miss = (uint64_t{FW_PAL_BASE} + 0x580) | 1;
  int found = 0;
  for (;;) {
    const auto arrival = timeline_->RunForward(StopCondition::AtPcs({miss}));
    ASSERT_TRUE(arrival.ok()) << arrival.status();
    if (*arrival != Arrival::kThere) break;
    const uint64_t cycle = cpu().cycle;
    ASSERT_TRUE(timeline_->GoToInstruction(cpu().instructions).ok());
    const uint64_t pc = cpu().pc;
    if (!cpu().pal_mode() && debug::ReadVirtual(machine(), 0, pc, 4).empty()) {
      const machine::Digest state = machine().StateDigest();
      const std::string bytes = debuggee_->ReadMemory(0, pc, 4);
      EXPECT_EQ(machine().StateDigest(), state);
      if (!bytes.empty()) {
        // It is what is executed there.
        ASSERT_TRUE(timeline_->RunForward(StopCondition::AtPcs({pc})).ok());
        EXPECT_EQ(debug::ReadVirtual(machine(), 0, pc, 4), bytes);
        ++found;
      }
    }
    ASSERT_TRUE(timeline_->GoToCycle(cycle).ok());
  }
  EXPECT_GT(found, 0);
}

TEST_P(InterruptsGuest, TakesMonitorCommands) {
  for (const char* help : {"help", "", "  "}) {
    EXPECT_THAT(Monitor(help), HasSubstr("goto cycle TIME|instruction N|event N|start|end"));
  }
  EXPECT_THAT(Monitor("when"), HasSubstr("cycle 0 (0.000000 s), instruction 0, event 0, PC 0x8780 "
                                         "in PALmode pal.reset"));
  EXPECT_THAT(Monitor("goto instruction 100000"), HasSubstr("instruction 100000"));
  EXPECT_EQ(cpu().instructions, 100000u);
  EXPECT_THAT(Monitor("goto instruction 0.1M"), HasSubstr("instruction 100000"));
  EXPECT_THAT(Monitor("goto instruction 0x186a0"), HasSubstr("instruction 100000"));
  EXPECT_THAT(Monitor("checkpoint"), HasSubstr("checkpoint 1 at cycle"));
  EXPECT_THAT(Monitor("goto end"), HasSubstr("the recording ends here"));
  EXPECT_THAT(Monitor("console"), HasSubstr("ok 3 - each clock interrupt"));
  EXPECT_THAT(Monitor("restore 1"), HasSubstr("instruction 100000"));
  EXPECT_EQ(cpu().instructions, 100000u);
  EXPECT_THAT(Monitor("restore"), HasSubstr("checkpoint 1 at cycle"));
  EXPECT_THAT(Monitor("restore 2"), HasSubstr("error: there is no checkpoint 2"));
  EXPECT_THAT(Monitor("translate clocks"), HasSubstr("by superpage"));
  EXPECT_THAT(Monitor("translate 0x70000000"), HasSubstr("is not mapped"));
  EXPECT_THAT(Monitor("xp 0x10098 2"), HasSubstr("0x000010098: 0x"));
  EXPECT_THAT(Monitor("xp 0x10099"), HasSubstr("error: "));
  EXPECT_THAT(Monitor("ipr"), HasSubstr("pal_base             0x8000"));
  EXPECT_THAT(Monitor("tlb all"), HasSubstr("ASN"));
  EXPECT_THAT(Monitor("events 2"), HasSubstr("--- here"));
  EXPECT_THAT(Monitor("stats"), HasSubstr("interrupts"));
  EXPECT_THAT(Monitor("goto event 2000000"), HasSubstr("error: the log has no event 2000000"));
  for (const char* wrong :
       {"goto", "goto cycle", "goto cycle x", "goto here", "goto cycle 1T", "goto event 0.5",
        "watch phys 0 0 w", "watch phys 0 8", "watch phys 0 8 x", "watch phys 0xfffffffffff 2 w",
        "unwatch 1", "step back", "xp", "nonsense", "tlb some"}) {
    EXPECT_THAT(Monitor(wrong), testing::StartsWith("error: ")) << wrong;
  }
}

TEST_P(InterruptsGuest, WatchesPhysicalMemory) {
  // The impure area, to which nobody but PALcode refers, by physical addresses.
  EXPECT_THAT(Monitor("watch phys 0x10098 8 w"), HasSubstr("1: writes of 8 bytes"));
  StopReport report = Continue();
  EXPECT_EQ(report.reason, Reason::kStepped);
  EXPECT_THAT(report.message, HasSubstr("write of 8 bytes at physical 0x10098, by 0x"));
  EXPECT_TRUE(cpu().pal_mode());
  EXPECT_THAT(Monitor("unwatch 1"), HasSubstr("no longer"));
  EXPECT_EQ(Continue().reason, Reason::kEnd);
}

std::vector<Case> Cases(const std::vector<std::string>& guests) {
  std::vector<Case> cases;
  for (const std::string& guest : guests) {
    for (const std::string engine : {"ref", "jit"}) cases.push_back({guest, engine});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Guests, FlowSteps,
                         ::testing::ValuesIn(Cases({"interrupts", "callpal", "mmu", "asn",
                                                    "unaligned", "kernel_stack"})),
                         [](const auto& info) {
                           return info.param.guest + "_" + info.param.engine;
                         });

INSTANTIATE_TEST_SUITE_P(Engines, MmuGuest, ::testing::ValuesIn(Cases({"mmu"})),
                         [](const auto& info) { return info.param.engine; });
INSTANTIATE_TEST_SUITE_P(Engines, InterruptsGuest, ::testing::ValuesIn(Cases({"interrupts"})),
                         [](const auto& info) { return info.param.engine; });

}  // namespace
}  // namespace isochron::conformance
