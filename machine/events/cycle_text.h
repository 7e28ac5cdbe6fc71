// Guest time as people read it.

#ifndef ISOCHRON_MACHINE_EVENTS_CYCLE_TEXT_H_
#define ISOCHRON_MACHINE_EVENTS_CYCLE_TEXT_H_

#include <cstdint>
#include <string>

namespace isochron::machine {

// Of all these, `clock_hz` is how many cycles a guest second has, not 0.

// Seconds with three decimals, more for less than a second: "7.158", "0.001748".
std::string SecondsText(uint64_t cycles, uint64_t clock_hz);

// A cycle of a run and when that is: "4294967296 (7.158 s)".
std::string WithSeconds(uint64_t cycle, uint64_t clock_hz);

// A number of cycles and how long they take: "4294967296 cycles (7.158 s)".
std::string CyclesText(uint64_t cycles, uint64_t clock_hz);

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_EVENTS_CYCLE_TEXT_H_
