// Guest code that is built from our own sources and compiled into the program
// (isochron_embed_binary() in cmake/embed_binary.cmake).

#ifndef ISOCHRON_MACHINE_FIRMWARE_EMBEDDED_IMAGES_H_
#define ISOCHRON_MACHINE_FIRMWARE_EMBEDDED_IMAGES_H_

#include <cstdint>
#include <span>

namespace isochron::machine {

// The OSF/1 PALcode, linked to run at physical FW_PAL_BASE; at most FW_PAL_SIZE bytes.
std::span<const uint8_t> PalcodeImage();
// An ELF file with its symbols, at physical addresses, and without its bytes.
std::span<const uint8_t> PalcodeSymbols();

// The console's callback routines, linked to run at the KSEG address of FW_CONSOLE_PA; see
// machine/firmware/console_layout.h for what the loader adds to them.
std::span<const uint8_t> ConsoleImage();
// The same with disks and NVRAM, which also boots from a disk: it starts at CONSOLE_BOOT_ENTRY.
std::span<const uint8_t> DiskConsoleImage();

// What CPUs other than the primary run until they are started, linked to run at the KSEG address of
// FW_SECONDARY_PA, where it begins; at most FW_SECONDARY_SIZE bytes.
std::span<const uint8_t> SecondaryImage();

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_FIRMWARE_EMBEDDED_IMAGES_H_
