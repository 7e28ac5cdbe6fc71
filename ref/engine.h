// The golden interpreter, and the oracle that it is held against.

#ifndef ISOCHRON_REF_ENGINE_H_
#define ISOCHRON_REF_ENGINE_H_

#include <memory>

#include "alpha/engine.h"
#include "alpha/memory.h"

namespace isochron::ref {

// An interpreter that runs on `memory` and `io`, which must outlive it. It makes itself the
// memory's listener.
std::unique_ptr<alpha::Engine> CreateEngine(alpha::Memory& memory, alpha::IoBus& io);

// The same without a memory of anything (ref/oracle.h). It is no listener.
std::unique_ptr<alpha::Engine> CreateOracle(alpha::Memory& memory, alpha::IoBus& io);

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_ENGINE_H_
