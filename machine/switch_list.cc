#include "machine/switch_list.h"

namespace isochron::machine {

void SwitchList::OnTurn(const TurnPlaces& places, uint32_t cpu) {
  const uint32_t first = order_.First(places.able);
  if (first == cpu) return;
  switches_.push_back({places.cycles[first], first, cpu});
  order_.PutBefore(cpu, first);
}

}  // namespace isochron::machine
