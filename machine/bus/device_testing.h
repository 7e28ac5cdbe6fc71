// What tests of single devices need around the device.

#ifndef ISOCHRON_MACHINE_BUS_DEVICE_TESTING_H_
#define ISOCHRON_MACHINE_BUS_DEVICE_TESTING_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "alpha/engine.h"
#include "alpha/state_visitor.h"
#include "machine/bus/console.h"
#include "machine/bus/device.h"
#include "machine/bus/event_queue.h"

namespace isochron::machine {

// Remembers levels and counts rising edges.
class FakeIrqs final : public IrqSink {
 public:
  void SetIrq(int line, bool asserted) override {
    if (asserted && !levels[line]) ++edges[line];
    levels[line] = asserted;
  }
  std::map<int, bool> levels;
  std::map<int, int> edges;
};

class FakeConsole final : public ConsoleSink {
 public:
  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override {
    bytes[uart].push_back(static_cast<char>(byte));
    cycles.push_back(cycle);
  }
  std::map<int, std::string> bytes;
  std::vector<uint64_t> cycles;
};

inline constexpr uint64_t kTestHz = 600'000'000;

// Lets time pass, with events at their cycles.
inline void RunEventsTo(EventQueue& events, uint64_t cycle) {
  while (events.next() <= cycle) {
    events.SetNow(std::max(events.now(), events.next()));
    while (events.HandleNext()) {
    }
  }
  events.SetNow(cycle);
}

// A queue and its time.
class Bench {
 public:
  EventQueue& events() { return events_; }

  // Lets time pass, with the events of its devices at their cycles.
  void RunTo(uint64_t cycle) { RunEventsTo(events_, cycle); }
  void RunFor(uint64_t cycles) { RunTo(events_.now() + cycles); }

 private:
  alpha::Deadline deadline_{std::numeric_limits<uint64_t>::max()};
  EventQueue events_{kTestHz, deadline_};
};

template <typename T>
std::string Save(const T& object) {
  return alpha::StateBytes(object);
}

template <typename T>
absl::Status Restore(T& object, std::string_view bytes) {
  return alpha::RestoreFromBytes(bytes, object);
}

// Copies a device and its pending events into a fresh pair.
template <typename T>
absl::Status CopyInto(T& from, Bench& from_bench, T& to, Bench& to_bench) {
  const absl::Status status = Restore(to_bench.events(), Save(from_bench.events()));
  return status.ok() ? Restore(to, Save(from)) : status;
}

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_DEVICE_TESTING_H_
