#include "machine/devices/console_device.h"

#include <cstring>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "machine/disks/disk_contents.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {
namespace {

// To program a byte of flash memory takes 7 us (AMD Am29F016D, "programming performance"), of which
// the environment takes as many as its slots have.
constexpr uint64_t kSavedBytesPerSecond = 1'000'000 / 7;

constexpr size_t kMaxValueText = 4 * CONSOLE_ENV_MAX_LENGTH + 32;
constexpr size_t kMaxNvramText = CONSOLE_ENV_COUNT * kMaxValueText;

}  // namespace

ConsoleDevice::ConsoleDevice(EventQueue& events, alpha::Memory& memory, std::vector<Unit> units,
                             std::optional<ConsoleEnvironment> nvram)
    : events_(events, *this), memory_(memory), units_(std::move(units)), nvram_(std::move(nvram)) {}

void ConsoleDevice::Reset() {
  unit_ = block_ = count_ = address_ = command_ = 0;
  status_ = FW_CONSOLE_DONE;
  positions_ = {};
  events_.Cancel(kDone);
}

uint64_t ConsoleDevice::Read(const Access& access) {
  if (access.size != 8) return 0;
  switch (access.offset) {
    case FW_CONSOLE_DEVICE_UNIT: return unit_;
    case FW_CONSOLE_DEVICE_BLOCK: return block_;
    case FW_CONSOLE_DEVICE_COUNT: return count_;
    case FW_CONSOLE_DEVICE_ADDRESS: return address_;
    case FW_CONSOLE_DEVICE_COMMAND: return command_ != 0 ? FW_CONSOLE_BUSY : status_;
    case FW_CONSOLE_DEVICE_BLOCKS: return disk() != nullptr ? disk()->sectors() : 0;
    case FW_CONSOLE_DEVICE_NVRAM: return nvram_.has_value() ? 1 : 0;
    default: return 0;
  }
}

void ConsoleDevice::Write(const Access& access, uint64_t value) {
  if (access.size != 8 || command_ != 0) return;
  switch (access.offset) {
    case FW_CONSOLE_DEVICE_UNIT: unit_ = value; break;
    case FW_CONSOLE_DEVICE_BLOCK: block_ = value; break;
    case FW_CONSOLE_DEVICE_COUNT: count_ = value; break;
    case FW_CONSOLE_DEVICE_ADDRESS: address_ = value; break;
    case FW_CONSOLE_DEVICE_COMMAND: Begin(value); break;
    default: break;
  }
}

bool ConsoleDevice::CanTransfer(bool writes) const {
  const Disk* const target = disk();
  return target != nullptr && !(writes && target->read_only()) && count_ != 0 &&
         count_ <= FW_CONSOLE_MAX_BLOCKS && block_ < target->sectors() &&
         count_ <= target->sectors() - block_ && memory_.Contains(address_, count_ * kSectorSize);
}

void ConsoleDevice::Begin(uint64_t command) {
  const uint64_t hz = events_.hz();
  uint64_t cycles = 0;
  status_ = FW_CONSOLE_REFUSED;
  if (command == FW_CONSOLE_READ || command == FW_CONSOLE_WRITE) {
    const bool writes = command == FW_CONSOLE_WRITE;
    if (!CanTransfer(writes)) return;
    const DiskTiming& timing = *units_[unit_].timing;
    const DiskTiming::Way& way = writes ? timing.write : timing.read;
    cycles = timing.RequestCycles(hz) + DiskTiming::SeekCycles(way, positions_[unit_], block_, hz) +
             DiskTiming::TransferCycles(way, count_ * kSectorSize, hz);
  } else if (command == FW_CONSOLE_SAVE) {
    if (!nvram_.has_value() || !memory_.Contains(address_, ConsoleEnvironment::kSlotBytes)) return;
    cycles = TicksToCycles(ConsoleEnvironment::kSlotBytes, kSavedBytesPerSecond, hz);
  } else {
    return;
  }
  command_ = command;
  events_.Schedule(kDone, events_.now() + cycles);
}

void ConsoleDevice::Transfer(bool writes) {
  std::array<uint8_t, FW_CONSOLE_MAX_BLOCKS * kSectorSize> buffer;
  const std::span bytes = std::span(buffer).first(count_ * kSectorSize);
  if (writes) {
    std::memcpy(bytes.data(), memory_.host(address_), bytes.size());
    disk()->Write(block_, bytes);
  } else {
    disk()->Read(block_, bytes);
    memory_.Write(address_, bytes.data(), bytes.size());
  }
  positions_[unit_] = block_ + count_;
}

bool ConsoleDevice::Save() {
  const std::string_view slots(reinterpret_cast<const char*>(memory_.host(address_)),
                               ConsoleEnvironment::kSlotBytes);
  absl::StatusOr<ConsoleEnvironment> environment = ConsoleEnvironment::FromSlots(slots);
  if (!environment.ok()) return false;
  nvram_ = *std::move(environment);
  return true;
}

void ConsoleDevice::OnEvent(int kind) {
  if (kind != kDone || command_ == 0) return;
  bool done = true;
  if (command_ == FW_CONSOLE_SAVE) {
    done = Save();
  } else {
    Transfer(command_ == FW_CONSOLE_WRITE);
  }
  status_ = done ? FW_CONSOLE_DONE : FW_CONSOLE_REFUSED;
  command_ = 0;
}

template <typename Visitor, typename Self>
void ConsoleDevice::Walk(Visitor& visitor, Self& self) {
  visitor.Section("console");
  visitor.Field("unit", self.unit_);
  visitor.Field("block", self.block_);
  visitor.Field("count", self.count_);
  visitor.Field("address", self.address_);
  visitor.Field("command", self.command_);
  visitor.Field("status", self.status_);
  visitor.Field("position", self.positions_);
}

void ConsoleDevice::VisitState(alpha::StateVisitor& visitor) const {
  Walk(visitor, *this);
  if (!nvram_.has_value()) return;
  const std::string text = nvram_->Format();
  visitor.Field("nvram", text, kMaxNvramText);
}

void ConsoleDevice::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  if (nvram_.has_value()) {
    std::string text;
    reader.Field("nvram", text, kMaxNvramText);
    absl::StatusOr<ConsoleEnvironment> environment = ConsoleEnvironment::Parse(text);
    if (!environment.ok()) {
      reader.Fail("NVRAM holds what it cannot");
    } else {
      nvram_ = *std::move(environment);
    }
  }
  const bool transfers = command_ == FW_CONSOLE_READ || command_ == FW_CONSOLE_WRITE;
  const bool saves = command_ == FW_CONSOLE_SAVE && nvram_.has_value() &&
                     memory_.Contains(address_, ConsoleEnvironment::kSlotBytes);
  if (status_ > FW_CONSOLE_REFUSED ||
      (command_ != 0 && !saves && !(transfers && CanTransfer(command_ == FW_CONSOLE_WRITE)))) {
    reader.Fail("the console does what it cannot");
    command_ = 0;
  }
}

}  // namespace isochron::machine
