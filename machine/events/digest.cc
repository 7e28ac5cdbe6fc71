#include "machine/events/digest.h"

#include <sys/mman.h>
#include <xxhash.h>
#ifdef ISOCHRON_XXHASH_DISPATCH
#include <xxh_x86dispatch.h>  // the same functions with AVX2 or AVX-512 where the host has it
#endif

#include <cstring>

#include "absl/strings/str_format.h"
#include "machine/events/planted_breaks.h"

namespace isochron::machine {
namespace {

using Wide = unsigned __int128;

Wide ToWide(Digest digest) { return static_cast<Wide>(digest.high) << 64 | digest.low; }

Digest FromWide(Wide wide) {
  return {static_cast<uint64_t>(wide), static_cast<uint64_t>(wide >> 64)};
}

// Hashing waits for memory more than for arithmetic, and hosts do not fetch ahead across pages.
void Prefetch(const uint8_t* page) {
  constexpr uint64_t kCacheLine = 64;
  for (uint64_t i = 0; i < alpha::kPageSize; i += kCacheLine) __builtin_prefetch(page + i);
}

}  // namespace

std::string Digest::ToString() const { return absl::StrFormat("%016x%016x", high, low); }

Digest DigestOf(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

bool IsZeroPage(const uint8_t* page) {
  return page[0] == 0 && std::memcmp(page, page + 1, alpha::kPageSize - 1) == 0;
}

MemoryDigest::MemoryDigest(alpha::Memory& memory)
    : memory_(memory), pages_(memory.size() >> alpha::kPageShift) {}

Digest MemoryDigest::HashPage(uint64_t page) const {
  const uint8_t* contents = memory_.host(page << alpha::kPageShift);
  if (IsZeroPage(contents)) return {};
  const XXH128_hash_t hash = XXH3_128bits_withSeed(contents, alpha::kPageSize, page);
  return {hash.low64, hash.high64};
}

Digest MemoryDigest::Update() {
  Wide sum = ToWide(sum_);
  for (uint64_t page = 0; page < pages_.size(); ++page) {
    if (!memory_.IsDirty(page << alpha::kPageShift)) continue;
    if (Planted(Break::kDigestSkipsPage) && page != 0 &&
        memory_.IsDirty((page - 1) << alpha::kPageShift)) {
      continue;
    }
    if (page + 1 < pages_.size() && memory_.IsDirty((page + 1) << alpha::kPageShift)) {
      Prefetch(memory_.host((page + 1) << alpha::kPageShift));
    }
    const Digest hash = HashPage(page);
    sum += ToWide(hash) - ToWide(pages_[page]);
    pages_[page] = hash;
  }
  memory_.ClearDirty();
  sum_ = FromWide(sum);
  return sum_;
}

Digest MemoryDigest::Recompute() const {
#ifdef MADV_POPULATE_READ
  // Most pages of a young machine have never been touched: one call is a tenth of the time of a
  // fault for each. Where it is refused, the faults come.
  (void)madvise(memory_.host(0), memory_.size(), MADV_POPULATE_READ);
#endif
  Wide sum = 0;
  for (uint64_t page = 0; page < pages_.size(); ++page) sum += ToWide(HashPage(page));
  return FromWide(sum);
}

}  // namespace isochron::machine
