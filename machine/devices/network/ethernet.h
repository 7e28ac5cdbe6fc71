// The wires of network devices.

#ifndef ISOCHRON_MACHINE_DEVICES_NETWORK_ETHERNET_H_
#define ISOCHRON_MACHINE_DEVICES_NETWORK_ETHERNET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "alpha/state_visitor.h"
#include "machine/bus/event_queue.h"
#include "machine/events/config.h"

namespace isochron::machine {

using StationAddress = std::array<uint8_t, 6>;

// The speed of an Ethernet. Part of the machine model.
struct EthernetTiming {
  uint64_t bytes_per_second = 0;

  // What goes with each frame (IEEE 802.3-2018, 3.1.1 and 4A.4.2): preamble and delimiter, check
  // sequence, and the gap to the next frame; and the least that a frame is filled up to.
  static constexpr uint64_t kPreamble = 8, kCheckSequence = 4, kGap = 12, kLeast = 60;

  // What a device takes for a frame at the least, in cycles: of a clock so slow that the wire is no
  // limit, a guest has no more events than others make.
  static constexpr uint64_t kFewestCycles = 64;

  // How long a frame keeps the wire, in cycles of `hz`, rounded up.
  uint64_t FrameCycles(size_t bytes, uint64_t hz) const {
    const uint64_t filled = bytes < kLeast ? kLeast : bytes;
    const uint64_t cycles =
        TicksToCycles(kPreamble + filled + kCheckSequence + kGap, bytes_per_second, hz);
    return cycles < kFewestCycles ? kFewestCycles : cycles;
  }
};

inline constexpr EthernetTiming kFastEthernet{12'500'000};      // 100BASE-TX
inline constexpr EthernetTiming kGigabitEthernet{125'000'000};  // 1000BASE-T

// The check sequence of a frame (IEEE 802.3-2018, 3.2.9), whose least significant byte comes first.
uint32_t EthernetCrc(std::span<const uint8_t> bytes);

// The frames that are on their way to a device. What comes in at one input point comes over a wire
// that carries a frame after the other; what would have to wait behind kMaxFrames others is lost,
// as in a switch.
class ArrivingFrames {
 public:
  // What an input point brings at most.
  static constexpr size_t kMaxFrames = 64;

  bool empty() const { return frames_.empty(); }
  size_t count() const { return frames_.size(); }
  // Bytes of the next frame, of which there is one.
  size_t next_size() const { return frames_.front().bytes.size(); }
  // False when it is lost.
  bool Add(std::string_view frame) {
    if (frames_.size() == kMaxFrames) return false;
    frames_.push_back({std::string(frame)});
    return true;
  }
  // The next frame, of which there is one.
  std::string Take() {
    std::string frame = std::move(frames_.front().bytes);
    frames_.pop_front();
    return frame;
  }
  void Clear() { frames_.clear(); }

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Field("frames", self.frames_, kMaxFrames);
  }
  // Fails when there are frames that no Ethernet carries.
  void Check(alpha::StateReader& reader) {
    for (const Frame& frame : frames_) {
      if (frame.bytes.size() >= kMinFrame) continue;
      reader.Fail("a frame on the wire is too short");
      return Clear();
    }
  }

 private:
  struct Frame {
    std::string bytes;

    template <typename Visitor, typename Self>
    static void Walk(Visitor& visitor, Self& self) {
      visitor.Field("bytes", self.bytes, kMaxFrame);
    }
  };
  std::deque<Frame> frames_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_NETWORK_ETHERNET_H_
