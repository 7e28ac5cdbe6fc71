#include "jit/block_registers.h"

#include <algorithm>

namespace isochron::jit {

void BlockRegisters::Reset() {
  for (Copy& copy : copies_) {
    copy.place = kNone;
    copy.kept_until = 0;
  }
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

bool BlockRegisters::Needed(int place) const {
  const GuestInstruction& instruction = block_->code[index_];
  return ((instruction.reads | instruction.writes) >> place & 1) != 0;
}

int BlockRegisters::Take(int place) {
  const auto size = static_cast<uint32_t>(block_->code.size());
  const uint32_t wanted = NextRead(place);
  if (wanted == size) return kNone;
  // The copy that is read last, or not at all, makes room.
  Copy* victim = nullptr;
  uint32_t latest = 0;
  for (Copy& copy : copies_) {
    if ((taken_ >> copy.host & 1) != 0 || copy.kept_until > index_) continue;
    if (copy.place != kNone && Needed(copy.place)) continue;
    const uint32_t read = copy.place == kNone ? size + 1 : NextRead(copy.place);
    if (victim == nullptr || read > latest) {
      victim = &copy;
      latest = read;
    }
  }
  if (victim == nullptr || latest <= wanted) return kNone;
  victim->place = kNone;
  taken_ |= uint64_t{1} << victim->host;
  return victim->host;
}

void BlockRegisters::Hold(int host, int place) {
  for (Copy& copy : copies_) {
    if (copy.host == host) copy.place = place;
  }
}

uint32_t BlockRegisters::Overwritten(int place) const {
  const uint64_t bit = uint64_t{1} << place;
  for (uint32_t i = index_ + 1; i < block_->code.size() && block_->code[i].plain; ++i) {
    if ((block_->code[i].writes & bit) != 0) return i;
  }
  return 0;
}

bool BlockRegisters::KeepFromMemory(int place, int host) {
  const uint32_t overwritten = Overwritten(place);
  if (overwritten == 0) return false;
  for (Copy& copy : copies_) {
    if (copy.host != host || copy.place != place) continue;
    copy.kept_until = overwritten;
    return true;
  }
  // No copy: fine when nobody reads it. What overwrites it may read it first.
  return NextRead(place) > overwritten;
}

void BlockRegisters::Drop(int place) {
  for (Copy& copy : copies_) {
    if (copy.place == place) copy.place = kNone;
  }
}

}  // namespace isochron::jit
