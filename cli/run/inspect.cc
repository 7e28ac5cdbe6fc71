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
#include "hostio/number.h"
#include "replaylog/describe.h"

namespace isochron::cli {
namespace {

// "name+0x10"; "PALmode" there; empty when nothing is known. Of a guest that stands still in
// PALcode's WTINT, where it called that: CALL_PAL leaves its return address in p23.
std::string SymbolAt(const machine::Machine& machine) {
  const alpha::Cpu& cpu = machine.cpu();
  const machine::KernelImage& kernel = machine.kernel();
  if (cpu.pal_mode() && machine.waiting()) {
    const uint64_t back = cpu.r[alpha::Cpu::IntegerPlace(23, true)] & ~uint64_t{3};
    const std::string caller = kernel.DescribePlace(back - 4);
    if (!caller.empty()) return caller;
  }
  if (cpu.pal_mode()) return "PALmode";
  return kernel.DescribePlace(cpu.pc);
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

std::string StatsJson(const machine::Machine& machine) {
  const alpha::Cpu& cpu = machine.cpu();
  return absl::StrCat(
      "\"instructions\":", cpu.instructions, ",\"itb_misses\":", cpu.counters.itb_misses,
      ",\"dtb_misses\":", cpu.counters.dtb_misses, ",\"exceptions\":", cpu.counters.exceptions,
      ",\"interrupts\":", cpu.counters.interrupts, ",\"pal_calls\":", cpu.counters.pal_calls,
      absl::StrFormat(",\"pc\":\"0x%016x\"", cpu.pc & ~uint64_t{3}),
      ",\"symbol\":", replaylog::JsonString(SymbolAt(machine)), ",\"state\":\"",
      machine.StateDigest().ToString(), "\"");
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
