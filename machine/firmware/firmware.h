// What a console has done to memory when it starts an operating system: docs/firmware.md.

#ifndef ISOCHRON_MACHINE_FIRMWARE_FIRMWARE_H_
#define ISOCHRON_MACHINE_FIRMWARE_FIRMWARE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "alpha/memory.h"
#include "machine/events/digest.h"
#include "machine/firmware/elf_image.h"

namespace isochron::machine {

// The digest by which logs know this program's PALcode.
Digest PalcodeDigest();

struct FirmwareOptions {
  uint64_t memory_bytes = 0;  // RAM; the size of the Memory
  uint64_t clock_hz = 0;      // cycles a second, as the HWRPB tells it
  std::string command_line;   // at most MachineConfig::kMaxCommandLine bytes, none of them zero
  uint32_t cpu_count = 1;     // 1 to FW_MAX_CPUS
};

// Places PALcode, console callbacks, HWRPB, page tables, HWPCBs and boot parameters in the
// firmware area, the kernel where it is linked, and the initrd (empty: none) page-aligned
// below the end of memory or 1 GiB. What the kernel expects to be zero is made zero, so that
// this also serves a reset; pages that hold already what they shall are not written. Command line
// and initrd are announced in Linux's parameter page, 0x6000 bytes below the kernel's first
// segment.
//
// InvalidArgument, with nothing written, when something does not fit or overlaps.
absl::Status LoadFirmware(const FirmwareOptions& options, const KernelImage& kernel,
                          std::string_view initrd, std::span<const uint8_t> palcode,
                          alpha::Memory& memory);

// The cycles that a reset takes for it: a function of the images, not of what memory holds.
uint64_t FirmwareCycles(const KernelImage& kernel, std::string_view initrd);

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_FIRMWARE_FIRMWARE_H_
