// Where frames go that the guest sends.

#ifndef ISOCHRON_MACHINE_BUS_FRAME_SINK_H_
#define ISOCHRON_MACHINE_BUS_FRAME_SINK_H_

#include <cstdint>
#include <string_view>

namespace isochron::machine {

// Sees every frame that a network device has sent, in order, with the cycle at which it left.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  // `frame`: kMinFrame to kMaxFrame bytes.
  virtual void OnFrame(uint64_t cycle, std::string_view frame) = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_FRAME_SINK_H_
