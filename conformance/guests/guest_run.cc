#include "conformance/guests/guest_run.h"

#include "engines/engines.h"

#include <optional>
#include <utility>

#include "hostio/image_file.h"

namespace isochron::conformance {

void Transcript::OnConsoleByte(int uart, uint64_t, uint8_t byte) {
  if (uart == 0) text_.push_back(static_cast<char>(byte));
}

absl::StatusOr<std::unique_ptr<machine::Machine>> MakeMachine(const std::string& path,
                                                              const machine::MachineConfig& config,
                                                              std::string_view engine) {
  absl::StatusOr<engines::NamedEngine> named = engines::FindEngine(engine);
  if (!named.ok()) return named.status();
  absl::StatusOr<std::string> file = hostio::ReadImageFile(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<machine::KernelImage> kernel = machine::ParseKernel(*file);
  if (!kernel.ok()) return kernel.status();
  machine::BootImages images;
  images.kernel = *std::move(kernel);
  return machine::Machine::Create(config, std::move(images), named->factory);
}

bool PowersOffBefore(machine::Machine& machine, uint64_t cycle) {
  const std::optional<machine::RunEnd> end =
      machine.RunUntil(machine::StopCondition::AtCycle(cycle));
  return end.has_value() && end->kind == machine::RunEnd::Kind::kPowerOff;
}

}  // namespace isochron::conformance
