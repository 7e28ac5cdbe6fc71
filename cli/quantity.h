// Numbers and dates as people write them on a command line or in a script.

#ifndef ISOCHRON_CLI_QUANTITY_H_
#define ISOCHRON_CLI_QUANTITY_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace isochron::cli {

// All return InvalidArgument with a message that quotes the text and says what would do.

// A number of bytes: decimal digits and perhaps K, M or G (either case), which stand for
// 2^10, 2^20 and 2^30.
absl::StatusOr<uint64_t> ParseSize(std::string_view text);

// A number of cycles or Hz: decimal digits and perhaps K, M or G, which stand for 10^3, 10^6
// and 10^9.
absl::StatusOr<uint64_t> ParseCycles(std::string_view text);

// A plain number of up to 64 bits, decimal or 0x hexadecimal.
absl::StatusOr<uint64_t> ParseNumber(std::string_view text);

// YYYY-MM-DDTHH:MM:SS, UTC, 1970 to 9999, as seconds since 1970-01-01T00:00:00.
absl::StatusOr<int64_t> ParseDateTime(std::string_view text);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_QUANTITY_H_
