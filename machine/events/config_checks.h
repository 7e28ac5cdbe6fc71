// Parts of MachineConfig::Validate(), for those who have to ask before there is a configuration.

#ifndef ISOCHRON_MACHINE_EVENTS_CONFIG_CHECKS_H_
#define ISOCHRON_MACHINE_EVENTS_CONFIG_CHECKS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"

namespace isochron::machine {

// Whether this is the Ethernet address of one station, which kStationRule says in words.
bool IsStation(const std::array<uint8_t, 6>& address);
inline constexpr char kStationRule[] = "bit 0 of its first byte is zero, and not all of it";

// InvalidArgument when a machine cannot have so many disks.
absl::Status CheckDiskCount(size_t count);

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_EVENTS_CONFIG_CHECKS_H_
