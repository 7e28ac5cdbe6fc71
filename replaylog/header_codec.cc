// The header of a log as bytes.

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "machine/events/config_checks.h"
#include "replaylog/codec.h"
#include "replaylog/codings.h"
#include "replaylog/varint.h"

namespace isochron::replaylog {
namespace {

absl::Status Damaged(const std::string& what) { return absl::DataLossError(what); }

// Takes a number that must fit `T`.
template <typename T>
bool ConsumeNumber(std::string_view& bytes, T& value) {
  return Number{std::numeric_limits<T>::max()}.Take(bytes, value) == Taken::kValue;
}

enum HeaderField : uint8_t {
  kModel = 1,
  kPalcode = 2,
  kMemory = 3,
  kClock = 4,
  kItb = 5,
  kDtb = 6,
  kRtcBase = 7,
  kSeed = 8,
  kInputInterval = 9,
  kCheckpointInterval = 10,
  kCommandLine = 11,
  kReboot = 12,
  kImage = 13,
  kDisk = 14,
  kEntropyDevice = 15,
  kNetwork = 16,
  kDiskConsole = 17,
  kBootDisk = 18,
  kNvram = 19,
  kCpus = 20,
  kQuantum = 21,
  kSchedule = 22,
};
constexpr uint64_t kLastField = kSchedule;
constexpr uint64_t kFirstOptionalField = 64;

// Does not compile once the configuration has a field that the header lacks.
[[maybe_unused]] void KnowAllFields(const machine::MachineConfig& config) {
  [[maybe_unused]] const auto& [memory, clock, itb, dtb, rtc, seed, input, checkpoint, line, reboot,
                                disks, entropy, network, boot_disk, nvram, cpus, quantum,
                                schedule] = config;
}

void AppendField(uint8_t field, std::string_view value, std::string& body) {
  AppendVarint(field, body);
  AppendVarint(value.size(), body);
  body.append(value);
}

void AppendField(uint8_t field, uint64_t value, std::string& body) {
  std::string number;
  AppendVarint(value, number);
  AppendField(field, number, body);
}

std::string EncodeImage(const ImageRecord& image) {
  std::string value;
  AppendVarint(static_cast<uint8_t>(image.role), value);
  AppendVarint(image.size, value);
  AppendDigest(image.digest, value);
  return value;
}

bool DecodeImage(std::string_view& value, std::vector<ImageRecord>& images) {
  uint64_t role = 0;
  ImageRecord image;
  if (!ConsumeVarint(value, role) || role >= static_cast<uint8_t>(ImageRecord::Role::kDisk0) ||
      !ConsumeVarint(value, image.size) || !ConsumeDigest(value, image.digest)) {
    return false;
  }
  image.role = static_cast<ImageRecord::Role>(role);
  if (!images.empty() && images.back().role >= image.role) return false;
  images.push_back(image);
  return true;
}

// A disk: its configuration and the image of its contents.
std::string EncodeDisk(const machine::DiskConfig& disk, const ImageRecord& image) {
  std::string value;
  AppendVarint(static_cast<uint8_t>(disk.interface), value);
  AppendVarint(disk.read_only ? 1 : 0, value);
  AppendVarint(disk.bytes, value);
  AppendDigest(image.digest, value);
  return value;
}

bool DecodeDisk(std::string_view& value, LogHeader& header) {
  machine::DiskConfig disk;
  uint64_t interface = 0;
  uint64_t read_only = 0;
  machine::Digest digest;
  const size_t index = header.config.disks.size();
  if (index == machine::MachineConfig::kMaxDisks || !ConsumeVarint(value, interface) ||
      interface > static_cast<uint8_t>(machine::DiskConfig::Interface::kCdRom) ||
      !ConsumeVarint(value, read_only) || read_only > 1 || !ConsumeVarint(value, disk.bytes) ||
      !ConsumeDigest(value, digest)) {
    return false;
  }
  disk.interface = static_cast<machine::DiskConfig::Interface>(interface);
  disk.read_only = read_only != 0;
  header.config.disks.push_back(disk);
  header.images.push_back({ImageRecord::DiskRole(index), disk.bytes, digest});
  return true;
}

std::string EncodeNetwork(const machine::NetworkConfig& network) {
  std::string value;
  AppendVarint(static_cast<uint8_t>(network.model), value);
  AppendVarint(network.whole_frames, value);
  for (const uint8_t byte : network.mac) value.push_back(static_cast<char>(byte));
  return value;
}

bool DecodeNetwork(std::string_view& value, LogHeader& header) {
  machine::NetworkConfig& network = header.config.network.emplace();
  uint64_t model = 0;
  if (!ConsumeVarint(value, model) ||
      model > static_cast<uint8_t>(machine::NetworkConfig::Model::kTulip) ||
      !ConsumeNumber(value, network.whole_frames) || network.whole_frames > machine::kMaxFrame ||
      value.size() < network.mac.size()) {
    return false;
  }
  network.model = static_cast<machine::NetworkConfig::Model>(model);
  for (uint8_t& byte : network.mac) {
    byte = static_cast<uint8_t>(value.front());
    value.remove_prefix(1);
  }
  return machine::IsStation(network.mac);
}

// What a schedule has in a log behind its kind.
std::string EncodeSchedule(const machine::ScheduleConfig& schedule) {
  using Kind = machine::ScheduleConfig::Kind;
  std::string value;
  AppendVarint(static_cast<uint8_t>(schedule.kind), value);
  if (schedule.kind == Kind::kSwitches) {
    for (const machine::TurnSwitch& each : schedule.switches) {
      AppendVarint(each.cycle, value);
      AppendVarint(each.from * machine::MachineConfig::kMaxCpus + each.to, value);
    }
    return value;
  }
  AppendVarint(schedule.seed, value);
  const bool random = schedule.kind == Kind::kRandom;
  AppendVarint(random ? schedule.min_turn : schedule.depth, value);
  AppendVarint(random ? schedule.max_turn : schedule.length, value);
  return value;
}

bool DecodeSwitches(std::string_view& value, std::vector<machine::TurnSwitch>& switches) {
  constexpr uint32_t kCpus = machine::MachineConfig::kMaxCpus;
  while (!value.empty()) {
    machine::TurnSwitch& added = switches.emplace_back();
    uint64_t cpus = 0;
    if (!ConsumeVarint(value, added.cycle) || !ConsumeVarint(value, cpus) ||
        cpus >= kCpus * kCpus || switches.size() > machine::ScheduleConfig::kMaxSwitches) {
      return false;
    }
    added.from = static_cast<uint32_t>(cpus / kCpus);
    added.to = static_cast<uint32_t>(cpus % kCpus);
  }
  return true;
}

bool DecodeSchedule(std::string_view& value, const machine::MachineConfig& config,
                    machine::ScheduleConfig& schedule) {
  using Kind = machine::ScheduleConfig::Kind;
  uint64_t kind = 0;
  if (!ConsumeVarint(value, kind) || kind > static_cast<uint8_t>(Kind::kSwitches)) return false;
  schedule.kind = static_cast<Kind>(kind);
  switch (schedule.kind) {
    case Kind::kFixed: return false;
    case Kind::kRandom:
      if (!ConsumeNumber(value, schedule.seed) || !ConsumeNumber(value, schedule.min_turn) ||
          !ConsumeNumber(value, schedule.max_turn)) {
        return false;
      }
      break;
    case Kind::kPct:
      if (!ConsumeNumber(value, schedule.seed) || !ConsumeNumber(value, schedule.depth) ||
          !ConsumeNumber(value, schedule.length)) {
        return false;
      }
      break;
    case Kind::kSwitches:
      if (!DecodeSwitches(value, schedule.switches)) return false;
      break;
  }
  return schedule.Validate(config.cpus).ok();
}

bool DecodeField(uint64_t field, std::string_view& value, LogHeader& header) {
  machine::MachineConfig& config = header.config;
  uint64_t number = 0;
  switch (field) {
    case kModel: return ConsumeNumber(value, header.model_version);
    case kPalcode: return ConsumeDigest(value, header.palcode);
    case kMemory: return ConsumeNumber(value, config.memory_bytes);
    case kClock: return ConsumeNumber(value, config.clock_hz) && config.clock_hz != 0;
    case kItb: return ConsumeNumber(value, config.itb_entries);
    case kDtb: return ConsumeNumber(value, config.dtb_entries);
    case kRtcBase:
      if (!ConsumeVarint(value, number)) return false;
      config.rtc_base_seconds = UnZigZag(number);
      return true;
    case kSeed: return ConsumeNumber(value, config.seed);
    case kInputInterval: return ConsumeNumber(value, config.input_interval);
    case kCheckpointInterval: return ConsumeNumber(value, config.checkpoint_interval);
    case kCommandLine:
      config.command_line = value;
      value = {};
      return true;
    case kReboot:
      if (!ConsumeVarint(value, number) || number > 1) return false;
      header.config.reboot = number != 0;
      return true;
    case kImage: return DecodeImage(value, header.images);
    case kDisk: return DecodeDisk(value, header);
    case kEntropyDevice:
      if (!ConsumeVarint(value, number) || number != 1) return false;
      config.entropy_device = true;
      return true;
    case kNetwork: return DecodeNetwork(value, header);
    case kDiskConsole: return ConsumeDigest(value, header.disk_console);
    case kBootDisk:
      if (!ConsumeVarint(value, number) || number >= machine::MachineConfig::kMaxDisks)
        return false;
      config.boot_disk = static_cast<uint32_t>(number);
      return true;
    case kNvram:
      if (value.size() > machine::MachineConfig::kMaxNvram) return false;
      config.nvram = value;
      value = {};
      return true;
    case kCpus:
      return ConsumeNumber(value, config.cpus) && config.cpus > 1 &&
             config.cpus <= machine::MachineConfig::kMaxCpus;
    case kQuantum:
      return config.cpus > 1 && ConsumeNumber(value, config.quantum) && config.quantum != 0 &&
             config.quantum <= machine::MachineConfig::kMaxQuantum;
    case kSchedule: return DecodeSchedule(value, config, config.schedule);
    default: return false;
  }
}

absl::StatusOr<LogHeader> DecodeFields(std::string_view body) {
  LogHeader header;
  uint64_t previous = 0;
  uint32_t seen = 0;
  while (!body.empty()) {
    uint64_t field = 0;
    std::string_view value;
    if (!ConsumeVarint(body, field) || !ConsumeCounted(body, value)) {
      return Damaged("a field of the header breaks off");
    }
    const bool repeats = field == kImage || field == kDisk;
    if (field < previous || (field == previous && !repeats)) {
      return Damaged(absl::StrCat("field ", field, " of the header is out of order"));
    }
    previous = field;
    if (field >= kFirstOptionalField) continue;
    if (field < kModel || field > kLastField) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the header has field ", field, ", which a newer version of isochron understands"));
    }
    if (!DecodeField(field, value, header) || !value.empty()) {
      return Damaged(absl::StrCat("field ", field, " of the header has no valid value"));
    }
    seen |= uint32_t{1} << field;
  }
  if ((seen >> kCpus & 1) != (seen >> kQuantum & 1)) {
    return Damaged("the header has one of fields 20 and 21 without the other");
  }
  for (int field = kModel; field < kImage; ++field) {
    if ((seen >> field & 1) == 0) {
      return Damaged(absl::StrCat("field ", field, " is missing in the header"));
    }
  }
  const bool has_console = (seen >> kDiskConsole & 1) != 0;
  if (has_console != header.config.has_disk_console()) {
    return Damaged("the header has a console that is not used, or uses one that it does not have");
  }
  return header;
}

// What there is of several CPUs.
void AppendCpus(const machine::MachineConfig& config, std::string& body) {
  if (config.cpus == 1) return;
  AppendField(kCpus, uint64_t{config.cpus}, body);
  AppendField(kQuantum, config.quantum, body);
  if (!config.schedule.is_fixed()) AppendField(kSchedule, EncodeSchedule(config.schedule), body);
}

}  // namespace

