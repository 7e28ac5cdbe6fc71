#include "ref/code_page.h"

#include <algorithm>

namespace isochron::ref {

void CodePage::ForgetLinksTo(const Block* block) {
  for (const BlockPtr& from : blocks_) {
    if (from->taken == block) from->taken = nullptr;
    if (from->fall_through == block) from->fall_through = nullptr;
  }
}

uint64_t CodePage::NameAt(uint64_t virtual_page, uint64_t& names) {
  const auto found = std::find_if(names_.begin(), names_.end(), [virtual_page](const auto& name) {
    return name.first == virtual_page;
  });
  if (found != names_.end()) return found->second;
  // Programs that have it each in another place are many; a place without a name gets a new one.
  constexpr size_t kMostNames = 8;
  if (names_.size() == kMostNames) names_.erase(names_.begin());
  names_.emplace_back(virtual_page, ++names);
  return names;
}

}  // namespace isochron::ref
