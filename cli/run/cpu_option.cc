#include "cli/run/cpu_option.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hostio/number.h"

namespace isochron::cli {

void AddCpuOption(CLI::App& command, std::optional<int>& cpu, const std::string& description) {
  command
      .add_option_function<std::string>(
          "--cpu",
          [&cpu](const std::string& text) {
            // No machine has as many.
            constexpr uint64_t kMost = std::numeric_limits<int>::max();
            cpu = static_cast<int>(std::min(*hostio::ParseNumber(text), kMost));
          },
          description)
      ->check([](const std::string& text) {
        return std::string(hostio::ParseNumber(text).ok() ? "" : "a CPU is a number");
      })
      ->type_name("N");
}

absl::Status CheckCpu(const std::optional<int>& cpu, const machine::Machine& machine) {
  const int count = machine.cpu_count();
  if (!cpu.has_value() || *cpu < count) return absl::OkStatus();
  const std::string has = count == 1 ? "one CPU, 0" : absl::StrCat("CPUs 0 to ", count - 1);
  return absl::InvalidArgumentError(
      absl::StrCat("--cpu: the machine of this log has ", has, "; there is no CPU ", *cpu));
}

}  // namespace isochron::cli
