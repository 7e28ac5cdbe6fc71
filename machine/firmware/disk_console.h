// What the console with disks takes from the configuration.

#ifndef ISOCHRON_MACHINE_FIRMWARE_DISK_CONSOLE_H_
#define ISOCHRON_MACHINE_FIRMWARE_DISK_CONSOLE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "machine/events/config.h"

namespace isochron::machine {

// InvalidArgument when there is no disk that the console is to boot from, or NVRAM cannot hold what
// it does.
absl::Status CheckConsole(const MachineConfig& config);

// Names of the disks as BOOTED_DEV has them: protocol, hose, slot (with 100 for each function),
// channel, remote address, unit, device type, controller type. The slots are those of virtio disks
// and of the IDE controller.
std::vector<std::string> UnitNames(const std::vector<DiskConfig>& disks, int virtio_slot,
                                   int ide_slot);

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_FIRMWARE_DISK_CONSOLE_H_
