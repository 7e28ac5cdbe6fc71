#include "ref/lookaside.h"

namespace isochron::ref {

void DataLookaside::Add(uint64_t va, uint64_t context, uint8_t* host, bool writable) {
  Entry& entry = entries_[Index(va)];
  const uint64_t tag = (va & ~alpha::kPageMask) | context;
  const uint64_t addend = reinterpret_cast<uint64_t>(host) - va;
  if (entry.read_tag != tag || entry.addend != addend) entry.write_tag = NoTag(Index(va));
  entry.read_tag = tag;
  entry.addend = addend;
  if (writable) entry.write_tag = tag;
}

void DataLookaside::Flush() {
  for (size_t i = 0; i <= index_mask_; ++i) Invalidate(i);
}

void DataLookaside::FlushWrites() {
  for (size_t i = 0; i <= index_mask_; ++i) entries_[i].write_tag = NoTag(i);
}

void DataLookaside::FlushWritesTo(const uint8_t* host) {
  const auto page = reinterpret_cast<uint64_t>(host);
  for (size_t i = 0; i <= index_mask_; ++i) {
    Entry& entry = entries_[i];
    const uint64_t at = (entry.write_tag & ~alpha::kPageMask) + entry.addend;
    if (at == page) entry.write_tag = NoTag(i);
  }
}

void DataLookaside::Invalidate(size_t index) {
  entries_[index].read_tag = entries_[index].write_tag = NoTag(index);
}

}  // namespace isochron::ref
