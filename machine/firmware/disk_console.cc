#include "machine/firmware/disk_console.h"

#include "absl/strings/str_cat.h"
#include "machine/firmware/console_environment.h"

namespace isochron::machine {

absl::Status CheckConsole(const MachineConfig& config) {
  const size_t disks = config.disks.size();
  if (config.boot_disk.has_value() && *config.boot_disk >= disks) {
    return absl::InvalidArgumentError(absl::StrCat("there is no disk", *config.boot_disk,
                                                   " to boot from: the machine has ", disks,
                                                   disks == 1 ? " disk" : " disks"));
  }
  if (!config.nvram.has_value()) return absl::OkStatus();
  const absl::Status status = ConsoleEnvironment::Parse(*config.nvram).status();
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat("NVRAM: ", std::string(status.message())));
}

std::vector<std::string> UnitNames(const std::vector<DiskConfig>& disks, int virtio_slot,
                                   int ide_slot) {
  constexpr int kFunction = 100;
  std::vector<std::string> names;
  int virtio = 0;
  int ide = 0;
  for (const DiskConfig& disk : disks) {
    if (disk.interface == DiskConfig::Interface::kVirtio) {
      names.push_back(absl::StrCat("VIRTIO 0 ", virtio_slot + kFunction * virtio++, " 0 0 0 0 0"));
    } else {
      names.push_back(absl::StrCat("IDE 0 ", ide_slot, " ", ide / 2, " 0 ", ide % 2, " 0 0"));
      ++ide;
    }
  }
  return names;
}

}  // namespace isochron::machine
