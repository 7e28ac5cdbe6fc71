#include "jit/block_registers.h"

#include <algorithm>
#include <bit>
#include <iterator>

#include "jit/planted_bugs.h"

namespace isochron::jit {

void BlockRegisters::Reset() {
  for (Copy& copy : copies_) {
    copy.place = kNone;
    copy.dirty = false;
  }
}

BlockRegisters::Copies BlockRegisters::StoresBefore(uint64_t places) {
  Copies stores;
  const auto store = [&stores](Copy& copy) {
    if (copy.dirty) stores.push_back(copy);
    copy.dirty = false;
  };
  if (IsLast()) {
    for (Copy& copy : copies_) store(copy);
    return stores;
  }
  for (; places != 0; places &= places - 1) {
    const int place = std::countr_zero(places);
    if (Find(place) != kNone) continue;
    Copy* victim = Victim(place, true);
    if (victim == nullptr) continue;
    taken_ |= uint64_t{1} << victim->host;
    store(*victim);
  }
  taken_ = 0;
  return stores;
}

int BlockRegisters::Find(int place) const {
  for (const Copy& copy : copies_) {
    if (copy.place == place) return copy.host;
  }
  return kNone;
}

uint32_t BlockRegisters::NextRead(int place) const {
  const uint64_t bit = uint64_t{1} << place;
  const auto size = static_cast<uint32_t>(block_->code.size());
  for (uint32_t i = index_ + 1; i < size; ++i) {
    if ((block_->code[i].reads & bit) != 0) return i;
    if ((block_->code[i].writes & bit) != 0) break;
  }
  return size;
}

BlockRegisters::Copy* BlockRegisters::Victim(int place, bool may_be_dirty) {
  const GuestInstruction& instruction = block_->code[index_];
  const uint64_t needed = instruction.reads | instruction.writes;
  const auto size = static_cast<uint32_t>(block_->code.size());
  const uint32_t wanted = NextRead(place);
  if (wanted == size) return nullptr;
  Copy* victim = nullptr;
  uint32_t latest = wanted;
  for (Copy& copy : copies_) {
    if ((taken_ >> copy.host & 1) != 0 || (copy.dirty && !may_be_dirty)) continue;
    if (copy.place != kNone && (needed >> copy.place & 1) != 0) continue;
    const uint32_t read = copy.place == kNone ? size + 1 : NextRead(copy.place);
    if (read <= latest) continue;
    victim = &copy;
    latest = read;
  }
  return victim;
}

int BlockRegisters::Take(int place) {
  Copy* victim = Victim(place, false);
  if (victim == nullptr) return kNone;
  victim->place = kNone;
  taken_ |= uint64_t{1} << victim->host;
  return victim->host;
}

bool BlockRegisters::Hold(int host, int place, bool dirty) {
  const bool later = !IsLast();
  for (Copy& copy : copies_) {
    if (copy.host != host) continue;
    copy.place = place;
    copy.dirty = dirty && later;
  }
  return later;
}

bool BlockRegisters::IsDead(int place) const {
  const uint64_t bit = uint64_t{1} << place;
  for (uint32_t i = index_ + 1; i < block_->code.size(); ++i) {
    if (!block_->code[i].plain && !Planted(Bug::kDeadStoreTooEager)) break;
    if ((block_->code[i].reads & bit) != 0) return false;
    if ((block_->code[i].writes & bit) != 0) return true;
  }
  return false;
}

void BlockRegisters::Drop(int place) {
  for (Copy& copy : copies_) {
    if (copy.place != place || Planted(Bug::kCopyOutlivesWrite)) continue;
    copy.place = kNone;
    copy.dirty = false;
  }
}

BlockRegisters::Copies BlockRegisters::dirty() const {
  Copies dirty;
  std::copy_if(copies_.begin(), copies_.end(), std::back_inserter(dirty),
               [](const Copy& copy) { return copy.dirty; });
  return dirty;
}

}  // namespace isochron::jit
