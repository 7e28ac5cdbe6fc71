#include "machine/input.h"

#include <utility>

namespace isochron::machine {

Input Input::Console(std::string bytes) {
  Input input;
  input.kind = InputKind::kConsole;
  input.bytes = std::move(bytes);
  return input;
}

Input Input::Stop(StopCause cause, uint32_t detail) {
  Input input;
  input.kind = InputKind::kStop;
  input.cause = cause;
  input.detail = detail;
  return input;
}

}  // namespace isochron::machine
