// Several observers of one machine.

#ifndef ISOCHRON_TIMELINE_OBSERVER_LIST_H_
#define ISOCHRON_TIMELINE_OBSERVER_LIST_H_

#include <cstdint>
#include <vector>

#include "machine/events/observer.h"

namespace isochron::timeline {

// Tells each observer in the order in which they were added. Its status is that of the first that
// is not OK.
class ObserverList final : public machine::Observer {
 public:
  // `observer` must outlive the list.
  void Add(machine::Observer* observer) { observers_.push_back(observer); }

  void OnInput(uint64_t cycle, const machine::Input& input) override {
    for (auto* observer : observers_) observer->OnInput(cycle, input);
  }
  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override {
    for (auto* observer : observers_) observer->OnConsoleByte(uart, cycle, byte);
  }
  void OnInterrupt(int cpu, uint64_t cycle, uint64_t pending) override {
    for (auto* observer : observers_) observer->OnInterrupt(cpu, cycle, pending);
  }
  void OnCheckpoint(uint64_t cycle, uint64_t instructions,
                    const machine::Digest& state) override {
    for (auto* observer : observers_) observer->OnCheckpoint(cycle, instructions, state);
  }
  void OnEnd(uint64_t cycle, uint64_t instructions, const machine::Digest& state,
             const machine::RunEnd& end) override {
    for (auto* observer : observers_) observer->OnEnd(cycle, instructions, state, end);
  }
  absl::Status status() const override {
    for (auto* observer : observers_) {
      if (absl::Status status = observer->status(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  std::vector<machine::Observer*> observers_;
};

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_OBSERVER_LIST_H_
