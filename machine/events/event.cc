#include "machine/events/event.h"

namespace isochron::machine {

FrameEvent FrameEvent::Of(std::string_view frame, size_t whole_frames) {
  FrameEvent event;
  if (frame.size() <= whole_frames) {
    event.bytes.assign(frame);
  } else {
    event.long_size = static_cast<uint32_t>(frame.size());
    event.digest = DigestOf(frame);
  }
  return event;
}

}  // namespace isochron::machine
