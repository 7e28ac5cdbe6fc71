// The part of a run that is measured.

#ifndef ISOCHRON_CONFORMANCE_BENCH_STUDY_WINDOW_H_
#define ISOCHRON_CONFORMANCE_BENCH_STUDY_WINDOW_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "alpha/engine.h"
#include "conformance/bench/metered_engine.h"
#include "conformance/bench/round_meter.h"
#include "engines/named_engine.h"
#include "machine/bus/console.h"
#include "machine/bus/event_queue.h"
#include "machine/machine.h"

namespace isochron::conformance {

// Where the part of the run is that is measured. It consists of whole rounds.
struct StudyBounds {
  // It begins when the console has shown this, and so many more instructions have retired; empty:
  // at power-on.
  std::string from;
  uint64_t skip = 0;
  // It ends when the console has shown this after that; empty: at the end of the run. Or when it
  // has so many rounds, or so many instructions.
  std::string to;
  uint64_t rounds = machine::kNever;
  uint64_t instructions = machine::kNever;
};

// Has a part of the run of a machine of several CPUs measured by a RoundMeter, or only timed. The
// run is the same.
class StudyWindow final : public machine::TurnSink, public machine::ConsoleSink {
 public:
  StudyWindow(StudyBounds bounds, bool metered) : bounds_(std::move(bounds)), metered_(metered) {}

  // Makes the engine of a machine, which is `plain` outside the window.
  machine::EngineFactory EngineFor(const engines::NamedEngine& plain);
  // Watches that machine from power-on. Both must outlive its run.
  void Watch(machine::Machine& machine);

  void OnRound() override;
  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override;

  // To be called when the run has ended.
  void End();

  // Whether it has begun. If not, what was not so: that `from` was seen, and `to` not before
  // `skip` was over.
  bool begun() const { return state_ != State::kBefore; }
  bool from_seen() const { return from_seen_; }
  bool to_seen() const { return to_seen_; }
  uint64_t rounds() const { return rounds_; }
  uint64_t instructions() const { return instructions_; }
  // Of the process's CPU, from its beginning to its end.
  double seconds() const { return seconds_; }
  // nullptr when it has not begun or is not metered.
  const RoundMeter* meter() const { return meter_.get(); }

 private:
  enum class State : uint8_t { kBefore, kInside, kBehind };

  void Begin();
  uint64_t InstructionsNow() const { return machine_->Instructions() - first_instruction_; }

  const StudyBounds bounds_;
  const bool metered_;
  State state_ = State::kBefore;
  MeteredEngine* engine_ = nullptr;
  alpha::Memory* memory_ = nullptr;
  const machine::Machine* machine_ = nullptr;
  std::vector<const alpha::Cpu*> cpus_;
  std::unique_ptr<RoundMeter> meter_;
  std::string shown_;  // by the console, since `from` if that has been seen
  bool from_seen_ = false;
  bool to_seen_ = false;  // behind it
  uint64_t rounds_ = 0;
  uint64_t first_instruction_ = 0;  // of the machine, where the window began, or `from` was seen
  uint64_t instructions_ = 0;
  double seconds_ = 0;
};

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_BENCH_STUDY_WINDOW_H_
