#include "cli/hunt/switch_search.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace isochron::cli {
namespace {

// All but those from `begin` on up to `end`.
Switches Without(const Switches& switches, size_t begin, size_t end) {
  Switches rest(switches.begin(), switches.begin() + static_cast<ptrdiff_t>(begin));
  rest.insert(rest.end(), switches.begin() + static_cast<ptrdiff_t>(end), switches.end());
  return rest;
}

// Takes out what it can of parts of `size`. Whether there was any.
absl::StatusOr<bool> TakeOut(size_t size, const SwitchTest& fails, Switches& switches) {
  bool any = false;
  // From the end: what comes behind the failure goes first.
  for (size_t end = switches.size(); end > 0;) {
    const size_t begin = end - std::min(size, end);
    Switches rest = Without(switches, begin, end);
    const absl::StatusOr<bool> failed = fails(rest);
    if (!failed.ok()) return failed.status();
    if (*failed) {
      switches = std::move(rest);
      any = true;
    }
    end = begin;
  }
  return any;
}

}  // namespace

absl::StatusOr<Switches> MinimizeSwitches(Switches switches, const SwitchTest& fails) {
  for (size_t size = switches.size(); size > 0;) {
    const absl::StatusOr<bool> any = TakeOut(size, fails, switches);
    if (!any.ok()) return any.status();
    // Once more where something has gone, for each alone: others may have been needed for it only.
    if (size == 1 && !*any) break;
    size = std::max<size_t>(1, std::min(size, switches.size()) / 2);
    if (switches.empty()) break;
  }
  return switches;
}

}  // namespace isochron::cli
