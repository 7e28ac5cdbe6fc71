#include "alpha/tlb.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <span>

namespace isochron::alpha {
namespace {

uint32_t ValidEntries(const std::array<uint32_t, 4>& by_granularity) {
  return std::accumulate(by_granularity.begin(), by_granularity.end(), uint32_t{0});
}

// In place of an ASN: of entries with ASM.
constexpr uint64_t kAllSpaces = 256;

// Where a page of an address space is looked for. Processes have the same addresses, and Linux
// gives each of them one ASN after another: in one chain they would make it some hundred entries
// long.
uint64_t PlaceOf(uint64_t va, uint64_t space) {
  constexpr uint64_t kLargestPage = uint64_t{1} << 22;
  return va ^ (space * 0x9e3779b97f4a7c15 & ~(kLargestPage - 1));
}

uint64_t PlaceOf(const TlbEntry& entry) {
  return PlaceOf(entry.tag, entry.match_all ? kAllSpaces : entry.asn);
}

}  // namespace

template <typename Visitor, typename Self>
void TlbEntry::Walk(Visitor& visitor, Self& self) {
  visitor.Field("tag", self.tag);
  visitor.Field("base", self.base);
  visitor.Field("permissions", self.permissions);
  visitor.Field("asn", self.asn);
  visitor.Field("granularity", self.granularity);
  visitor.Field("asm", self.match_all);
  visitor.Field("valid", self.valid);
}

void TlbEntry::VisitState(StateVisitor& visitor) const { Walk(visitor, *this); }

void TlbEntry::RestoreState(StateReader& reader) {
  Walk(reader, *this);
  if (granularity > 3) {
    reader.Fail("a translation has no such granularity");
    granularity = 0;
  }
  // As ITB_PTE and DTB_PTE make them. Engines count on translated addresses that are aligned as the
  // virtual ones.
  if (((tag | base) & offset_mask()) != 0 || base > kPhysicalMask) {
    reader.Fail("a translation begins within a page, or beyond physical memory");
    *this = {};
  }
}

Tlb::Tlb(uint32_t size)
    : entries_(size), heads_(std::bit_ceil(size) * 2, kNone), chain_(size, kNone) {}

size_t Tlb::Bucket(uint64_t va, int granularity) const {
  const uint64_t page = va >> (13 + 3 * granularity);
  return (page ^ (page >> 10) ^ static_cast<uint64_t>(granularity)) & (heads_.size() - 1);
}

uint16_t Tlb::FindIndex(uint64_t va, uint8_t asn) const {
  for (int granularity = 0; granularity < 4; ++granularity) {
    if (granularity_count_[granularity] == 0) continue;
    uint16_t found = kNone;
    for (const uint64_t space : {uint64_t{asn}, kAllSpaces}) {
      for (uint16_t i = heads_[Bucket(PlaceOf(va, space), granularity)]; i != kNone;
           i = chain_[i]) {
        const TlbEntry& entry = entries_[i];
        if (entry.granularity == granularity && (va & ~entry.offset_mask()) == entry.tag &&
            (entry.match_all || entry.asn == asn)) {
          found = std::min(found, i);
        }
      }
    }
    if (found != kNone) return found;
  }
  return kNone;
}

const TlbEntry* Tlb::Find(uint64_t va, uint8_t asn) const {
  const uint16_t index = FindIndex(va, asn);
  return index == kNone ? nullptr : &entries_[index];
}

void Tlb::Insert(const TlbEntry& entry) {
  uint16_t index = FindIndex(entry.tag, entry.asn);
  if (index == kNone) {
    index = static_cast<uint16_t>(next_);
    next_ = (next_ + 1) % size();
  }
  replaced_ = entries_[index];
  if (replaced_.valid) Unlink(index);
  entries_[index] = entry;
  entries_[index].tag &= ~entry.offset_mask();
  entries_[index].base &= ~entry.offset_mask();
  entries_[index].valid = true;
  Link(index);
}

// Both go back from the entry written last to the oldest valid one, so that a guest which does
// nothing else pays, and the host with it, for what it has inserted and not for the size.
void Tlb::InvalidateAll() {
  uint32_t left = ValidEntries(granularity_count_);
  for (uint32_t i = next_; left != 0;) {
    i = (i == 0 ? size() : i) - 1;
    if (!entries_[i].valid) continue;
    Unlink(static_cast<uint16_t>(i));
    entries_[i] = TlbEntry{};
    --left;
  }
  only_small_ = true;
}

void Tlb::InvalidateProcess() {
  uint32_t left = ValidEntries(granularity_count_);
  for (uint32_t i = next_; left != 0;) {
    i = (i == 0 ? size() : i) - 1;
    if (!entries_[i].valid) continue;
    --left;
    if (entries_[i].match_all) continue;
    Unlink(static_cast<uint16_t>(i));
    entries_[i] = TlbEntry{};
  }
}

void Tlb::InvalidateSingle(uint64_t va, uint8_t asn) {
  for (uint16_t i = FindIndex(va, asn); i != kNone; i = FindIndex(va, asn)) {
    Unlink(i);
    entries_[i] = TlbEntry{};
  }
}

void Tlb::Link(uint16_t index) {
  const TlbEntry& entry = entries_[index];
  uint16_t& head = heads_[Bucket(PlaceOf(entry), entry.granularity)];
  chain_[index] = head;
  head = index;
  ++granularity_count_[entry.granularity];
  only_small_ = only_small_ && entry.granularity == 0;
}

void Tlb::Unlink(uint16_t index) {
  const TlbEntry& entry = entries_[index];
  uint16_t* link = &heads_[Bucket(PlaceOf(entry), entry.granularity)];
  while (*link != index) link = &chain_[*link];
  *link = chain_[index];
  --granularity_count_[entry.granularity];
}

void Tlb::Rebuild() {
  std::fill(heads_.begin(), heads_.end(), kNone);
  granularity_count_ = {};
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].valid) Link(static_cast<uint16_t>(i));
  }
}

template <typename Visitor, typename Self>
void Tlb::Walk(Visitor& visitor, Self& self) {
  visitor.Elements(std::span(self.entries_));
  visitor.Field("next", self.next_);
}

void Tlb::VisitState(StateVisitor& visitor) const { Walk(visitor, *this); }

void Tlb::RestoreState(StateReader& reader) {
  Walk(reader, *this);
  if (next_ >= size()) {
    reader.Fail("a translation buffer's next entry is out of range");
    next_ = 0;
  }
  Rebuild();
}

}  // namespace isochron::alpha
