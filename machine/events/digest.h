// Digests of machine state.

#ifndef ISOCHRON_MACHINE_EVENTS_DIGEST_H_
#define ISOCHRON_MACHINE_EVENTS_DIGEST_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alpha/memory.h"

namespace isochron::machine {

// Whether this build stops the process where a page of RAM has changed without its dirty mark.
#ifdef ISOCHRON_CHECK_DIGESTS
inline constexpr bool kChecksDigests = true;
#else
inline constexpr bool kChecksDigests = false;
#endif

// A 128-bit XXH3 value.
struct Digest {
  uint64_t low = 0;
  uint64_t high = 0;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Field("low", self.low);
    visitor.Field("high", self.high);
  }

  friend bool operator==(const Digest&, const Digest&) = default;
  // 32 hexadecimal digits, the high half first.
  std::string ToString() const;
};

Digest DigestOf(std::string_view bytes);

// Whether the alpha::kPageSize bytes at `page` are all zero.
bool IsZeroPage(const uint8_t* page);

// The digest of RAM: the wrapping sum, over all pages that are not all zero, of XXH3-128 of the
// page's contents with the page's number as seed. A function of the contents alone: the dirty
// marks only say which pages to hash again.
class MemoryDigest {
 public:
  explicit MemoryDigest(alpha::Memory& memory);

  // Hashes the pages marked dirty, clears the marks and returns the sum.
  Digest Update();
  // The digest of each page as of the last Update(); zero for a page of zeros.
  const std::vector<Digest>& pages() const { return pages_; }
  // What the last Update() returned; that of zeros before it.
  const Digest& sum() const { return sum_; }
  // The sum without trusting marks or earlier results.
  Digest Recompute() const;

 private:
  Digest HashPage(uint64_t page) const;

  alpha::Memory& memory_;
  std::vector<Digest> pages_;  // zero for a page of zeros
  Digest sum_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_EVENTS_DIGEST_H_
