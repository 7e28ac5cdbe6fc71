// What a device on the board is.

#ifndef ISOCHRON_MACHINE_BUS_DEVICE_H_
#define ISOCHRON_MACHINE_BUS_DEVICE_H_

#include <cstdint>

#include "alpha/state_visitor.h"
#include "machine/bus/access.h"
#include "machine/bus/event_queue.h"

namespace isochron::machine {

// Receives the level of numbered interrupt lines.
class IrqSink {
 public:
  virtual ~IrqSink() = default;
  // `line` has the meaning that the sink documents. Setting the same level again is harmless.
  virtual void SetIrq(int line, bool asserted) = 0;
};

// One wire from a device to an interrupt controller.
struct IrqLine {
  IrqSink* sink = nullptr;
  int line = 0;

  void Set(bool asserted) const {
    if (sink != nullptr) sink->SetIrq(line, asserted);
  }
};

// A device: events and state. All calls come from the sequencer's thread, and time is
// EventQueue::now(). A device never reads a host clock and holds no state that VisitState does not
// show. One that has registers at fixed addresses is a RegisterDevice, one on the PCI bus a
// PciFunction.
class Device : public EventTarget {
 public:
  // Puts every state bit to its power-on value and schedules the first events.
  virtual void Reset() = 0;

  // An event of the device's EventPort is due; for a device that has one.
  void OnEvent(int /*kind*/) override {}

  // The machine stops or starts anew while something may still be on its way to the outside: sends
  // it at once.
  virtual void Flush() {}

  // All state, which one walk describes; see alpha::StateVisitor. Events are saved by the queue
  // itself, which is restored before.
  virtual void VisitState(alpha::StateVisitor& visitor) const = 0;
  virtual void RestoreState(alpha::StateReader& reader) = 0;
};

// A device with registers. An offset counts from where the ranges say that the board gave it.
class RegisterDevice : public Device, public BusTarget {};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_DEVICE_H_
