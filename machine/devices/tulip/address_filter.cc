#include "machine/devices/tulip/address_filter.h"

namespace isochron::machine {
namespace {

constexpr size_t kFilterEntries = 16, kFilterEntryWords = 3;
constexpr uint32_t kFilterHashMask = 0x1ff;
constexpr size_t kFilterHashAddress =
    39;  // the word with which the one address of hash filtering begins
constexpr int kFilterWordBits = 16;

}  // namespace

void AddressFilter::Reset() {
  kind_ = Kind::kPerfect;
  words_ = {};
}

void AddressFilter::Set(Kind kind, std::span<const uint8_t, kSetupBytes> setup) {
  kind_ = kind;
  for (size_t i = 0; i < words_.size(); ++i) {
    words_[i] = static_cast<uint16_t>(setup[4 * i] | setup[4 * i + 1] << 8);
  }
}

bool AddressFilter::IsEntry(size_t first_word, const StationAddress& address) const {
  for (size_t i = 0; i < kFilterEntryWords; ++i) {
    if (words_[first_word + i] != (address[2 * i] | address[2 * i + 1] << 8)) return false;
  }
  return true;
}

bool AddressFilter::IsAnyEntry(const StationAddress& address) const {
  for (size_t entry = 0; entry < kFilterEntries; ++entry) {
    if (IsEntry(kFilterEntryWords * entry, address)) return true;
  }
  return false;
}

bool AddressFilter::HashHas(const StationAddress& address) const {
  const uint32_t index = ~EthernetCrc(address) & kFilterHashMask;
  return (words_[index / kFilterWordBits] >> (index % kFilterWordBits) & 1) != 0;
}

bool AddressFilter::Passes(const StationAddress& address) const {
  const bool group = (address[0] & 1) != 0;
  switch (kind_) {
    case Kind::kPerfect: return IsAnyEntry(address);
    case Kind::kInverse: return !IsAnyEntry(address);
    case Kind::kHash: return group ? HashHas(address) : IsEntry(kFilterHashAddress, address);
    case Kind::kHashOnly: return HashHas(address);
  }
  return false;
}

void AddressFilter::Check(alpha::StateReader& reader) {
  if (kind_ <= Kind::kHashOnly) return;
  reader.Fail("an address filter cannot be of that kind");
  Reset();
}

}  // namespace isochron::machine
