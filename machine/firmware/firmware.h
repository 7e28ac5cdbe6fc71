// What a console has done to memory when it starts an operating system: docs/firmware.md.

#ifndef ISOCHRON_MACHINE_FIRMWARE_FIRMWARE_H_
#define ISOCHRON_MACHINE_FIRMWARE_FIRMWARE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "alpha/memory.h"
#include "machine/events/digest.h"
#include "machine/firmware/console_environment.h"
#include "machine/firmware/elf_image.h"
#include "machine/firmware/hwrpb.h"

namespace isochron::machine {

// The digests by which logs know this program's PALcode and, where it is used, its console with
// disks.
Digest PalcodeDigest();
Digest DiskConsoleDigest();

// What a console with disks is told at power-on and at each reset.
struct DiskConsole {
  // Names of the disks, as BOOTED_DEV has them; at most CONSOLE_UNIT_COUNT.
  std::vector<std::string> units;
  std::optional<uint32_t> boot_unit;  // which of them to boot from; nothing: a kernel is loaded
  ConsoleEnvironment environment;     // what NVRAM holds
};

struct FirmwareOptions {
  uint64_t memory_bytes = 0;  // RAM; the size of the Memory
  uint64_t clock_hz = 0;      // cycles a second, as the HWRPB tells it
  std::string command_line;   // at most MachineConfig::kMaxCommandLine bytes, none of them zero
  uint32_t cpu_count = 1;     // 1 to FW_MAX_CPUS
  std::optional<DiskConsole> disk_console;  // nothing: the console has neither disks nor NVRAM

  BootProgram program() const {
    return disk_console.has_value() && disk_console->boot_unit.has_value() ? BootProgram::kBootstrap
                                                                           : BootProgram::kKernel;
  }
};

// Places PALcode, console callbacks, HWRPB, page tables, HWPCBs and boot parameters in the
// firmware area, the kernel where it is linked, and the initrd (empty: none) page-aligned
// below the end of memory or 1 GiB. What the kernel expects to be zero is made zero, so that
// this also serves a reset; pages that hold already what they shall are not written. Command line
// and initrd are announced in Linux's parameter page, 0x6000 bytes below the kernel's first
// segment. Where the console boots from a disk there is neither, and `kernel` has no segments: the
// command line is the flags.
//
// InvalidArgument, with nothing written, when something does not fit or overlaps.
absl::Status LoadFirmware(const FirmwareOptions& options, const KernelImage& kernel,
                          std::string_view initrd, std::span<const uint8_t> palcode,
                          alpha::Memory& memory);

// The cycles that a reset takes for it: a function of the images, not of what memory holds.
uint64_t FirmwareCycles(const KernelImage& kernel, std::string_view initrd);

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_FIRMWARE_FIRMWARE_H_
