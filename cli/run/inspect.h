// Looking into a machine that stands still, for whoever controls it.

#ifndef ISOCHRON_CLI_RUN_INSPECT_H_
#define ISOCHRON_CLI_RUN_INSPECT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cli/text/report.h"
#include "machine/machine.h"

namespace isochron::cli {

// What the machine's CPUs have done.
MachineCounts CountsOf(const machine::Machine& machine);

// Whether no CPU can ever do more than it does: each is in a dead loop (control/panic_watch.h), or
// stands still while no interrupts are enabled, and one at the least is in such a loop. One that
// the console has look for its start now and then stands still: who would start it is dead.
bool IsDead(const machine::Machine& machine);

// The fields of the answer to the request `stats`, as JSON ("name":value,...): counts of the guest
// alone, of all CPUs, so that they are equal in equal runs; the PC of CPU 0, with the kernel's
// symbol, and of several CPUs that of each; the state's digest.
std::string StatsJson(const machine::Machine& machine);

// The answer to the request `inspect`, as JSON: "fields":{PATH:VALUE,...}, of all fields of the
// state, other than RAM, that are called `path` or lie below it; values in hexadecimal. NotFound,
// naming the sections, when there are none.
absl::StatusOr<std::string> StateJson(const machine::Machine& machine, std::string_view path);

// The quadword of RAM at `where`: a name of the kernel's symbol table, or an address, physical or
// in KSEG. InvalidArgument when there is no such name, or no aligned quadword of RAM.
absl::StatusOr<uint64_t> Peek(const machine::Machine& machine, std::string_view where);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_INSPECT_H_
