// Engines with a fault, by name: the planted variant alone has them (cmake/variants.cmake).

#ifndef ISOCHRON_ENGINES_PLANTED_ENGINES_H_
#define ISOCHRON_ENGINES_PLANTED_ENGINES_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "engines/named_engine.h"

namespace isochron::engines {

// The engine called "ref!FAULT", the interpreter with a fault of engines/faulty_engine.h, or
// "jit!FAULT", the translator with one of jit/planted_bugs.h, with settings behind it as for the
// sound one, which `find` is asked for. `name` has a '!'. InvalidArgument when there is no such
// fault or engine.
absl::StatusOr<NamedEngine> FindFaultyEngine(
    std::string_view name, absl::StatusOr<NamedEngine> (*find)(std::string_view name));

}  // namespace isochron::engines

#endif  // ISOCHRON_ENGINES_PLANTED_ENGINES_H_
