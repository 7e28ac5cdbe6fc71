#include "machine/events/guest_time.h"

#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hostio/quantity.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

}  // namespace

uint64_t GuestTime::Cycles(uint64_t clock_hz) const {
  if (!is_nanoseconds_) return count_;
  const unsigned __int128 product = static_cast<unsigned __int128>(count_) * clock_hz;
  return static_cast<uint64_t>((product + kNanosecondsPerSecond - 1) / kNanosecondsPerSecond);
}

absl::StatusOr<GuestTime> ParseGuestTime(std::string_view text) {
  constexpr std::string_view kWhat = "a number of cycles or a time";
  constexpr std::string_view kSuffixes = "K, M or G, or by ns, us, ms or s";
  constexpr std::array<std::pair<std::string_view, uint64_t>, 4> kUnits = {
      {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", kNanosecondsPerSecond}}};
  for (const auto& [unit, nanoseconds] : kUnits) {
    if (!text.ends_with(unit)) continue;
    absl::StatusOr<uint64_t> value = hostio::ParseDecimal(
        text, text.size() - unit.size(), nanoseconds, {kWhat, kSuffixes, "nanoseconds"});
    if (!value.ok()) return value.status();
    if (*value > GuestTime::kMaxSeconds * kNanosecondsPerSecond) {
      return absl::InvalidArgumentError(absl::StrCat("'", std::string(text), "' is too large"));
    }
    return GuestTime::OfNanoseconds(*value);
  }
  absl::StatusOr<uint64_t> cycles = hostio::ParseScaled(text, 1000, {kWhat, kSuffixes, "cycles"});
  if (!cycles.ok()) return cycles.status();
  return GuestTime::OfCycles(*cycles);
}

}  // namespace isochron::machine
