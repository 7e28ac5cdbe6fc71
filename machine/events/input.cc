#include "machine/events/input.h"

#include <algorithm>
#include <utility>

namespace isochron::machine {

Input Input::Bytes(Port port, std::string bytes) {
  Input input;
  input.kind = InputKind::kBytes;
  input.port = port;
  input.bytes = std::move(bytes);
  return input;
}

Input Input::Console(std::string bytes) { return Bytes(Port::Uart(0), std::move(bytes)); }

Input Input::Break(Port port) {
  Input input;
  input.kind = InputKind::kBreak;
  input.port = port;
  return input;
}

Input Input::Stop(StopCause cause, uint32_t detail) {
  Input input;
  input.kind = InputKind::kStop;
  input.cause = cause;
  input.detail = detail;
  return input;
}

bool operator==(const Input& a, const Input& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case InputKind::kBytes: return a.port == b.port && a.bytes == b.bytes;
    case InputKind::kBreak: return a.port == b.port;
    case InputKind::kStop: return a.cause == b.cause && a.detail == b.detail;
  }
  return false;
}

bool Input::Joins(const Input& next) const {
  return kind == InputKind::kBytes && next.kind == InputKind::kBytes && port == next.port;
}

void AppendInput(Input input, size_t max_bytes, std::vector<Input>& inputs) {
  if (!inputs.empty() && inputs.back().Joins(input)) {
    inputs.back().bytes += input.bytes;
  } else {
    inputs.push_back(std::move(input));
  }
  if (inputs.back().bytes.size() > max_bytes) inputs.back().bytes.resize(max_bytes);
}

uint64_t NextStopOfLimit(uint64_t limit, uint64_t cycle, uint64_t until) {
  const uint64_t past = limit % kStopInterval;
  uint64_t stop_point = limit;
  if (past != 0 && limit <= UINT64_MAX - kStopInterval) stop_point += kStopInterval - past;
  return std::min(until, std::max(cycle, stop_point));
}

}  // namespace isochron::machine
