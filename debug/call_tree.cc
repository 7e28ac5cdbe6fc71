#include "debug/call_tree.h"

#include "absl/strings/str_format.h"

namespace isochron::debug {

uint32_t Functions::At(uint64_t pc) {
  const auto [known, is_new] = by_pc_.try_emplace(pc, kUnknown);
  if (!is_new) return known->second;
  std::optional<Found> found = find_(pc);
  if (!found.has_value()) return kUnknown;
  return by_pc_[pc] = Add(found->begin, std::move(found->name));
}

uint32_t Functions::Unnamed(uint64_t pc) {
  // No symbol begins at an odd multiple of two.
  Entered& entered = entered_[pc / 4 % kEntered];
  if (entered.pc != pc) {
    const uint64_t address = pc & ~uint64_t{3};
    const char* const prefix = (pc & 1) != 0 ? "pal." : "";
    const auto known = by_begin_.find(pc | 2);
    entered.pc = pc;
    entered.function = known != by_begin_.end()
                           ? known->second
                           : Add(pc | 2, absl::StrFormat("%s0x%x", prefix, address));
  }
  return entered.function;
}

uint32_t Functions::Add(uint64_t begin, std::string name) {
  const auto [known, is_new] = by_begin_.try_emplace(begin, static_cast<uint32_t>(names_.size()));
  if (is_new) {
    names_.push_back(std::move(name));
    begins_.push_back(begin);
  }
  return known->second;
}

size_t CallTree::Slot(uint32_t parent, uint32_t function, Level level) const {
  size_t slot = Hash(parent, function, level) & (table_.size() - 1);
  for (; table_[slot] != 0; slot = (slot + 1) & (table_.size() - 1)) {
    const Node& node = nodes_[table_[slot]];
    if (node.parent == parent && node.function == function && node.level == level) break;
  }
  return slot;
}

uint32_t CallTree::FindOrMake(uint32_t parent, uint32_t function, Level level) {
  const size_t slot = Slot(parent, function, level);
  if (table_[slot] != 0) return table_[slot];
  if (full()) return 0;
  const auto node = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back({parent, function, 0, level});
  table_[slot] = node;
  if (nodes_.size() > table_.size() / 2) Grow();
  return node;
}

void CallTree::Grow() {
  table_.assign(2 * table_.size(), 0);
  for (uint32_t node = 1; node < nodes_.size(); ++node) {
    table_[Slot(nodes_[node].parent, nodes_[node].function, nodes_[node].level)] = node;
  }
}

}  // namespace isochron::debug
