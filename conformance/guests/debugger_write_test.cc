// What a debugger writes into a run that is recorded, and what a replay makes of it on any engine.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/guests/guest_run.h"
#include "gtest/gtest.h"
#include "machine/firmware/firmware_layout.h"
#include "machine/machine.h"
#include "replaylog/log_reader.h"
#include "replaylog/log_testing.h"
#include "replaylog/log_writer.h"
#include "timeline/recorder.h"
#include "timeline/replayer.h"
#include "timeline/timeline.h"

namespace isochron::conformance {
namespace {

using machine::DebugRegister;
using machine::Input;
using machine::Machine;
using machine::RunEnd;
using machine::StopCondition;

machine::MachineConfig Config() {
  machine::MachineConfig config;
  config.memory_bytes = uint64_t{32} << 20;
  config.input_interval = 70'000;
  config.checkpoint_interval = 90'000;
  config.itb_entries = config.dtb_entries = 64;
  return config;
}

struct Case {
  std::string guest;
  std::string recorded_on;
  std::string replayed_on;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.guest << " on " << one.recorded_on << " and " << one.replayed_on;
}

class DebuggerWrites : public ::testing::TestWithParam<Case> {
 protected:
  DebuggerWrites() {
    const replaylog::LogHeader header = timeline::HeaderOf(Config());
    auto writer = replaylog::LogWriter::Create(path_, header);
    EXPECT_TRUE(writer.ok()) << writer.status();
    writer_ = *std::move(writer);
    recorder_.emplace(*writer_);
    machine_ = Make(GetParam().recorded_on);
    machine_->SetObserver(&*recorder_);
  }

  static std::unique_ptr<Machine> Make(const std::string& engine) {
    auto machine = MakeMachine(absl::StrCat(ISOCHRON_GUEST_DIR, "/", GetParam().guest, ".elf"),
                               Config(), engine);
    EXPECT_TRUE(machine.ok()) << machine.status();
    return *std::move(machine);
  }

  const alpha::Cpu& cpu() const { return machine_->cpu(); }
  void Write(Input input) {
    ++writes_;
    ASSERT_EQ(machine_->Inject(std::move(input)), std::nullopt);
  }
  // True when the run has ended.
  bool RunTo(uint64_t cycle) {
    return machine_->RunUntil(StopCondition::AtCycle(cycle)).has_value();
  }
  void Stop() {
    const std::optional<RunEnd> end = machine_->Inject(Input::Stop(machine::StopCause::kQuit));
    ASSERT_TRUE(end.has_value());
    EXPECT_EQ(end->kind, RunEnd::Kind::kStopped);
  }

  // The recording on the other engine, in pieces of so many cycles.
  void ExpectReplays(uint64_t piece = ~uint64_t{0}) {
    ASSERT_TRUE(finished_ || writer_->Finish().ok());
    finished_ = true;
    auto log = replaylog::LogReader::Open(path_);
    ASSERT_TRUE(log.ok()) << log.status();
    const auto summary = (*log)->Verify();
    ASSERT_TRUE(summary.ok()) << summary.status();
    EXPECT_EQ(summary->events_by_type[4], writes_);
    const std::unique_ptr<Machine> again = Make(GetParam().replayed_on);
    timeline::Replayer replayer(**log, Config().clock_hz);
    again->SetObserver(&replayer);
    again->SetInputSource(&replayer);
    std::optional<RunEnd> end;
    while (!end.has_value()) {
      const uint64_t here = again->cpu().cycle;
      end = again->RunUntil(StopCondition::AtCycle(here + std::min(piece, ~here)));
    }
    EXPECT_FALSE(replayer.divergence().has_value()) << end->message;
    EXPECT_TRUE(replayer.end().has_value()) << end->message;
    EXPECT_EQ(again->cpu().cycle, cpu().cycle);
    EXPECT_EQ(again->StateDigest(), machine_->StateDigest());
  }

