#include "jit/access_groups.h"

#include <algorithm>
#include <bit>

namespace isochron::jit {

using alpha::Op;

Reference ReferenceOf(Op op) {
  switch (op) {
    case Op::kLdbu: return {1, false, false};
    case Op::kLdwu: return {2, false, false};
    case Op::kLdl:
    case Op::kLds: return {4, false, false};
    case Op::kLdq:
    case Op::kLdt: return {8, false, false};
    case Op::kLdqU: return {8, true, false};
    case Op::kStb: return {1, false, true};
    case Op::kStw: return {2, false, true};
    case Op::kStl:
    case Op::kSts: return {4, false, true};
    case Op::kStq:
    case Op::kStt: return {8, false, true};
    case Op::kStqU: return {8, true, true};
    default: return {};
  }
}

AccessGroups::AccessGroups(const Region& region, bool none) : blocks_(region.blocks.size()) {
  for (size_t i = 0; i < blocks_.size(); ++i) {
    blocks_[i].places.resize(region.blocks[i].code.size());
  }
  if (none) return;
  FindParents(region);
  Walk(region, [&](const GuestInstruction& guest, Place& place, Bases& bases) {
    Collect(guest, place, bases);
  });
  Walk(region, [&](const GuestInstruction& guest, Place& place, Bases& bases) {
    Settle(guest, place, bases);
  });
}

void AccessGroups::FindParents(const Region& region) {
  constexpr int kSeveral = -2;
  const auto note = [&](int to, size_t from) {
    if (to == GuestBlock::kNoBlock) return;
    int& parent = blocks_[static_cast<size_t>(to)].parent;
    parent = parent == GuestBlock::kNoBlock ? static_cast<int>(from) : kSeveral;
  };
  for (size_t i = 0; i < region.blocks.size(); ++i) {
    note(region.blocks[i].taken, i);
    note(region.blocks[i].next, i);
  }
  for (size_t i = 0; i < blocks_.size(); ++i) {
    int& parent = blocks_[i].parent;
    // All blocks are reached from the entry, so that parents lead there or to one that has several.
    if (parent == kSeveral || static_cast<int>(i) == region.entry) parent = GuestBlock::kNoBlock;
  }
}

// Calls `visit` with all instructions, those of a block behind those of its parent.
template <typename Visit>
void AccessGroups::Walk(const Region& region, Visit visit) {
  Bases none;
  none.fill(kNone);
  std::vector<std::pair<size_t, Bases>> open;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (blocks_[i].parent == GuestBlock::kNoBlock) open.emplace_back(i, none);
  }
  while (!open.empty()) {
    auto [index, bases] = open.back();
    open.pop_back();
    const GuestBlock& block = region.blocks[index];
    blocks_[index].open = SlotsOf(bases);
    for (size_t i = 0; i < block.code.size(); ++i) {
      visit(block.code[i], blocks_[index].places[i], bases);
      for (uint64_t written = block.code[i].writes; written != 0; written &= written - 1) {
        bases[static_cast<size_t>(std::countr_zero(written))] = kNone;
      }
    }
    for (const int next : {block.taken, block.next}) {
      if (next == GuestBlock::kNoBlock) continue;
      const auto child = static_cast<size_t>(next);
      if (blocks_[child].parent == static_cast<int>(index)) open.emplace_back(child, bases);
    }
  }
}

// Makes an access a member of the group of its base, or of a new one.
void AccessGroups::Collect(const GuestInstruction& guest, Place& place, Bases& bases) {
  const Reference reference = ReferenceOf(guest.word.op);
  if (reference.bytes == 0 || guest.rb == 31) return;
  if (!reference.write && guest.ra == 31) return;  // a prefetch
  // It would be misaligned while the base is as aligned as it must be.
  if (!reference.unaligned && guest.word.immediate % reference.bytes != 0) return;
  int16_t& base = bases[guest.rb];
  if (base == kNone || !Join(guest, reference, base)) {
    base = static_cast<int16_t>(groups_.size());
    groups_.emplace_back();
    members_.push_back(0);
    place.first = true;
    const auto at = static_cast<int32_t>(guest.word.immediate);
    groups_.back().low = at;
    groups_.back().high = at;
    Join(guest, reference, base);
  }
  place.group = base;
  ++members_[static_cast<size_t>(base)];
}

// False when the group would become too long.
bool AccessGroups::Join(const GuestInstruction& guest, const Reference& reference, int16_t index) {
  AccessGroup& group = groups_[static_cast<size_t>(index)];
  const auto at = static_cast<int32_t>(guest.word.immediate);
  const int32_t low = std::min(group.low, reference.unaligned ? at - 7 : at);
  const int32_t high = std::max(group.high, at + reference.bytes - 1);
  if (high - low >= kMaxSpan) return false;
  group.low = low;
  group.high = high;
  if (!reference.unaligned) group.align = std::max(group.align, reference.bytes);
  group.reads = group.reads || !reference.write;
  group.writes = group.writes || reference.write;
  return true;
}

// Gives a group its slot, if it has other members than its first one.
void AccessGroups::Settle(const GuestInstruction& guest, Place& place, Bases& bases) {
  if (!place.first) return;
  bases[guest.rb] = kNone;
  const int slot = std::countr_one(static_cast<uint32_t>(SlotsOf(bases)));
  if (members_[static_cast<size_t>(place.group)] == 1 || slot >= kSlots) return;
  groups_[static_cast<size_t>(place.group)].slot = slot;
  bases[guest.rb] = place.group;
}

uint16_t AccessGroups::SlotsOf(const Bases& bases) const {
  uint32_t slots = 0;
  for (const int16_t base : bases) {
    if (base == kNone) continue;
    const int slot = groups_[static_cast<size_t>(base)].slot;
    if (slot != AccessGroup::kNoSlot) slots |= uint32_t{1} << slot;
  }
  return static_cast<uint16_t>(slots);
}

}  // namespace isochron::jit
