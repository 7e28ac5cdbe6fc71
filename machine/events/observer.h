// How a log watches the machine.

#ifndef ISOCHRON_MACHINE_EVENTS_OBSERVER_H_
#define ISOCHRON_MACHINE_EVENTS_OBSERVER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "machine/events/digest.h"
#include "machine/events/input.h"

namespace isochron::machine {

struct RunEnd;

// Told by the sequencer, on its thread and in machine order, of everything that defines or
// witnesses a run. Cycles never go back from one call to the next. The machine behaves the
// same with and without an observer; the one thing an observer can do is to stop the run.
class Observer {
 public:
  virtual ~Observer() = default;

  // An input is about to be applied.
  virtual void OnInput(uint64_t cycle, const Input& input) = 0;
  // A UART has sent a byte.
  virtual void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) = 0;
  // CPU `cpu` is about to take an interrupt; `pending` is what its ISUM shows.
  virtual void OnInterrupt(int cpu, uint64_t cycle, uint64_t pending) = 0;
  // A checkpoint: every `checkpoint_interval` cycles, at the first boundary at or past it.
  virtual void OnCheckpoint(uint64_t cycle, uint64_t instructions, const Digest& state) = 0;
  // The run has ended here.
  virtual void OnEnd(uint64_t cycle, uint64_t instructions, const Digest& state,
                     const RunEnd& end) = 0;

  // Not OK once the run should not go on: the log cannot be written, or the run has left the
  // one that it is compared with. Asked at every boundary; the run ends with it.
  virtual absl::Status status() const = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_EVENTS_OBSERVER_H_
