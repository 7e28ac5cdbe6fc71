// The frames of a log as packet analysers read them.

#ifndef ISOCHRON_REPLAYLOG_PCAPNG_H_
#define ISOCHRON_REPLAYLOG_PCAPNG_H_

#include <cstdint>
#include <string>

#include "replaylog/event.h"

namespace isochron::replaylog {

// A capture file in the format pcapng (draft-ietf-opsawg-pcapng), little-endian: PcapngHead(), and
// behind it the packets. Its bytes depend on the log alone.
//
// Times are the guest's: nanoseconds since power-on, which is the time that the clock chip shows
// then. Each packet has its direction, seen from the guest.
//
// `header`: of a machine with a network device.
std::string PcapngHead(const LogHeader& header);

// The packet of an event: of a frame that is whole its bytes, of another its size, with none of its
// bytes captured and its digest as comment. Empty when the event is no frame.
std::string PcapngPacket(const Event& event, uint64_t clock_hz);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_PCAPNG_H_
