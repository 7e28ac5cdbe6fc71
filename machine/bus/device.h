// What a device on the board is.

#ifndef ISOCHRON_MACHINE_BUS_DEVICE_H_
#define ISOCHRON_MACHINE_BUS_DEVICE_H_

#include <cstdint>

#include "alpha/state_visitor.h"

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

// A device: registers, events and state. All calls come from the sequencer's thread, and
// time is EventQueue::now(). A device never reads a host clock and holds no state that
// VisitState does not show.
class Device {
 public:
  virtual ~Device() = default;

  // Puts every state bit to its power-on value and schedules the first events.
  virtual void Reset() = 0;

  // Register access at `offset` bytes into the window that the board gave the device.
  // `size` is 1, 2, 4 or 8; `offset` is a multiple of it. Reads are zero-extended.
  virtual uint64_t Read(uint64_t offset, int size) = 0;
  virtual void Write(uint64_t offset, int size, uint64_t value) = 0;

  // The event of this kind is due; EventQueue::now() is its cycle or, where an instruction
  // straddled it, a few cycles more.
  virtual void OnEvent(int kind) = 0;

  // All state, which one walk describes; see alpha::StateVisitor. Events are saved by the queue
  // itself, which is restored before.
  virtual void VisitState(alpha::StateVisitor& visitor) const = 0;
  virtual void RestoreState(alpha::StateReader& reader) = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_DEVICE_H_
