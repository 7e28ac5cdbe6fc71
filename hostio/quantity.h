// Numbers and dates as people write them on a command line or in a script.

#ifndef ISOCHRON_HOSTIO_QUANTITY_H_
#define ISOCHRON_HOSTIO_QUANTITY_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace isochron::hostio {

// All return InvalidArgument with a message that quotes the text and says what would do.

// How messages speak of a kind of number.
struct Wording {
  std::string_view what;      // "a size"
  std::string_view suffixes;  // "K, M or G"
  std::string_view unit;      // "bytes"
};

// The first `digits` characters of `text`, decimal digits with perhaps a decimal point among them,
// times `scale`, which must make a whole number of them.
absl::StatusOr<uint64_t> ParseDecimal(std::string_view text, size_t digits, uint64_t scale,
                                      const Wording& wording);

// The same of all of `text`, in which K, M or G (either case) stand for `kilo`, its square and its
// cube.
absl::StatusOr<uint64_t> ParseScaled(std::string_view text, uint64_t kilo, const Wording& wording);

// A number of bytes: decimal digits, "1.5G" too, and perhaps K, M or G (either case), which stand
// for 2^10, 2^20 and 2^30.
absl::StatusOr<uint64_t> ParseSize(std::string_view text);

// A number of cycles or Hz: decimal digits, "1.5G" too, and perhaps K, M or G, which stand for
// 10^3, 10^6 and 10^9.
absl::StatusOr<uint64_t> ParseCycles(std::string_view text);

// YYYY-MM-DDTHH:MM:SS, UTC, 1970 to 9999, as seconds since 1970-01-01T00:00:00.
absl::StatusOr<int64_t> ParseDateTime(std::string_view text);

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_QUANTITY_H_
