// Ethernet frames for people.

#ifndef ISOCHRON_REPLAYLOG_DESCRIBE_FRAME_H_
#define ISOCHRON_REPLAYLOG_DESCRIBE_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace isochron::replaylog {

// An Ethernet address: "52:54:00:12:34:56".
std::string StationName(std::span<const uint8_t> address);

// Size, protocol and the two ends of a frame: "98 bytes ICMP 10.0.2.15 > 10.0.2.2",
// "74 bytes TCP 10.0.2.15:1025 > 10.0.2.2:80". Where the frame tells no addresses of IP they are
// those of Ethernet. Any bytes may be a frame. What has more than `columns` is cut short by "...".
std::string DescribeFrame(std::string_view frame, size_t columns = ~size_t{0});

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_DESCRIBE_FRAME_H_
