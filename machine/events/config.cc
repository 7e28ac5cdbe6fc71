#include "machine/events/config.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "alpha/memory.h"
#include "machine/events/config_checks.h"
#include "machine/events/cycle_text.h"

namespace isochron::machine {
namespace {

template <typename T>
absl::Status CheckRange(const char* what, T value, T least, T most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " must be from ", least, " to ", most, ", not ", value));
}

// The interval of points in time, on a clock that is valid.
absl::Status CheckInterval(const char* what, uint64_t value, uint64_t most, uint64_t clock_hz) {
  constexpr uint64_t kLeast = 1000;
  if (value >= kLeast && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, " must be from ", kLeast, " to ",
                                                 CyclesText(most, clock_hz), ", not ",
                                                 WithSeconds(value, clock_hz)));
}

absl::Status CheckDisks(const std::vector<DiskConfig>& disks) {
  if (absl::Status status = CheckDiskCount(disks.size()); !status.ok()) return status;
  for (size_t i = 0; i < disks.size(); ++i) {
    if (disks[i].interface > DiskConfig::Interface::kCdRom) {
      return absl::InvalidArgumentError(absl::StrCat("disk", i, " has no known interface"));
    }
    const uint64_t bytes = disks[i].bytes;
    if (bytes == 0 || bytes % kSectorSize != 0 || bytes > DiskConfig::kMaxBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("a disk has whole sectors of ", kSectorSize, " bytes, from one to ",
                       DiskConfig::kMaxBytes >> 40, "T; disk", i, " has ", bytes, " bytes"));
    }
    if (disks[i].interface != DiskConfig::Interface::kCdRom) continue;
    if (bytes % DiskConfig::kCdRomBlock != 0 || !disks[i].read_only) {
      return absl::InvalidArgumentError(
          absl::StrCat("a CD-ROM has whole blocks of ", DiskConfig::kCdRomBlock,
                       " bytes, to be read only; disk", i, " has ", bytes, " bytes"));
    }
  }
  const auto ide = static_cast<size_t>(std::ranges::count_if(disks, [](const DiskConfig& disk) {
    return disk.interface != DiskConfig::Interface::kVirtio;
  }));
  if (ide <= MachineConfig::kMaxIdeDisks) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("two IDE channels take at most ",
                                                 MachineConfig::kMaxIdeDisks, " disks, not ", ide));
}

absl::Status CheckNetwork(const NetworkConfig& network) {
  if (network.model > NetworkConfig::Model::kTulip) {
    return absl::InvalidArgumentError("the network device is of no known model");
  }
  if (!IsStation(network.mac)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the address of the network device must be that of one station: ", kStationRule));
  }
  return CheckRange<uint32_t>("the size up to which sent frames are kept whole",
                              network.whole_frames, 0, kMaxFrame);
}

}  // namespace

bool IsStation(const std::array<uint8_t, 6>& address) {
  return (address[0] & 1) == 0 && std::ranges::count(address, 0) != std::ssize(address);
}

absl::Status CheckDiskCount(size_t count) {
  if (count <= MachineConfig::kMaxDisks) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a machine has at most ", MachineConfig::kMaxDisks, " disks, not ", count));
}

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
      CheckRange<uint32_t>("the number of CPUs", cpus, 1, kMaxCpus),
      CheckRange<uint64_t>("the quantum in cycles", quantum, 1, kMaxQuantum),
      schedule.Validate(cpus),
      CheckInterval("the input interval", input_interval, uint64_t{1} << 40, clock_hz),
      CheckInterval("the checkpoint interval", checkpoint_interval, uint64_t{1} << 50, clock_hz),
  };
  for (const absl::Status& check : checks) {
    if (!check.ok()) return check;
  }
  if (command_line.size() > kMaxCommandLine) {
    return absl::InvalidArgumentError(absl::StrCat("the command line has ", command_line.size(),
                                                   " bytes; at most ", kMaxCommandLine, " fit"));
  }
  if (absl::Status status = CheckDisks(disks); !status.ok()) return status;
  if (network.has_value()) {
    if (absl::Status status = CheckNetwork(*network); !status.ok()) return status;
  }
  if (nvram.has_value() && nvram->size() > kMaxNvram) {
    return absl::InvalidArgumentError(
        absl::StrCat("NVRAM of ", nvram->size(), " bytes is more than ", kMaxNvram));
  }
  return absl::OkStatus();
}

}  // namespace isochron::machine
