// Engines with a known fault, so that every check of this folder can be seen to fail.

#ifndef ISOCHRON_ENGINES_FAULTY_ENGINE_H_
#define ISOCHRON_ENGINES_FAULTY_ENGINE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "machine/machine.h"

namespace isochron::engines {

// Names of faults in what single instructions do: "addl" (result not sign-extended), "cmovlbs"
// (condition inverted), "stb" (a bit too many stored), "beq" (a cycle too many), "ldq_l" (lock
// flag not set), "callpal" (a counter not counted), "adds" (status bits lost).
std::vector<std::string> InstructionFaults();

// The interpreter with a fault: one of InstructionFaults(), or one that strikes once, at the
// first boundary at or past a cycle N: "register@N", "memory@N", "cycle@N",
// "tlb@N". "vanishing@N" is "register@N" in the first engine that this process makes and nothing
// in later ones. InvalidArgument when there is no such fault.
absl::StatusOr<machine::EngineFactory> FaultyInterpreter(std::string_view fault);

}  // namespace isochron::engines

#endif  // ISOCHRON_ENGINES_FAULTY_ENGINE_H_
