// Escapes in texts that people write.

#ifndef ISOCHRON_HOSTIO_ESCAPE_H_
#define ISOCHRON_HOSTIO_ESCAPE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace isochron::hostio {

// Takes an escape without its backslash off the beginning of `rest` and appends what it stands for:
// \n \r \t \e \\ \" \xHH and \^C. InvalidArgument with a message that says what is wrong.
absl::Status TakeEscape(std::string_view& rest, std::string& text);

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_ESCAPE_H_
