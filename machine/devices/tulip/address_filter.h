// Which frames a 21143 receives.

#ifndef ISOCHRON_MACHINE_DEVICES_TULIP_ADDRESS_FILTER_H_
#define ISOCHRON_MACHINE_DEVICES_TULIP_ADDRESS_FILTER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "alpha/state_visitor.h"
#include "machine/devices/network/ethernet.h"

namespace isochron::machine {

// The address filter, as a setup frame makes it (21143 HRM, 4.2.3). It knows no other address of
// its own, not even that for all stations.
class AddressFilter {
 public:
  static constexpr size_t kSetupBytes = 192;

  // What the setup frame is, by TDES1<FT1> and <FT0>.
  enum class Kind : uint8_t {
    kPerfect = 0,   // 16 addresses
    kHash = 1,      // one address; a hash of those of groups
    kInverse = 2,   // all but 16 addresses
    kHashOnly = 3,  // a hash of all
  };

  void Reset();
  void Set(Kind kind, std::span<const uint8_t, kSetupBytes> setup);
  Kind kind() const { return kind_; }
  // Whether frames for this address pass.
  bool Passes(const StationAddress& address) const;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Field("kind", self.kind_);
    visitor.Field("words", self.words_);
  }
  void Check(alpha::StateReader& reader);

 private:
  bool IsEntry(size_t first_word, const StationAddress& address) const;
  bool IsAnyEntry(const StationAddress& address) const;
  bool HashHas(const StationAddress& address) const;

  Kind kind_ = Kind::kPerfect;
  // The lower halves of the setup frame's longwords: the others are not looked at.
  std::array<uint16_t, kSetupBytes / 4> words_{};
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_TULIP_ADDRESS_FILTER_H_
