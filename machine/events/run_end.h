// How a run of the machine ends.

#ifndef ISOCHRON_MACHINE_EVENTS_RUN_END_H_
#define ISOCHRON_MACHINE_EVENTS_RUN_END_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "machine/events/input.h"

namespace isochron::machine {

// How a run ended.
struct RunEnd {
  enum class Kind : uint8_t {
    kPowerOff,   // the guest powered off or halted
    kReset,      // the guest asked for a reset and config().reboot is false
    kFatal,      // the guest cannot go on; `message` says why
    kStopped,    // an input asked for it; `stop` is that input
    kEndOfTime,  // the cycle counter has reached alpha::Cpu::kEndOfTime
    kObserver,   // the host cannot go on: the observer's status is not OK, or a disk cannot be
                 // read; `code` and `message` say why
  };
  Kind kind = Kind::kPowerOff;
  std::string message;
  Input stop;
  absl::StatusCode code = absl::StatusCode::kOk;
  uint32_t cpu = 0;  // kFatal: which CPU cannot go on

  // The host cannot go on, for this reason.
  static RunEnd OfHost(const absl::Status& why) {
    return {Kind::kObserver, std::string(why.message()), {}, why.code()};
  }
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_EVENTS_RUN_END_H_