  const std::string path_ = replaylog::TestPath("log");
  std::unique_ptr<replaylog::LogWriter> writer_;
  std::optional<timeline::Recorder> recorder_;
  std::unique_ptr<Machine> machine_;
  uint64_t writes_ = 0;
  bool finished_ = false;
};

// Places at random, at input points and checkpoints, too, and whatever a hand may slip to: most
// guests are soon beyond help, and a replay is where they are.
TEST_P(DebuggerWrites, OfAnythingReplay) {
  std::mt19937_64 random(std::hash<std::string>()(GetParam().guest));
  bool ended = false;
  for (int stop = 0; stop < 60 && !ended; ++stop) {
    for (uint64_t left = random() % 6; left > 0; --left) {
      const uint64_t value = random() >> random() % 64;
      switch (random() % 8) {
        case 0: Write(Input::WriteRegister(0, 32 + random() % 32, value)); break;
        case 1: Write(Input::WriteRegister(0, random() % 31, value)); break;
        case 2: {
          // Back a bit, or on.
          const uint64_t pc = cpu().pc + 4 * (random() % 3) - 4;
          if (stop > 30) Write(Input::WriteRegister(0, DebugRegister::kPc, pc));
          break;
        }
        default: {
          // An instruction that does nothing, in what is being run; or anything anywhere.
          const uint64_t pa = (cpu().pc & 0x1fffffc) + 4 * (random() % 64);
          if (random() % 2 == 0) {
            Write(Input::WriteMemory(0, pa % Config().memory_bytes, {"\x1f\x04\xff\x47", 4}));
          } else {
            Write(Input::WriteMemory(0, random() % Config().memory_bytes,
                                     std::string(1 + random() % 20000, static_cast<char>(value))));
          }
        }
      }
    }
    const uint64_t interval = random() % 2 == 0 ? Config().input_interval : 1;
    ended = RunTo((cpu().cycle / interval + 1 + random() % 7) * interval +
                  (interval == 1 ? random() % 200'000 : 0));
  }
  if (!ended) Stop();
  ExpectReplays();
  ExpectReplays(/*piece=*/50'001);
}

// The state at a boundary is that behind what was written there, wherever one comes from.
TEST_P(DebuggerWrites, AreThereWhereverOneGoes) {
  std::vector<uint64_t> cycles;
  std::vector<machine::Digest> states;
  const auto write = [&](int number) {
    Write(Input::WriteMemory(0, 0x1f00000, absl::StrCat("write ", number)));
    Write(Input::WriteRegister(0, 34, static_cast<uint64_t>(number)));
    cycles.push_back(cpu().cycle);
    states.push_back(machine_->StateDigest());
  };
  write(0);
  for (int i = 1; i < 12; ++i) {
    ASSERT_FALSE(
        RunTo(static_cast<uint64_t>(i) * (i % 3 == 0 ? Config().checkpoint_interval : 77'777)));
    if (cpu().cycle > cycles.back()) write(i);
  }
  Stop();
  ASSERT_TRUE(writer_->Finish().ok());
  auto log = replaylog::LogReader::Open(path_);
  ASSERT_TRUE(log.ok()) << log.status();
  timeline::Timeline::Options options;
  options.snapshot_interval = 50'000;
  auto timeline =
      timeline::Timeline::Create(*std::move(log), nullptr, Make(GetParam().replayed_on), options);
  ASSERT_TRUE(timeline.ok()) << timeline.status();
  std::mt19937_64 random(20261128);
  for (int i = 0; i < 60; ++i) {
    // The last is where the run ends.
    const size_t which = 1 + random() % (cycles.size() - 2);
    const auto arrival = (*timeline)->GoToCycle(cycles[which]);
    ASSERT_TRUE(arrival.ok()) << arrival.status();
    ASSERT_EQ((*timeline)->machine().StateDigest(), states[which]) << which;
    ASSERT_TRUE(i % 5 != 0 || (*timeline)->StepBackward().ok());
    ASSERT_TRUE(i % 7 != 0 || (*timeline)->StepForward().ok());
  }
  EXPECT_EQ(*(*timeline)->GoToEnd(), timeline::Arrival::kEnd);
}

TEST_P(DebuggerWrites, AtPowerOnAndAtTheEndReplay) {
  Write(Input::WriteMemory(0, 0x1f00000, "before the first instruction"));
  Write(Input::WriteRegister(0, 9, 5));
  ASSERT_FALSE(RunTo(Config().checkpoint_interval));
  Write(Input::WriteMemory(0, 0x1f00000, "behind a checkpoint"));
  Stop();
  ExpectReplays();
  ExpectReplays(/*piece=*/1000);
}

TEST_P(DebuggerWrites, DoWhatTheySay) {
  ASSERT_FALSE(RunTo(1'000'000));
  Write(Input::WriteRegister(0, 3, 0x123456789abcdef0));
  EXPECT_EQ(cpu().r[3], 0x123456789abcdef0u);
  Write(Input::WriteRegister(0, 34, 7));
  EXPECT_EQ(cpu().f[2], 7u);
  Write(Input::WriteRegister(0, DebugRegister::kFpcr, uint64_t{1} << 52 | 1));
  EXPECT_EQ(cpu().fpcr, uint64_t{1} << 63 | uint64_t{1} << 52);
  Write(Input::WriteMemory(0, 0x1ffffff, "xy"));  // no RAM is at the second
  EXPECT_EQ(machine_->memory().Load<uint8_t>(0x1ffffff), 0);
  Write(Input::WriteMemory(0, 0x1fffffe, "xy"));
  EXPECT_EQ(machine_->memory().Load<uint8_t>(0x1ffffff), 'y');
  Write(Input::WriteRegister(3, 0, 1));  // there is no such CPU
  Write(Input::WriteRegister(0, DebugRegister::kPc, uint64_t{FW_PAL_BASE} + 0x783));
  EXPECT_EQ(cpu().pc, uint64_t{FW_PAL_BASE} + 0x781) << "in PALmode";
  Stop();
  ExpectReplays();
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const char* guest : {"interrupts", "smc", "llsc", "mmu", "callpal"}) {
    cases.push_back({guest, "ref", "jit"});
    cases.push_back({guest, "jit", "ref"});
  }
  cases.push_back({"interrupts", "ref", "oracle"});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Guests, DebuggerWrites, ::testing::ValuesIn(Cases()),
                         [](const auto& info) {
                           return absl::StrCat(info.param.guest, "_", info.param.recorded_on, "_",
                                               info.param.replayed_on);
                         });

}  // namespace
}  // namespace isochron::conformance
