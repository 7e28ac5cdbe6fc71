// How a log watches the machine.

#ifndef ISOCHRON_MACHINE_EVENTS_OBSERVER_H_
#define ISOCHRON_MACHINE_EVENTS_OBSERVER_H_

#include "absl/status/status.h"
#include "machine/events/event.h"

namespace isochron::machine {

// Told by the sequencer, on its thread and in machine order, of everything that defines or
// witnesses a run. The machine behaves the same with and without an observer; the one thing an
// observer can do is to stop the run.
class Observer {
 public:
  virtual ~Observer() = default;

  // Takes the next event. Cycles never go back from one call to the next.
  virtual void On(const Event& event) = 0;

  // Not OK once the run should not go on: the log cannot be written, or the run has left the
  // one that it is compared with. Asked at every boundary; the run ends with it.
  virtual absl::Status status() const = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_EVENTS_OBSERVER_H_
