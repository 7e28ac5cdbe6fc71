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

Input Input::Frame(std::string bytes) {
  Input input = Bytes(Port::Network(), std::move(bytes));
  input.kind = InputKind::kFrame;
  return input;
}

Input Input::Stop(StopCause cause, uint32_t detail) {
  Input input;
  input.kind = InputKind::kStop;
  input.cause = cause;
  input.detail = detail;
  return input;
}

Input Input::WriteRegister(uint8_t cpu, uint64_t number, uint64_t value) {
  Input input = WriteMemory(cpu, number, "");
  input.space = WriteSpace::kRegister;
  for (int shift = 0; shift < 64; shift += 8) {
    input.bytes.push_back(static_cast<char>(value >> shift));
  }
  return input;
}

Input Input::WriteMemory(uint8_t cpu, uint64_t pa, std::string bytes) {
  Input input;
  input.kind = InputKind::kWrite;
  input.space = WriteSpace::kMemory;
  input.address = pa;
  input.bytes = std::move(bytes);
  input.cpu = cpu;
  return input;
}

uint64_t Input::quadword() const {
  uint64_t value = 0;
  for (size_t i = std::min(bytes.size(), sizeof(value)); i-- > 0;) {
    value = value << 8 | static_cast<uint8_t>(bytes[i]);
  }
  return value;
}

bool operator==(const Input& a, const Input& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case InputKind::kBytes:
    case InputKind::kFrame: return a.port == b.port && a.bytes == b.bytes;
    case InputKind::kBreak: return a.port == b.port;
    case InputKind::kStop: return a.cause == b.cause && a.detail == b.detail;
    case InputKind::kWrite:
      return a.space == b.space && a.address == b.address && a.bytes == b.bytes;
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
