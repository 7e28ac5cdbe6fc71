#include "cli/text/report.h"

#include <unistd.h>

#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hostio/file.h"
#include "hostio/printable.h"
#include "machine/events/cycle_text.h"

namespace isochron::cli {
namespace {

void AppendRegister(std::string& text, const std::string& name, uint64_t value) {
  absl::StrAppendFormat(&text, "  %-8s %016x", name, value);
}

void WriteError(const std::string& text) { hostio::WriteAll(STDERR_FILENO, text); }

}  // namespace

void Say(std::string_view line) {
  WriteError(absl::StrCat("isochron: ", hostio::Printable(line), "\n"));
}

void Tell(std::string_view lines) { WriteError(hostio::PrintableLines(lines)); }

std::string DescribeAddress(uint64_t address, const machine::KernelImage& kernel) {
  const std::string place = kernel.DescribeCode(address);
  return absl::StrFormat("0x%016x", address) + (place.empty() ? "" : " (" + place + ")");
}

std::string FatalReport(std::string_view message, const alpha::Cpu& cpu,
                        const machine::KernelImage& kernel, uint64_t clock_hz) {
  std::string text = absl::StrCat("isochron: the guest cannot go on: ", std::string(message), "\n");
  absl::StrAppendFormat(&text, "  CPU %d at cycle %s\n", cpu.index,
                        machine::WithSeconds(cpu.cycle, clock_hz));
  if (cpu.pal_mode()) {
    absl::StrAppendFormat(&text, "  PC       0x%016x (PALmode)\n", cpu.pc & ~uint64_t{3});
  } else {
    absl::StrAppend(&text, "  PC       ", DescribeAddress(cpu.pc, kernel), "\n");
  }
  absl::StrAppend(&text, "  EXC_ADDR ", DescribeAddress(cpu.exc_addr & ~uint64_t{3}, kernel),
                  (cpu.exc_addr & 1) != 0 ? " (PALmode)\n" : "\n");
  absl::StrAppend(&text, "  R26 (RA) ", DescribeAddress(cpu.r[26], kernel), "\n");

  constexpr int kColumns = 3;
  int column = 0;
  auto add = [&](const std::string& name, uint64_t value) {
    AppendRegister(text, name, value);
    if (++column % kColumns == 0) text.push_back('\n');
  };
  for (int reg = 0; reg < 31; ++reg) add(absl::StrCat("R", reg), cpu.r[reg]);
  for (int reg : {4, 5, 6, 7, 20, 21, 22, 23}) {
    add(absl::StrCat("shadow", reg), cpu.r[alpha::Cpu::IntegerPlace(reg, true)]);
  }
  add("FPCR", cpu.fpcr);
  add("EXC_SUM", cpu.exc_sum);
  add("MM_STAT", cpu.mm_stat);
  add("VA", cpu.va);
  add("PAL_BASE", cpu.pal_base);
  add("I_CTL", cpu.i_ctl);
  add("IER", cpu.ier);
  add("mode", static_cast<uint64_t>(cpu.mode));
  add("ASN", cpu.asn);
  if (column % kColumns != 0) text.push_back('\n');
  return text;
}

std::string StatsReport(const MachineCounts& counts, uint64_t clock_hz, uint64_t touched_bytes,
                        std::chrono::nanoseconds wall,
                        const std::optional<alpha::TranslationStats>& translation) {
  const size_t cpus = counts.instructions.size();
  const uint64_t instructions =
      std::accumulate(counts.instructions.begin(), counts.instructions.end(), uint64_t{0});
  const double guest_seconds = static_cast<double>(counts.cycle) / static_cast<double>(clock_hz);
  const double wall_seconds = static_cast<double>(wall.count()) / 1e9;
  const double million = static_cast<double>(instructions) / 1e6;
  const double all_cycles = static_cast<double>(counts.cycle) * static_cast<double>(cpus);
  const double idle_share =
      counts.cycle == 0 ? 0 : 100.0 * static_cast<double>(counts.idle_cycles) / all_cycles;
  std::string text;
  auto count = [&text](std::string_view name, uint64_t value) {
    absl::StrAppendFormat(&text, "%-26s %16d\n", std::string(name), value);
  };
  auto number = [&text](const char* name, double value) {
    absl::StrAppendFormat(&text, "%-26s %16.3f\n", name, value);
  };
  count("instructions", instructions);
  for (size_t i = 0; i < cpus && cpus > 1; ++i) {
    count(absl::StrCat("  of CPU ", i), counts.instructions[i]);
  }
  count("cycles", counts.cycle);
  number("guest seconds", guest_seconds);
  number("wall seconds", wall_seconds);
  number("million instructions/s", wall_seconds > 0 ? million / wall_seconds : 0);
  number("idle share (%)", idle_share);
  count("ITB misses", counts.counters.itb_misses);
  count("DTB misses", counts.counters.dtb_misses);
  count("exceptions", counts.counters.exceptions);
  count("interrupts", counts.counters.interrupts);
  count("PAL calls", counts.counters.pal_calls);
  count("guest memory touched (KiB)", touched_bytes >> 10);
  if (!translation.has_value() || translation->regions_translated == 0) return text;
  count("regions translated", translation->regions_translated);
  count("  instructions in them", translation->instructions_translated);
  count("  links between them", translation->links);
  count("host code (KiB)", translation->code_bytes >> 10);
  count("  times it was full", translation->cache_flushes);
  number("translating (ms)", static_cast<double>(translation->translation_nanoseconds) / 1e6);
  count("entries of host code", translation->entries);
  count("  left: not linked yet", translation->unlinked_exits);
  count("  left: by an instruction", translation->golden_exits);
  count("  left: otherwise", translation->other_exits);
  count("golden function calls", translation->golden_calls);
  return text;
}

}  // namespace isochron::cli