absl::StatusOr<std::string> EncodeHeader(const LogHeader& header) {
  const machine::MachineConfig& config = header.config;
  std::string body;
  AppendField(kModel, header.model_version, body);
  std::string palcode;
  AppendDigest(header.palcode, palcode);
  AppendField(kPalcode, palcode, body);
  AppendField(kMemory, config.memory_bytes, body);
  AppendField(kClock, config.clock_hz, body);
  AppendField(kItb, config.itb_entries, body);
  AppendField(kDtb, config.dtb_entries, body);
  AppendField(kRtcBase, ZigZag(config.rtc_base_seconds), body);
  AppendField(kSeed, config.seed, body);
  AppendField(kInputInterval, config.input_interval, body);
  AppendField(kCheckpointInterval, config.checkpoint_interval, body);
  AppendField(kCommandLine, config.command_line, body);
  AppendField(kReboot, uint64_t{header.config.reboot}, body);
  size_t disks = 0;
  for (size_t i = 0; i < header.images.size(); ++i) {
    const ImageRecord& image = header.images[i];
    if (i != 0 && header.images[i - 1].role >= image.role) {
      return absl::InvalidArgumentError("the images of a log must be ordered by role");
    }
    if (!image.is_disk()) {
      AppendField(kImage, EncodeImage(image), body);
      continue;
    }
    if (image.disk() != disks || disks == config.disks.size() ||
        image.size != config.disks[disks].bytes) {
      return absl::InvalidArgumentError("the images of a log must be those of its disks");
    }
    AppendField(kDisk, EncodeDisk(config.disks[disks++], image), body);
  }
  if (disks != config.disks.size()) {
    return absl::InvalidArgumentError("a disk of a log needs an image");
  }
  if (config.entropy_device) AppendField(kEntropyDevice, uint64_t{1}, body);
  if (config.network.has_value()) AppendField(kNetwork, EncodeNetwork(*config.network), body);
  if (config.has_disk_console()) {
    std::string console;
    AppendDigest(header.disk_console, console);
    AppendField(kDiskConsole, console, body);
  }
  if (config.boot_disk.has_value()) AppendField(kBootDisk, uint64_t{*config.boot_disk}, body);
  if (config.nvram.has_value()) AppendField(kNvram, *config.nvram, body);
  AppendCpus(config, body);

  std::string bytes(kMagic);
  AppendVarint(kFormatMajor, bytes);
  AppendVarint(kFormatMinor, bytes);
  AppendVarint(body.size(), bytes);
  bytes += body;
  if (bytes.size() > kMaxHeaderBytes) {
    return absl::InvalidArgumentError("what the machine is told is too long for a log");
  }
  return bytes;
}

absl::StatusOr<LogHeader> DecodeHeader(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) {
    return absl::InvalidArgumentError("this is no replay log of isochron");
  }
  bytes.remove_prefix(kMagic.size());
  uint64_t major = 0;
  uint64_t minor = 0;
  if (!ConsumeVarint(bytes, major)) return Damaged("the header breaks off");
  if (major < kOldestFormatMajor || major > kFormatMajor) {
    return absl::InvalidArgumentError(absl::StrCat("the log has format version ", major,
                                                   "; this program reads versions ",
                                                   kOldestFormatMajor, " to ", kFormatMajor));
  }
  std::string_view body;
  if (!ConsumeVarint(bytes, minor) || !ConsumeCounted(bytes, body)) {
    return Damaged("the header breaks off");
  }
  if (!bytes.empty()) return Damaged("bytes follow the header");
  return DecodeFields(body);
}

}  // namespace isochron::replaylog
