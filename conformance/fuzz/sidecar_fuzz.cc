// Reads arbitrary bytes as the list of images that a sidecar holds: an error that names a line, or
// images that are written and read again as the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "replaylog/image_set.h"

namespace isochron::replaylog {
namespace {

void ReadList(std::string_view text) {
  const absl::StatusOr<std::vector<ImageFile>> images = ParseImageList(text, "/directory");
  if (!images.ok()) {
    if (images.status().message().empty()) std::abort();
    return;
  }
  const absl::StatusOr<std::vector<ImageFile>> again =
      ParseImageList(FormatImageList(*images), "/elsewhere");
  if (!again.ok() || again->size() != images->size()) std::abort();
  for (size_t i = 0; i < images->size(); ++i) {
    // Names have become absolute: the directory no longer counts.
    const bool same =
        (*again)[i].record == (*images)[i].record && (*again)[i].path == (*images)[i].path;
    if (!same) std::abort();
  }
}

}  // namespace
}  // namespace isochron::replaylog

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  isochron::replaylog::ReadList(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
