#include "cli/run/inspect.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "alpha/state_list.h"
#include "cli/control/panic_watch.h"
#include "hostio/number.h"
#include "replaylog/describe.h"

namespace isochron::cli {
namespace {

// "name+0x10"; "PALmode" there; empty when nothing is known. Of a guest that stands still in
// PALcode's WTINT, where it called that: CALL_PAL leaves its return address in p23.
std::string SymbolAt(const machine::Machine& machine, int index) {
  const alpha::Cpu& cpu = machine.cpu(index);
  const machine::KernelImage& kernel = machine.kernel();
  if (cpu.pal_mode() && machine.waiting(index)) {
    const uint64_t back = cpu.r[alpha::Cpu::IntegerPlace(23, true)] & ~uint64_t{3};
    const std::string caller = kernel.DescribePlace(back - 4);
    if (!caller.empty()) return caller;
  }
  if (cpu.pal_mode()) return "PALmode";
  return kernel.DescribePlace(cpu.pc);
}

// "pc":...,"symbol":...
std::string PlaceJson(const machine::Machine& machine, int index) {
  return absl::StrCat(absl::StrFormat("\"pc\":\"0x%016x\"", machine.cpu(index).pc & ~uint64_t{3}),
                      ",\"symbol\":", replaylog::JsonString(SymbolAt(machine, index)));
}

// ,"cpus":[...] with the place and instructions of each of several CPUs; nothing of one alone.
std::string CpusJson(const machine::Machine& machine) {
  if (machine.cpu_count() == 1) return "";
  std::vector<std::string> cpus;
  for (int i = 0; i < machine.cpu_count(); ++i) {
    cpus.push_back(absl::StrCat("{", PlaceJson(machine, i),
                                ",\"instructions\":", machine.cpu(i).instructions,
                                ",\"waiting\":", machine.waiting(i) ? "true" : "false", "}"));
  }
  return absl::StrCat(",\"cpus\":[", absl::StrJoin(cpus, ","), "]");
}

// "machine, cpu0, ...": the first parts of all paths, in the order of the walk.
std::string SectionNames(const machine::Machine& machine) {
  alpha::StateLister lister;
  machine.VisitWithoutMemory(lister);
  std::vector<std::string> names;
  for (const alpha::StateField& field : lister.fields()) {
    std::string section = field.path.substr(0, field.path.find('.'));
    if (names.empty() || names.back() != section) names.push_back(std::move(section));
  }
  return absl::StrJoin(names, ", ");
}

absl::StatusOr<uint64_t> AddressOf(const machine::KernelImage& kernel, std::string_view where) {
  if (absl::StatusOr<uint64_t> address = hostio::ParseNumber(where); address.ok()) return address;
  const auto found =
      std::find_if(kernel.symbols.begin(), kernel.symbols.end(),
                   [where](const machine::Symbol& symbol) { return symbol.name == where; });
  if (found != kernel.symbols.end()) return found->address;
  return absl::InvalidArgumentError(
      absl::StrCat("'", std::string(where), "' is no number and no symbol of the kernel"));
}

}  // namespace

MachineCounts CountsOf(const machine::Machine& machine) {
  MachineCounts counts;
  counts.cycle = machine.now();
  counts.idle_cycles = machine.wait_cycles() + machine.engine().stats().spin_cycles_skipped;
  for (int i = 0; i < machine.cpu_count(); ++i) {
    const alpha::Cpu& cpu = machine.cpu(i);
    counts.instructions.push_back(cpu.instructions);
    counts.counters.itb_misses += cpu.counters.itb_misses;
    counts.counters.dtb_misses += cpu.counters.dtb_misses;
    counts.counters.exceptions += cpu.counters.exceptions;
    counts.counters.interrupts += cpu.counters.interrupts;
    counts.counters.pal_calls += cpu.counters.pal_calls;
  }
  return counts;
}

bool IsDead(const machine::Machine& machine) {
  bool loops = false;
  for (int i = 0; i < machine.cpu_count(); ++i) {
    const bool dead_loop = IsDeadLoop(machine.cpu(i), machine.memory());
    if (!dead_loop && !(machine.waiting(i) && machine.cpu(i).ier == 0)) return false;
    loops = loops || dead_loop;
  }
  return loops;
}

std::string StatsJson(const machine::Machine& machine) {
  const alpha::CpuCounters counters = CountsOf(machine).counters;
  return absl::StrCat(
      "\"instructions\":", machine.Instructions(), ",\"itb_misses\":", counters.itb_misses,
      ",\"dtb_misses\":", counters.dtb_misses, ",\"exceptions\":", counters.exceptions,
      ",\"interrupts\":", counters.interrupts, ",\"pal_calls\":", counters.pal_calls, ",",
      PlaceJson(machine, 0), CpusJson(machine), ",\"state\":\"", machine.StateDigest().ToString(),
      "\"");
}

absl::StatusOr<std::string> StateJson(const machine::Machine& machine, std::string_view path) {
  alpha::StateLister lister(path);
  machine.VisitWithoutMemory(lister);
  if (absl::Status status = lister.Check(); !status.ok()) return status;
  if (lister.fields().empty()) {
    return absl::NotFoundError(absl::StrCat("no state is called '", std::string(path),
                                            "'; there are ", SectionNames(machine)));
  }
  return absl::StrCat("\"fields\":{",
                      absl::StrJoin(lister.fields(), ",",
                                    [](std::string* json, const alpha::StateField& field) {
                                      absl::StrAppendFormat(json, "\"%s\":\"0x%x\"", field.path,
                                                            field.value);
                                    }),
                      "}");
}

absl::StatusOr<uint64_t> Peek(const machine::Machine& machine, std::string_view where) {
  absl::StatusOr<uint64_t> address = AddressOf(machine.kernel(), where);
  if (!address.ok()) return address;
  const uint64_t physical =
      machine::IsKseg(*address) ? machine::KsegToPhysical(*address) : *address;
  uint64_t value;
  if (physical % sizeof(value) != 0 || physical >= machine.memory().size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("0x%x is no aligned quadword of RAM", *address));
  }
  memcpy(&value, machine.memory().host(physical), sizeof(value));
  return value;
}

}  // namespace isochron::cli
