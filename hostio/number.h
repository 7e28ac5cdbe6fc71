// Numbers as people write addresses and counts.

#ifndef ISOCHRON_HOSTIO_NUMBER_H_
#define ISOCHRON_HOSTIO_NUMBER_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"

namespace isochron::hostio {

// All of `text` as an unsigned number in that base; nothing when there is anything else in it, a
// sign too, or 64 bits do not hold it.
std::optional<uint64_t> ParseDigits(std::string_view text, int base);

// A plain number of up to 64 bits, decimal or 0x hexadecimal. InvalidArgument with a message that
// quotes the text.
absl::StatusOr<uint64_t> ParseNumber(std::string_view text);

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_NUMBER_H_
