// What kernels make of the clock chip's year.

#ifndef ISOCHRON_CLI_RUN_CLOCK_ADVICE_H_
#define ISOCHRON_CLI_RUN_CLOCK_ADVICE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "machine/events/config.h"
#include "machine/firmware/elf_image.h"

namespace isochron::cli {

enum class KernelKind : uint8_t { kUnknown, kLinux, kNetBsd };

// By the version that a kernel carries in its data.
KernelKind KindOf(const machine::KernelImage& kernel);

// The year that a kernel shows when the clock chip, which has two digits, is in `year`.
int YearShown(KernelKind kind, int year, std::string_view command_line);

// A warning when the kernel misreads the year of --rtc, with what helps; docs/machine.md has the
// table.
std::optional<std::string> ClockAdvice(const machine::MachineConfig& config,
                                       const machine::KernelImage& kernel);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_CLOCK_ADVICE_H_
