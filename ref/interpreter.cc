#include "ref/interpreter.h"

#include <memory>

#include "ref/engine.h"

namespace isochron::ref {

alpha::EngineStats Interpreter::stats() const {
  alpha::EngineStats stats;
  loop_.AddTo(stats);
  return stats;
}

std::unique_ptr<alpha::Engine> CreateEngine(alpha::Memory& memory, alpha::IoBus& io) {
  return std::make_unique<Interpreter>(memory, io);
}

}  // namespace isochron::ref
