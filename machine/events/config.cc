#include "machine/events/config.h"

#include "absl/strings/str_cat.h"
#include "alpha/memory.h"

namespace isochron::machine {
namespace {

template <typename T>
absl::Status CheckRange(const char* what, T value, T least, T most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " must be from ", least, " to ", most, ", not ", value));
}

}  // namespace

absl::Status MachineConfig::Validate() const {
  if (memory_bytes < kMinMemory || memory_bytes > kMaxMemory) {
    return absl::InvalidArgumentError(absl::StrCat("memory must be from ", kMinMemory >> 20,
                                                   "M to ", kMaxMemory >> 30, "G, not ",
                                                   memory_bytes, " bytes"));
  }
  if (memory_bytes % alpha::kPageSize != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("memory must be a multiple of 8K (a page), not ", memory_bytes, " bytes"));
  }
  const absl::Status checks[] = {
      CheckRange<uint64_t>("the clock in Hz", clock_hz, 1'000'000, 10'000'000'000),
      CheckRange("the number of ITB entries", itb_entries, kMinTlbEntries, kMaxTlbEntries),
      CheckRange("the number of DTB entries", dtb_entries, kMinTlbEntries, kMaxTlbEntries),
      CheckRange<int64_t>("the date and time, in seconds since 1970,", rtc_base_seconds, 0,
                          kMaxRtcSeconds),
      CheckRange<uint64_t>("the input interval in cycles", input_interval, 1000, uint64_t{1} << 40),
      CheckRange<uint64_t>("the checkpoint interval in cycles", checkpoint_interval, 1000,
                           uint64_t{1} << 50),
  };
  for (const absl::Status& check : checks) {
    if (!check.ok()) return check;
  }
  if (command_line.size() > kMaxCommandLine) {
    return absl::InvalidArgumentError(absl::StrCat("the command line has ", command_line.size(),
                                                   " bytes; at most ", kMaxCommandLine, " fit"));
  }
  return absl::OkStatus();
}

}  // namespace isochron::machine
