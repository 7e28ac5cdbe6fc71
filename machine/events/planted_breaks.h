// Breaks of determinism that the planted variant has in devices, digests and recorder
// (cmake/variants.cmake), to show that recording, replaying and conformance find each.

#ifndef ISOCHRON_MACHINE_EVENTS_PLANTED_BREAKS_H_
#define ISOCHRON_MACHINE_EVENTS_PLANTED_BREAKS_H_

#include <atomic>
#include <cstdint>

#ifndef ISOCHRON_PLANTED
#error "a source with sites belongs to both variants of its library: name it behind SITES"
#endif

namespace isochron::machine {

enum class Break : uint8_t {
  kNone,
  kUartTime,              // a character takes longer the more this process has sent
  kTimerTime,             // the same for ticks of the interval timer
  kInputLate,             // inputs are recorded a cycle late
  kDigestSkipsPage,       // digests miss the second of two dirty pages
  kDmaIntoCodeUnseen,     // what a device writes leaves what was decoded there as it is
  kDmaLeavesPagesClean,   // what a device writes has no dirty mark
  kInterruptLost,         // some interrupts of functions on the PCI bus do not come
  kOneDescriptorTooMany,  // now and then a queue has one request more than the driver offers
  // Of several CPUs:
  kLockOutlivesStore,  // a CPU keeps its lock when another one writes to the block
  kIpiLate,            // what a CPU asks another one for inside a round comes in the next
  kTimeGoesBack,       // an access by a CPU that is behind takes device time back
  kOrderOfHost,        // the order of turns depends on how many there were in this process
};

#if ISOCHRON_PLANTED

// The break that all machines of this process have.
inline std::atomic<Break> planted_break = Break::kNone;

inline bool Planted(Break which) { return planted_break == which; }

// How often this process has asked since it began, when the break is planted: what no machine may
// depend on.
inline uint64_t PlantedCount(Break which) {
  static std::atomic<uint64_t> count = 0;
  return Planted(which) ? ++count : 0;
}

#else

constexpr bool Planted(Break) { return false; }
constexpr uint64_t PlantedCount(Break) { return 0; }

#endif

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_EVENTS_PLANTED_BREAKS_H_
