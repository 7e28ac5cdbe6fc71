#include "machine/events/cycle_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace isochron::machine {

std::string SecondsText(uint64_t cycles, uint64_t clock_hz) {
  const double seconds = static_cast<double>(cycles) / static_cast<double>(clock_hz);
  return absl::StrFormat("%.*f", seconds < 1 ? 6 : 3, seconds);
}

std::string WithSeconds(uint64_t cycle, uint64_t clock_hz) {
  return absl::StrCat(cycle, " (", SecondsText(cycle, clock_hz), " s)");
}

std::string CyclesText(uint64_t cycles, uint64_t clock_hz) {
  return absl::StrCat(cycles, " cycles (", SecondsText(cycles, clock_hz), " s)");
}

}  // namespace isochron::machine
