// What options and reports call an engine.

#ifndef ISOCHRON_ENGINES_NAMED_ENGINE_H_
#define ISOCHRON_ENGINES_NAMED_ENGINE_H_

#include <string>

#include "machine/machine.h"

namespace isochron::engines {

// An engine and the name by which options and reports call it.
struct NamedEngine {
  std::string name;
  machine::EngineFactory factory;
};

}  // namespace isochron::engines

#endif  // ISOCHRON_ENGINES_NAMED_ENGINE_H_
