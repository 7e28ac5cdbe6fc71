// What tests share that run a guest kernel on two engines, as `isochron conform` does.

#ifndef ISOCHRON_CONFORMANCE_COMPARE_CONFORM_TESTING_H_
#define ISOCHRON_CONFORMANCE_COMPARE_CONFORM_TESTING_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alpha/decode.h"
#include "conformance/compare/divergence_report.h"
#include "conformance/compare/event_pipe.h"
#include "conformance/compare/follower.h"
#include "conformance/compare/machine_twins.h"
#include "conformance/guests/guest_run.h"
#include "engines/engines.h"
#include "gtest/gtest.h"
#include "hostio/image_file.h"

namespace isochron::conformance::testing {

inline machine::BootImages Guest(const std::string& name) {
  const auto file = hostio::ReadImageFile(std::string(ISOCHRON_GUEST_DIR) + "/" + name + ".elf");
  EXPECT_TRUE(file.ok()) << file.status();
  auto kernel = machine::ParseKernel(*file);
  EXPECT_TRUE(kernel.ok()) << kernel.status();
  machine::BootImages images;
  images.kernel = *std::move(kernel);
  return images;
}

// Types a character now and then.
class Typist final : public machine::InputSource {
 public:
  // The run ends at the first input point at or past `end`.
  explicit Typist(uint64_t end) : end_(end) {}

  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    if (point.cycle / 700'000 != last_ / 700'000) inputs.push_back(machine::Input::Console("x"));
    last_ = point.cycle;
    if (point.cycle >= end_)
      inputs.push_back(machine::Input::Stop(machine::StopCause::kCycleLimit));
  }

 private:
  uint64_t end_;
  uint64_t last_ = 0;
};

// What `isochron conform` does, without a terminal.
struct Conformance {
  Conformance(const std::string& guest, std::vector<engines::NamedEngine> two)
      : engines(std::move(two)) {
    run.config.memory_bytes = uint64_t{32} << 20;
    run.config.input_interval = 100'000;
    run.config.checkpoint_interval = 1'000'000;
    run.images = Guest(guest);
  }

  // The machine has as many CPUs as there can be.
  void HaveCpus(const std::string& schedule) {
    run.config.cpus = machine::MachineConfig::kMaxCpus;
    run.config.schedule = *machine::ScheduleConfig::Parse(schedule);
    run.config.command_line = "20";  // of the guest `litmus`: rounds
  }

  void Run(uint64_t cycles) {
    auto first = machine::Machine::Create(run.config, run.images, engines[0].factory);
    auto second = machine::Machine::Create(run.config, run.images, engines[1].factory);
    ASSERT_TRUE(first.ok() && second.ok());
    EventPipe pipe;
    LeaderObserver leader(pipe, **first);
    Follower follower(*std::move(second), pipe);
    (*first)->SetObserver(&leader);
    ASSERT_TRUE(follower.Start().ok());
    Typist typist(cycles);
    (*first)->SetInputSource(&typist);
    (*first)->Run();
    pipe.Close();
    follower.Join();
    run.events = pipe.events();
    divergence = follower.replayer().divergence();
    agreed = follower.replayer().end().has_value();
    compared = follower.replayer().events_compared();
  }

  // After a run with a difference.
  DivergenceReport Investigate() const {
    auto report = InvestigateDivergence(run, engines, *divergence);
    EXPECT_TRUE(report.ok()) << report.status();
    return *std::move(report);
  }

  std::vector<engines::NamedEngine> engines;
  RecordedRun run;
  std::optional<timeline::Divergence> divergence;
  bool agreed = false;
  uint64_t compared = 0;
};

// The mnemonic of an instruction, without qualifiers.
inline std::string Mnemonic(uint32_t word) {
  return std::string(alpha::Info(alpha::Decode(word).op).mnemonic);
}

}  // namespace isochron::conformance::testing

#endif  // ISOCHRON_CONFORMANCE_COMPARE_CONFORM_TESTING_H_
