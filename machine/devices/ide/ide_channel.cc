#include "machine/devices/ide/ide_channel.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "machine/devices/ide/ata_drive.h"
#include "machine/devices/ide/atapi_drive.h"

namespace isochron::machine {
namespace {

// Of the device register and of device control.
constexpr uint8_t kDeviceBit = 0x10;
constexpr uint8_t kDisableInterrupt = 0x02, kSoftReset = 0x04, kHighOrder = 0x80;
// What the wires give that nobody drives: DD7 is pulled down.
constexpr uint8_t kFloating = 0x7f;

struct MasterCommand {
  static constexpr uint8_t kStart = 0x01, kToMemory = 0x08, kWritable = kStart | kToMemory;
};
struct MasterStatus {
  static constexpr uint8_t kActive = 0x01, kError = 0x02, kInterrupt = 0x04, kCapable = 0x60;
};
constexpr uint32_t kLastDescriptor = 0x8000'0000;
constexpr uint32_t kFullDescriptor = 0x1'0000;  // bytes of one whose count is 0

}  // namespace

void IdeChannel::Attach(int device, Disk& disk, int number, bool is_cdrom) {
  AtaHost& host = *this;
  if (is_cdrom) {
    drives_[device] = std::make_unique<AtapiDrive>(host, disk, number);
  } else {
    drives_[device] = std::make_unique<AtaDrive>(host, disk, number);
  }
}

void IdeChannel::Reset() {
  events_.Cancel(kind_);
  selected_ = 0;
  control_ = 0;
  master_command_ = 0;
  master_status_ = 0;
  table_ = next_descriptor_ = address_ = left_ = 0;
  is_last_ = false;
  dma_cycles_ = 0;
  for (const std::unique_ptr<IdeDrive>& drive : drives_) {
    if (drive != nullptr) drive->Reset();
  }
  level_ = false;
  line_.Set(false);
}

void IdeChannel::UpdateInterrupt() {
  const IdeDrive* const drive = selected();
  const bool level = drive != nullptr && drive->interrupt() && (control_ & kDisableInterrupt) == 0;
  if (level && !level_) master_status_ |= MasterStatus::kInterrupt;
  level_ = level;
  line_.Set(level);
}

uint8_t IdeChannel::ReadRegister(int reg) const {
  if (!has_drives()) return kFloating;
  const IdeDrive* const drive = selected();
  const bool high = (control_ & kHighOrder) != 0;
  if (drive != nullptr) {
    // The two drives have one register for which of them is meant.
    const uint8_t value = drive->Read(reg, high);
    return reg == AtaRegister::kDevice && selected_ != 0 ? value | kDeviceBit : value;
  }
  // The other drive answers for the one that is not there, and for its status with zeros.
  if (reg == AtaRegister::kStatus) return 0;
  return drives_[1 - selected_]->Read(reg, high);
}

uint64_t IdeChannel::ReadCommand(const Access& access) {
  const auto reg = static_cast<int>(access.offset);
  IdeDrive* const drive = selected();
  if (reg == AtaRegister::kData && access.size > 1) {
    if (drive == nullptr) return has_drives() ? 0 : AllOnes(access.size) & ~uint64_t{0x80};
    uint64_t value = drive->ReadData();
    if (access.size == 4) value |= uint64_t{drive->ReadData()} << 16;
    return value;
  }
  if (reg == AtaRegister::kData) return drive != nullptr ? drive->ReadData() & 0xff : kFloating;
  uint64_t value = 0;
  for (int i = 0; i < access.size; ++i) {
    value |= uint64_t{ReadRegister(reg + i)} << (8 * i);
    if (reg + i == AtaRegister::kStatus && drive != nullptr) drive->ClearInterrupt();
  }
  return value;
}

void IdeChannel::WriteRegister(int reg, uint8_t value) {
  IdeDrive* const drive = selected();
  if (drive != nullptr && !drive->listens() && reg != AtaRegister::kCommand) return;
  control_ &= static_cast<uint8_t>(~kHighOrder);
  if (reg == AtaRegister::kCommand) return Command(value);
  for (const std::unique_ptr<IdeDrive>& each : drives_) {
    if (each != nullptr) each->Write(reg, value);
  }
  if (reg != AtaRegister::kDevice) return;
  selected_ = (value & kDeviceBit) != 0 ? 1 : 0;
  UpdateInterrupt();
}

void IdeChannel::Command(uint8_t code) {
  const IdeDrive* const drive = selected();
  // Both drives look after themselves, and device 0 tells of both (ATA/ATAPI-5, 8.8).
  if (code == AtaCommand::kDiagnose && drives_[0] != nullptr && drives_[1] != nullptr &&
      !drive->busy()) {
    selected_ = 0;
    drives_[1]->SoftReset();
    drives_[0]->Command(code);
  } else if (drive != nullptr) {
    selected()->Command(code);
  }
}

void IdeChannel::WriteCommand(const Access& access, uint64_t value) {
  const auto reg = static_cast<int>(access.offset);
  if (reg == AtaRegister::kData) {
    IdeDrive* const drive = selected();
    if (drive == nullptr) return;
    drive->WriteData(static_cast<uint16_t>(value));
    if (access.size == 4) drive->WriteData(static_cast<uint16_t>(value >> 16));
    return;
  }
  for (int i = 0; i < access.size; ++i)
    WriteRegister(reg + i, static_cast<uint8_t>(value >> (8 * i)));
}

uint8_t IdeChannel::ReadControl() const { return ReadRegister(AtaRegister::kStatus); }

void IdeChannel::WriteControl(uint8_t value) {
  const bool resets = (value & kSoftReset) != 0 && (control_ & kSoftReset) == 0;
  control_ = value;
  if (resets) {
    selected_ = 0;
    for (const std::unique_ptr<IdeDrive>& drive : drives_) {
      if (drive != nullptr) drive->SoftReset();
    }
  } else if ((value & kSoftReset) == 0 && events_.DueCycle(kind_) == kNever) {
    // Drives stay in reset as long as the bit is set.
    for (const std::unique_ptr<IdeDrive>& drive : drives_) {
      if (drive != nullptr && drive->busy()) drive->SoftReset();
    }
  }
  UpdateInterrupt();
}

uint8_t IdeChannel::ReadMaster(uint64_t reg) const {
  switch (reg) {
    case kMasterCommand: return master_command_;
    case kMasterStatus: return master_status_;
    case kMasterTable:
    case kMasterTable + 1:
    case kMasterTable + 2:
    case kMasterTable + 3: return static_cast<uint8_t>(table_ >> (8 * (reg - kMasterTable)));
    default: return 0;
  }
}

void IdeChannel::WriteMaster(uint64_t reg, uint8_t value) {
  using Status = MasterStatus;
  switch (reg) {
    case kMasterCommand: {
      const bool started = (master_command_ & MasterCommand::kStart) != 0;
      master_command_ = value & MasterCommand::kWritable;
      const bool starts = (master_command_ & MasterCommand::kStart) != 0;
      if (starts != started) SetMaster(starts);
      break;
    }
    case kMasterStatus:
      // Interrupt and error are cleared by ones; what the drives can do is what was written last.
      master_status_ = static_cast<uint8_t>(
          (master_status_ & ~(value & (Status::kInterrupt | Status::kError)) & ~Status::kCapable) |
          (value & Status::kCapable));
      break;
    case kMasterTable:
    case kMasterTable + 1:
    case kMasterTable + 2:
    case kMasterTable + 3: {
      const uint64_t shift = 8 * (reg - kMasterTable);
      table_ = (table_ & ~(uint32_t{0xff} << shift)) | uint32_t{value} << shift;
      table_ &= ~uint32_t{3};
      break;
    }
    default: break;
  }
}

void IdeChannel::SetMaster(bool starts) {
  IdeDrive* const drive = selected();
  if (starts) {
    master_status_ |= MasterStatus::kActive;
    next_descriptor_ = table_;
    left_ = 0;
    is_last_ = false;
    if (drive != nullptr && drive->wants_dma()) WakeAfter(dma_cycles_);
  } else {
    master_status_ &= static_cast<uint8_t>(~MasterStatus::kActive);
    if (drive != nullptr && drive->wants_dma()) events_.Cancel(kind_);
  }
}

void IdeChannel::WantDma(uint64_t cycles) {
  dma_cycles_ = cycles;
  if ((master_status_ & MasterStatus::kActive) != 0) WakeAfter(cycles);
}

void IdeChannel::OnEvent() {
  IdeDrive* const drive = selected();
  if (drive != nullptr && drive->wants_dma()) return Transfer();
  if ((control_ & kSoftReset) != 0) return;
  for (const std::unique_ptr<IdeDrive>& each : drives_) {
    if (each != nullptr) each->OnWake();
  }
}

void IdeChannel::FailMaster() {
  master_status_ &= static_cast<uint8_t>(~MasterStatus::kActive);
  master_status_ |= MasterStatus::kError;
}

bool IdeChannel::NextDescriptor() {
  if (is_last_) {
    // The drive has more than there is room for: the master is done, and the drive waits.
    master_status_ &= static_cast<uint8_t>(~MasterStatus::kActive);
    return false;
  }
  std::array<uint32_t, 2> words;
  if (dma_.ReadMemory(next_descriptor_, words.data(), sizeof words) != DmaResult::kOk) {
    FailMaster();
    return false;
  }
  next_descriptor_ += sizeof words;
  address_ = words[0] & ~uint32_t{1};
  const uint32_t count = words[1] & 0xfffe;
  left_ = count != 0 ? count : kFullDescriptor;
  is_last_ = (words[1] & kLastDescriptor) != 0;
  return true;
}

void IdeChannel::Transfer() {
  IdeDrive& drive = *selected();
  if ((master_status_ & MasterStatus::kActive) == 0) return;
  // A master that goes the other way moves nothing.
  if (drive.dma_in() != ((master_command_ & MasterCommand::kToMemory) != 0)) return FailMaster();
  for (int descriptors = 0; descriptors < kMaxDescriptors;) {
    if (left_ == 0) {
      if (!NextDescriptor()) return;
      ++descriptors;
    }
    const std::span<uint8_t> bytes = drive.DmaBytes();
    const auto size = std::min<size_t>(bytes.size(), left_);
    const DmaResult result = drive.dma_in() ? dma_.WriteMemory(address_, bytes.data(), size)
                                            : dma_.ReadMemory(address_, bytes.data(), size);
    if (result != DmaResult::kOk) return FailMaster();
    address_ += static_cast<uint32_t>(size);
    left_ -= static_cast<uint32_t>(size);
    if (!drive.OnDma(size)) continue;
    // The next chunk has its own time. At the end of the command the master stops where its table
    // ends there, too.
    if (!drive.wants_dma() && left_ == 0 && is_last_) {
      master_status_ &= static_cast<uint8_t>(~MasterStatus::kActive);
    }
    return;
  }
  WakeAfter(1);
}

template <typename Visitor, typename Self>
void IdeChannel::Walk(Visitor& visitor, Self& self) {
  visitor.Field("selected", self.selected_);
  visitor.Field("control", self.control_);
  visitor.Field("level", self.level_);
  visitor.Field("master_command", self.master_command_);
  visitor.Field("master_status", self.master_status_);
  visitor.Field("table", self.table_);
  visitor.Field("next_descriptor", self.next_descriptor_);
  visitor.Field("address", self.address_);
  visitor.Field("bytes_left", self.left_);
  visitor.Field("is_last", self.is_last_);
  visitor.Field("dma_cycles", self.dma_cycles_);
  constexpr const char* kNames[] = {"drive0", "drive1"};
  for (size_t i = 0; i < 2; ++i) {
    if (self.drives_[i] != nullptr) visitor.Field(kNames[i], *self.drives_[i]);
  }
}

void IdeChannel::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void IdeChannel::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  // Nobody has waited longer than for a chunk with all that comes before it.
  if (selected_ > 1 || left_ > kFullDescriptor || dma_cycles_ > events_.hz()) {
    reader.Fail("a channel stands where none can");
    selected_ = 0;
  }
}

}  // namespace isochron::machine
