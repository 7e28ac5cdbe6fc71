// Tells an idle guest from a busy one where the engine does not.

#ifndef ISOCHRON_CLI_HOST_IDLE_WATCH_H_
#define ISOCHRON_CLI_HOST_IDLE_WATCH_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "alpha/cpu.h"
#include "machine/events/input.h"

namespace isochron::cli {

// Recognises a guest that waits in a loop which the engine cannot prove to be idle, since it stores
// or calls PALcode, such as NetBSD's idle loop: time and again the CPU is found with the very same
// PC and registers. A guest that computes has a counter or a pointer somewhere that moves.
//
// A guess, for pacing only: being wrong costs speed, never a difference.
class IdleWatch {
 public:
  // States that are remembered, and for how many input points.
  static constexpr size_t kRemembered = 1024;

  // At every input point: the point with idle time counted that went by in such a loop.
  machine::InputPoint Observe(const machine::InputPoint& point, const alpha::Cpu& cpu);

 private:
  struct Seen {
    uint64_t digest = 0;
    uint64_t number = 0;  // of the point; 0: nothing was seen
  };

  std::array<Seen, kRemembered> seen_{};
  uint64_t number_ = 0;
  machine::InputPoint last_;
  uint64_t more_idle_ = 0;  // cycles that the engine does not know of
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_IDLE_WATCH_H_
