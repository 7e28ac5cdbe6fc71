// Several observers of one machine.

#ifndef ISOCHRON_TIMELINE_OBSERVER_LIST_H_
#define ISOCHRON_TIMELINE_OBSERVER_LIST_H_

#include <vector>

#include "machine/events/observer.h"

namespace isochron::timeline {

// Tells each observer in the order in which they were added. Its status is that of the first that
// is not OK.
class ObserverList final : public machine::Observer {
 public:
  // `observer` must outlive the list.
  void Add(machine::Observer* observer) { observers_.push_back(observer); }

  void On(const machine::Event& event) override {
    for (auto* observer : observers_) observer->On(event);
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
