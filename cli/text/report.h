// What is told on standard error, and the texts of it that end a run.

#ifndef ISOCHRON_CLI_TEXT_REPORT_H_
#define ISOCHRON_CLI_TEXT_REPORT_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/engine.h"
#include "machine/firmware/elf_image.h"

namespace isochron::cli {

// All that goes to standard error goes through these two, which let nothing through but printable
// text (hostio/printable.h): names and paths may come out of a file that somebody sent.
//
// Writes "isochron: " and `line`.
void Say(std::string_view line);
// Writes several lines that end in "\n". What is put into them must be printable on one line
// already.
void Tell(std::string_view lines);

// An address with what the kernel's file knows of it: "0xfffffc00... (main+0x10)", "... (main+0x10,
// init/main.c:12)".
std::string DescribeAddress(uint64_t address, const machine::KernelImage& kernel);

// Why a guest cannot go on, its PC and its registers; several lines that end in "\n". `clock_hz`:
// cycles in a guest second.
std::string FatalReport(std::string_view message, const alpha::Cpu& cpu,
                        const machine::KernelImage& kernel, uint64_t clock_hz);

// What all CPUs of a machine have done.
struct MachineCounts {
  uint64_t cycle = 0;                  // machine time
  std::vector<uint64_t> instructions;  // of each CPU
  alpha::CpuCounters counters;         // of all together
  uint64_t idle_cycles = 0;            // of all: those for which they stood still or did nothing
};

// What --stats prints; several lines that end in "\n". `clock_hz`: cycles in a guest second.
// `touched_bytes`: host memory that guest RAM takes. `translation`: of an engine that
// translates; when it has translated nothing there are no lines of it.
std::string StatsReport(const MachineCounts& counts, uint64_t clock_hz, uint64_t touched_bytes,
                        std::chrono::nanoseconds wall,
                        const std::optional<alpha::TranslationStats>& translation);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_TEXT_REPORT_H_
