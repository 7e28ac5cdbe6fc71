// The turns of a run as a list.

#ifndef ISOCHRON_MACHINE_SWITCH_LIST_H_
#define ISOCHRON_MACHINE_SWITCH_LIST_H_

#include <cstdint>
#include <vector>

#include "machine/machine.h"
#include "machine/schedule.h"

namespace isochron::machine {

// Makes a list of the turns that some schedule gives: the schedule "switches" with it gives the
// same. It has those turns which that schedule would not give by itself.
class SwitchList final : public TurnSink {
 public:
  void OnTurn(const TurnPlaces& places, uint32_t cpu) override;
  const std::vector<TurnSwitch>& switches() const { return switches_; }

 private:
  TurnOrder order_;
  std::vector<TurnSwitch> switches_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_SWITCH_LIST_H_
