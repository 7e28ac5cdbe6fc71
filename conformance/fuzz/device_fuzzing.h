// What the fuzzers of devices on the PCI bus have in common.

#ifndef ISOCHRON_CONFORMANCE_FUZZ_DEVICE_FUZZING_H_
#define ISOCHRON_CONFORMANCE_FUZZ_DEVICE_FUZZING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "machine/bus/event_queue.h"
#include "machine/bus/pci_function.h"
#include "machine/devices/network/network_testing.h"
#include "machine/events/config.h"

namespace isochron::machine {

// The input, taken from its beginning. Where it ends there are zeros.
class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : data_(data), end_(data + size) {}
  bool empty() const { return data_ == end_; }
  uint8_t Byte() { return empty() ? 0 : *data_++; }
  // The least significant byte comes first; up to 8 of them.
  uint64_t Number(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= uint64_t{Byte()} << (8 * i);
    return value;
  }

 private:
  const uint8_t* data_;
  const uint8_t* end_;
};

// Lets so many cycles pass, with all events of `rig` that they bring, up to a number of them. No
// event moves more than `most_in_an_event` bytes of the rig's memory, and time goes on: a device
// that has one event after the other at one cycle keeps a machine where it is for ever.
template <typename Rig>
void LetPass(Rig& rig, uint64_t cycles, uint64_t most_in_an_event) {
  constexpr uint64_t kMostEvents = 20'000, kFewestCyclesOfAnEvent = 8;
  auto& events = rig.bench.events();
  const uint64_t end = events.now() + cycles;
  const uint64_t since = std::max(events.now(), std::min(events.next(), end));
  for (uint64_t count = 0; events.next() <= end; ++count) {
    if (count == kMostEvents) {
      if (events.now() - since < kMostEvents * kFewestCyclesOfAnEvent) std::abort();
      return;
    }
    rig.memory.transferred = 0;
    events.SetNow(std::max(events.now(), events.next()));
    events.HandleNext();
    if (rig.memory.transferred > most_in_an_event) std::abort();
  }
  events.SetNow(end);
}

// Saves the rig's state, restores it in `other` and goes on with that one. All that is due must
// have happened, as when a state is saved: else it does nothing.
template <typename Rig>
void GoOnRestored(std::unique_ptr<Rig>& rig, std::unique_ptr<Rig> other) {
  if (rig->bench.events().next() < rig->bench.events().now()) return;
  if (!rig->CopyTo(*other).ok() || other->Save() != rig->Save()) std::abort();
  rig = std::move(other);
}

// The line of the rig's device is as it wants it, and as its status register shows it.
template <typename Rig>
void CheckLine(Rig& rig, bool wanted) {
  constexpr uint64_t kInterruptStatus = 0x08;
  const bool shown = (rig.Config(PciRegister::kStatus, 2) & kInterruptStatus) != 0;
  const bool off = (rig.Config(PciRegister::kCommand, 2) & PciCommand::kInterruptDisable) != 0;
  if (shown != wanted || rig.Interrupted() != (wanted && !off)) std::abort();
}

// What has been sent are frames. Forgets them.
inline void CheckFrames(FakeFrameSink& sink) {
  for (const std::string& frame : sink.frames) {
    if (frame.size() < kMinFrame || frame.size() > kMaxFrame) std::abort();
  }
  sink.frames.clear();
  sink.cycles.clear();
}

// A device that was reset has nothing to do.
template <typename Rig>
void CheckReset(Rig& rig) {
  rig.device.Reset();
  if (rig.bench.events().next() != kNever) std::abort();
}

}  // namespace isochron::machine

#endif  // ISOCHRON_CONFORMANCE_FUZZ_DEVICE_FUZZING_H_
