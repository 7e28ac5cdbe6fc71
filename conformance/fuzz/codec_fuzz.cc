// Decodes arbitrary bytes as a header and as a frame. What can be decoded encodes to the same
// bytes, unless it is input of version 1.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "replaylog/codec.h"

namespace isochron::replaylog {
namespace {

void DecodeAsHeader(std::string_view bytes) {
  absl::StatusOr<LogHeader> header = DecodeHeader(bytes);
  if (!header.ok()) return;
  // The bytes themselves may hold fields that we skip, or another minor version.
  absl::StatusOr<std::string> encoded = EncodeHeader(*header);
  if (bytes.size() <= kMaxHeaderBytes && (!encoded.ok() || !DecodeHeader(*encoded).ok())) {
    std::abort();
  }
}

void DecodeAsFrame(std::string_view bytes) {
  FrameDecoder decoder;
  if (!decoder.Start(bytes).ok()) return;
  const bool first_frame = decoder.start() == FrameStart();
  bool old_input = false;  // perhaps a record of version 1, which is written as another one
  FrameEncoder encoder;
  Event event;
  absl::StatusOr<bool> got = false;
  while ((got = decoder.Next(event)).ok() && *got) {
    if (first_frame && !encoder.Append(event).ok()) std::abort();
    const auto* input = std::get_if<InputEvent>(&event.body);
    old_input |= input != nullptr && input->input.kind == machine::InputKind::kBytes &&
                 input->input.port == machine::Port::Uart(0);
  }
  if (got.ok() && first_frame && !old_input && encoder.bytes() != bytes) std::abort();
}

}  // namespace
}  // namespace isochron::replaylog

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  isochron::replaylog::DecodeAsHeader(bytes);
  isochron::replaylog::DecodeAsFrame(bytes);
  return 0;
}
