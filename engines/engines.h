// The engines that conformance can hold against each other, by name.

#ifndef ISOCHRON_ENGINES_ENGINES_H_
#define ISOCHRON_ENGINES_ENGINES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engines/named_engine.h"

namespace isochron::engines {

// The engines that people run guests on: "ref", and "jit" where it is compiled in.
std::vector<std::string> EngineNames();
// One more, which every build has: what "ref" itself is held against (ref/oracle.h).
inline constexpr std::string_view kOracle = "oracle";

// The engine called `name`. InvalidArgument, naming those that exist, when there is none.
//
// In the variant with planted faults there are also those of engines/planted_engines.h.
absl::StatusOr<NamedEngine> FindEngine(std::string_view name);

// What to compare when nobody says it, for ParseEnginePair(): the first and the last of them.
std::string DefaultEnginePair();

// Two engines from "ref,jit". InvalidArgument when there are not two or one is unknown.
absl::StatusOr<std::vector<NamedEngine>> ParseEnginePair(std::string_view text);

}  // namespace isochron::engines

#endif  // ISOCHRON_ENGINES_ENGINES_H_
