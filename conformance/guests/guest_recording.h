// A guest's recording for tests that go through one.

#ifndef ISOCHRON_CONFORMANCE_GUESTS_GUEST_RECORDING_H_
#define ISOCHRON_CONFORMANCE_GUESTS_GUEST_RECORDING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/guests/guest_run.h"
#include "gtest/gtest.h"
#include "machine/machine.h"
#include "replaylog/log_testing.h"
#include "replaylog/log_writer.h"
#include "timeline/recorder.h"
#include "timeline/snapshot.h"

namespace isochron::conformance {

// A recording of a guest to whom somebody types now and then, and who is ended if it does not end
// by itself, with snapshots beside it.
class GuestRecording {
 public:
  explicit GuestRecording(std::string guest, machine::MachineConfig config = Config())
      : guest_(std::move(guest)), config_(std::move(config)) {
    const replaylog::LogHeader header = timeline::HeaderOf(config_);
    auto writer = replaylog::LogWriter::Create(path_, header);
    auto snapshots = timeline::SnapshotWriter::Create(snapshot_path(), header);
    EXPECT_TRUE(writer.ok() && snapshots.ok());
    const std::unique_ptr<machine::Machine> machine = StraightRun();
    timeline::Recorder recorder(**writer);
    machine->SetObserver(&recorder);
    const auto checkpoint = machine::StopCondition::AtEvent<machine::CheckpointEvent>();
    for (int i = 0; !machine->RunUntil(checkpoint).has_value(); ++i) {
      if (i % 16 != 15) continue;
      EXPECT_TRUE((*snapshots)->Take(*machine).ok());
    }
    end_ = machine->now();
    EXPECT_TRUE((*writer)->Finish().ok());
    EXPECT_TRUE((*snapshots)->Finish().ok());
  }

  const std::string& path() const { return path_; }
  std::string snapshot_path() const { return timeline::SnapshotPath(path_); }
  // The cycle at which the run ended.
  uint64_t end() const { return end_; }

  static machine::MachineConfig Config() {
    machine::MachineConfig config;
    config.memory_bytes = uint64_t{32} << 20;
    config.input_interval = 70'000;
    config.checkpoint_interval = 250'000;
    config.itb_entries = config.dtb_entries = 64;
    return config;
  }

  // The guest at power-on.
  std::unique_ptr<machine::Machine> Make(const std::string& engine) const {
    auto machine =
        MakeMachine(absl::StrCat(ISOCHRON_GUEST_DIR, "/", guest_, ".elf"), config_, engine);
    EXPECT_TRUE(machine.ok()) << machine.status();
    return *std::move(machine);
  }

  // The run once more, from its beginning, on the interpreter.
  std::unique_ptr<machine::Machine> StraightRun() {
    std::unique_ptr<machine::Machine> machine = Make("ref");
    machine->SetInputSource(&typist_);
    return machine;
  }

 private:
  class Typist final : public machine::InputSource {
   public:
    void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
      constexpr uint64_t kLimit = 30'000'000;
      if (point.cycle >= kLimit) {
        return inputs.push_back(machine::Input::Stop(machine::StopCause::kQuit));
      }
      if (point.cycle % 3 == 0) inputs.push_back(machine::Input::Console("x"));
    }
  };

  const std::string guest_;
  const machine::MachineConfig config_;
  const std::string path_ = replaylog::TestPath("log");
  Typist typist_;
  uint64_t end_ = 0;
};

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_GUESTS_GUEST_RECORDING_H_
