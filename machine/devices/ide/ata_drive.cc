#include "machine/devices/ide/ata_drive.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "machine/devices/ide/ata_identity.h"
#include "machine/disks/disk_timing.h"

namespace isochron::machine {
namespace {

constexpr uint8_t kLbaBit = 0x40;  // of the device register
constexpr uint64_t kNoSector = ~uint64_t{0};

}  // namespace

enum class AtaDrive::Action : uint8_t {
  kRead,
  kWrite,
  kVerify,
  kNothing,  // of what a disk that never stops and has no heads has to do
  kFlush,
  kIdentify,
  kSetFeatures,
  kSetMultiple,
  kSetGeometry,
  kDiagnose,
  kPowerMode,
};

struct AtaDrive::CommandRow {
  uint8_t code = 0;
  Action action = Action::kNothing;
  bool is_extended = false;  // has a 48-bit address
  bool multiple = false;     // transfers as many sectors at once as SET MULTIPLE has said
  bool dma = false;
};

const AtaDrive::CommandRow* AtaDrive::FindCommand(uint8_t code) {
  static constexpr CommandRow kCommands[] = {
      {.code = 0x20, .action = Action::kRead},
      {.code = 0x21, .action = Action::kRead},
      {.code = 0x24, .action = Action::kRead, .is_extended = true},
      {.code = 0x25, .action = Action::kRead, .is_extended = true, .dma = true},
      {.code = 0x29, .action = Action::kRead, .is_extended = true, .multiple = true},
      {.code = 0x30, .action = Action::kWrite},
      {.code = 0x31, .action = Action::kWrite},
      {.code = 0x34, .action = Action::kWrite, .is_extended = true},
      {.code = 0x35, .action = Action::kWrite, .is_extended = true, .dma = true},
      {.code = 0x39, .action = Action::kWrite, .is_extended = true, .multiple = true},
      {.code = 0x40, .action = Action::kVerify},
      {.code = 0x41, .action = Action::kVerify},
      {.code = 0x42, .action = Action::kVerify, .is_extended = true},
      {.code = 0x70, .action = Action::kNothing},  // SEEK
      {.code = AtaCommand::kDiagnose, .action = Action::kDiagnose},
      {.code = 0x91, .action = Action::kSetGeometry},
      {.code = 0xc4, .action = Action::kRead, .multiple = true},
      {.code = 0xc5, .action = Action::kWrite, .multiple = true},
      {.code = 0xc6, .action = Action::kSetMultiple},
      {.code = 0xc8, .action = Action::kRead, .dma = true},
      {.code = 0xc9, .action = Action::kRead, .dma = true},
      {.code = 0xca, .action = Action::kWrite, .dma = true},
      {.code = 0xcb, .action = Action::kWrite, .dma = true},
      {.code = 0xe0, .action = Action::kNothing},  // STANDBY IMMEDIATE
      {.code = 0xe1, .action = Action::kNothing},  // IDLE IMMEDIATE
      {.code = 0xe2, .action = Action::kNothing},  // STANDBY
      {.code = 0xe3, .action = Action::kNothing},  // IDLE
      {.code = 0xe5, .action = Action::kPowerMode},
      {.code = 0xe7, .action = Action::kFlush},
      {.code = 0xea, .action = Action::kFlush, .is_extended = true},
      {.code = 0xec, .action = Action::kIdentify},
      {.code = 0xef, .action = Action::kSetFeatures},
  };
  static constexpr CommandRow kRecalibrate = {.code = 0x10, .action = Action::kNothing};
  if ((code & 0xf0) == kRecalibrate.code) return &kRecalibrate;
  const auto* const row = std::ranges::find(kCommands, code, &CommandRow::code);
  return row != std::end(kCommands) ? row : nullptr;
}

void AtaDrive::Reset() {
  high_ = {};
  registers_ = {};
  multiple_ = 0;
  dma_mode_ = 0;
  write_cache_ = true;
  heads_ = AtaGeometry::kHeads;
  sectors_per_track_ = AtaGeometry::kSectors;
  position_ = 0;
  Signature();
  phase_ = Phase::kIdle;
  status_ = AtaStatus::kIdle;
  interrupt_ = identify_ = is_first_ = false;
  chunk_.clear();
  sector_ = left_ = 0;
  block_ = 1;
  at_ = 0;
}

void AtaDrive::Signature() {
  registers_ = {};
  registers_[AtaRegister::kCount] = registers_[AtaRegister::kLow] = 1;
  high_ = {};
  error_ = AtaValues::kPassed;
}

void AtaDrive::SoftReset() {
  ClearInterrupt();
  Signature();
  chunk_.clear();
  left_ = 0;
  at_ = 0;
  phase_ = Phase::kBusy;
  status_ = AtaStatus::kBusy;
  host_.WakeAfter(host_.hz() / AtaValues::kResetsPerSecond);
}

uint8_t AtaDrive::Read(int reg, bool high) const {
  switch (reg) {
    case AtaRegister::kError: return error_;
    case AtaRegister::kDevice: return registers_[AtaRegister::kDevice] | AtaValues::kDeviceFixed;
    case AtaRegister::kStatus: return status_;
    default: return high ? high_[static_cast<size_t>(reg)] : registers_[static_cast<size_t>(reg)];
  }
}

void AtaDrive::Write(int reg, uint8_t value) {
  if (!listens()) return;
  const auto place = static_cast<size_t>(reg);
  high_[place] = std::exchange(registers_[place], value);
}

void AtaDrive::Finish() {
  phase_ = Phase::kIdle;
  status_ = AtaStatus::kIdle;
  chunk_.clear();
  Interrupt();
}

void AtaDrive::Fail(uint8_t error) {
  error_ = error;
  Finish();
  status_ |= AtaStatus::kError;
}

void AtaDrive::Command(uint8_t code) {
  if (busy()) return;
  ClearInterrupt();
  // A command in the middle of another's data ends that one.
  chunk_.clear();
  left_ = 0;
  at_ = 0;
  error_ = 0;
  identify_ = is_first_ = false;
  const CommandRow* const row = FindCommand(code);
  if (row == nullptr) {
    Fail(AtaError::kAborted);
  } else {
    Execute(*row);
  }
}

void AtaDrive::Execute(const CommandRow& row) {
  const auto wait = [this](uint64_t cycles) {
    phase_ = Phase::kBusy;
    status_ = AtaStatus::kBusy | AtaStatus::kIdle;
    host_.WakeAfter(cycles);
  };
  const uint64_t request = kSolidStateDisk.RequestCycles(host_.hz());
  switch (row.action) {
    case Action::kRead:
    case Action::kWrite:
    case Action::kVerify: BeginTransfer(row); break;
    case Action::kIdentify: BeginIdentify(); break;
    case Action::kNothing: wait(request); break;
    case Action::kFlush: wait(request + kSolidStateDisk.FlushCycles(host_.hz())); break;
    case Action::kSetFeatures: SetFeatures(); break;
    case Action::kSetMultiple: SetMultiple(); break;
    case Action::kSetGeometry: SetGeometry(); break;
    case Action::kDiagnose:
      Signature();
      wait(request);
      break;
    case Action::kPowerMode:
      registers_[AtaRegister::kCount] = 0xff;  // active or idle
      Finish();
      break;
  }
}

uint64_t AtaDrive::Address(bool is_extended) const {
  const auto& low = registers_;
  const uint64_t bits = uint64_t{low[AtaRegister::kLow]} | uint64_t{low[AtaRegister::kMid]} << 8 |
                        uint64_t{low[AtaRegister::kHigh]} << 16;
  if (is_extended) {
    return bits | uint64_t{high_[AtaRegister::kLow]} << 24 |
           uint64_t{high_[AtaRegister::kMid]} << 32 | uint64_t{high_[AtaRegister::kHigh]} << 40;
  }
  const uint64_t head = low[AtaRegister::kDevice] & 0xf;
  if ((low[AtaRegister::kDevice] & kLbaBit) != 0) return bits | head << 24;
  const uint64_t cylinder = bits >> 8;
  const uint64_t sector = low[AtaRegister::kLow];
  if (sector == 0 || sector > sectors_per_track_ || head >= heads_) return kNoSector;
  return (cylinder * heads_ + head) * sectors_per_track_ + sector - 1;
}

uint64_t AtaDrive::Count(bool is_extended) const {
  const uint64_t low = registers_[AtaRegister::kCount];
  if (!is_extended) return low != 0 ? low : 256;
  const uint64_t count = low | uint64_t{high_[AtaRegister::kCount]} << 8;
  return count != 0 ? count : 65536;
}

void AtaDrive::BeginTransfer(const CommandRow& row) {
  const bool writes = row.action == Action::kWrite;
  if ((row.multiple && multiple_ == 0) || (writes && disk_.read_only())) {
    return Fail(AtaError::kAborted);
  }
  sector_ = Address(row.is_extended);
  left_ = Count(row.is_extended);
  if (sector_ >= disk_.sectors() || left_ > disk_.sectors() - sector_) {
    left_ = 0;
    return Fail(AtaError::kNotFound);
  }
  block_ = row.dma || row.action == Action::kVerify ? uint16_t{kMaxChunk}
           : row.multiple                           ? multiple_
                                                    : 1;
  phase_ = writes ? Phase::kDmaOut : Phase::kDmaIn;  // which way the first chunk goes
  is_first_ = true;
  const uint64_t cycles =
      row.action == Action::kVerify ? TransferCycles(left_, true) : ChunkCycles(true);
  status_ = AtaStatus::kBusy | AtaStatus::kIdle;
  if (row.action == Action::kVerify) {
    phase_ = Phase::kBusy;
    position_ = sector_ + left_;
    left_ = 0;
    host_.WakeAfter(cycles);
  } else if (row.dma) {
    status_ = AtaStatus::kDataRequest | AtaStatus::kIdle;
    host_.WantDma(cycles);
  } else if (writes) {
    phase_ = Phase::kDataOut;
    status_ = AtaStatus::kDataRequest | AtaStatus::kIdle;
    LoadChunk();
  } else {
    phase_ = Phase::kFetch;
    host_.WakeAfter(cycles);
  }
}

void AtaDrive::BeginIdentify() {
  identify_ = true;
  left_ = block_ = 1;
  phase_ = Phase::kFetch;
  status_ = AtaStatus::kBusy | AtaStatus::kIdle;
  host_.WakeAfter(kSolidStateDisk.RequestCycles(host_.hz()));
}

void AtaDrive::SetMultiple() {
  const uint8_t count = registers_[AtaRegister::kCount];
  if (count > AtaIdentity::kMaxMultiple || (count != 0 && !std::has_single_bit(count))) {
    return Fail(AtaError::kAborted);
  }
  multiple_ = count;
  Finish();
}

void AtaDrive::SetGeometry() {
  const uint8_t sectors = registers_[AtaRegister::kCount];
  if (sectors == 0) return Fail(AtaError::kAborted);
  sectors_per_track_ = sectors;
  heads_ = static_cast<uint16_t>((registers_[AtaRegister::kDevice] & 0xf) + 1);
  Finish();
}

void AtaDrive::SetFeatures() {
  constexpr uint8_t kWriteCacheOn = 0x02, kTransferMode = 0x03, kLookAheadOff = 0x55,
                    kWriteCacheOff = 0x82, kLookAheadOn = 0xaa;
  const uint8_t mode = registers_[AtaRegister::kCount];
  switch (registers_[AtaRegister::kFeatures]) {
    case kWriteCacheOn: write_cache_ = true; break;
    case kWriteCacheOff: write_cache_ = false; break;
    case kLookAheadOff:
    case kLookAheadOn: break;
    case kTransferMode:
      if (mode >= AtaValues::kUltraDma + AtaIdentity::kUltraDmaModes)
        return Fail(AtaError::kAborted);
      if (mode >= AtaValues::kMultiwordDma && mode < AtaValues::kUltraDma &&
          mode >= AtaValues::kMultiwordDma + AtaIdentity::kMultiwordDmaModes) {
        return Fail(AtaError::kAborted);
      }
      // PIO modes are slower or faster wires: there are none.
      if (mode >= AtaValues::kMultiwordDma) dma_mode_ = mode;
      break;
    default: return Fail(AtaError::kAborted);
  }
  Finish();
}

uint64_t AtaDrive::ChunkSectors() const { return std::min<uint64_t>(left_, block_); }

uint64_t AtaDrive::TransferCycles(uint64_t sectors, bool first) const {
  const bool writes =
      phase_ == Phase::kStore || phase_ == Phase::kDataOut || phase_ == Phase::kDmaOut;
  const DiskTiming::Way& way = writes ? kSolidStateDisk.write : kSolidStateDisk.read;
  const uint64_t hz = host_.hz();
  const uint64_t transfer = DiskTiming::TransferCycles(way, sectors * kSectorSize, hz);
  if (!first) return transfer;
  return kSolidStateDisk.RequestCycles(hz) + DiskTiming::SeekCycles(way, position_, sector_, hz) +
         transfer;
}

void AtaDrive::LoadChunk() {
  at_ = 0;
  chunk_.assign(ChunkSectors() * kSectorSize, '\0');
  if (phase_ != Phase::kFetch && phase_ != Phase::kDmaIn) return;
  if (identify_) {
    chunk_ = AtaIdentity{.number = number_,
                         .sectors = disk_.sectors(),
                         .multiple = multiple_,
                         .dma_mode = dma_mode_,
                         .write_cache = write_cache_,
                         .heads = heads_,
                         .sectors_per_track = sectors_per_track_}
                 .Bytes();
  } else {
    disk_.Read(sector_, {reinterpret_cast<uint8_t*>(chunk_.data()), chunk_.size()});
  }
}

void AtaDrive::StoreChunk() {
  disk_.Write(sector_, {reinterpret_cast<const uint8_t*>(chunk_.data()), chunk_.size()});
  Advance();
}

void AtaDrive::Advance() {
  const uint64_t sectors = ChunkSectors();
  sector_ += sectors;
  left_ -= sectors;
  if (!identify_) position_ = sector_;
  is_first_ = false;
  at_ = 0;
  chunk_.clear();
}

void AtaDrive::OnWake() {
  switch (phase_) {
    case Phase::kBusy: {
      // Behind SRST nobody waits for an interrupt.
      const bool was_reset = status_ == AtaStatus::kBusy;
      Finish();
      if (was_reset) ClearInterrupt();
      break;
    }
    case Phase::kFetch:
      LoadChunk();
      phase_ = Phase::kDataIn;
      status_ = AtaStatus::kDataRequest | AtaStatus::kIdle;
      Interrupt();
      break;
    case Phase::kStore:
      StoreChunk();
      if (left_ == 0) return Finish();
      phase_ = Phase::kDataOut;
      LoadChunk();
      status_ = AtaStatus::kDataRequest | AtaStatus::kIdle;
      Interrupt();
      break;
    default: break;
  }
}

uint16_t AtaDrive::ReadData() {
  if (phase_ != Phase::kDataIn) return 0;
  const auto byte = [this](size_t index) { return static_cast<uint8_t>(chunk_[index]); };
  const auto value = static_cast<uint16_t>(byte(at_) | byte(at_ + 1) << 8);
  at_ += 2;
  if (at_ < chunk_.size()) return value;
  Advance();
  if (left_ == 0) {
    phase_ = Phase::kIdle;
    status_ = AtaStatus::kIdle;
  } else {
    phase_ = Phase::kFetch;
    status_ = AtaStatus::kBusy | AtaStatus::kIdle;
    host_.WakeAfter(ChunkCycles(false));
  }
  return value;
}

void AtaDrive::WriteData(uint16_t value) {
  if (phase_ != Phase::kDataOut) return;
  chunk_[at_] = static_cast<char>(value);
  chunk_[at_ + 1] = static_cast<char>(value >> 8);
  at_ += 2;
  if (at_ < chunk_.size()) return;
  phase_ = Phase::kStore;
  status_ = AtaStatus::kBusy | AtaStatus::kIdle;
  host_.WakeAfter(ChunkCycles(is_first_));
}

std::span<uint8_t> AtaDrive::DmaBytes() {
  if (chunk_.empty()) LoadChunk();
  return std::span(reinterpret_cast<uint8_t*>(chunk_.data()), chunk_.size()).subspan(at_);
}

bool AtaDrive::OnDma(size_t bytes) {
  at_ += static_cast<uint32_t>(bytes);
  if (at_ < chunk_.size()) return false;
  if (phase_ == Phase::kDmaOut) {
    StoreChunk();
  } else {
    Advance();
  }
  if (left_ == 0) {
    Finish();
  } else {
    host_.WantDma(ChunkCycles(false));
  }
  return true;
}

template <typename Visitor, typename Self>
void AtaDrive::Walk(Visitor& visitor, Self& self) {
  visitor.Field("registers", self.registers_);
  visitor.Field("high", self.high_);
  visitor.Field("error", self.error_);
  visitor.Field("status", self.status_);
  visitor.Field("interrupt", self.interrupt_);
  visitor.Field("phase", self.phase_);
  visitor.Field("identify", self.identify_);
  visitor.Field("is_first", self.is_first_);
  visitor.Field("sector", self.sector_);
  visitor.Field("left", self.left_);
  visitor.Field("block", self.block_);
  visitor.Field("position", self.position_);
  visitor.Field("at", self.at_);
  visitor.Field("chunk", self.chunk_, kMaxChunk * kSectorSize);
  visitor.Field("multiple", self.multiple_);
  visitor.Field("dma_mode", self.dma_mode_);
  visitor.Field("write_cache", self.write_cache_);
  visitor.Field("heads", self.heads_);
  visitor.Field("sectors_per_track", self.sectors_per_track_);
}

void AtaDrive::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void AtaDrive::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  const bool chunk_fits = chunk_.empty() || chunk_.size() == ChunkSectors() * kSectorSize;
  const bool has_chunk = !chunk_.empty() || (phase_ != Phase::kDataIn &&
                                             phase_ != Phase::kDataOut && phase_ != Phase::kStore);
  const bool inside =
      identify_ ? left_ <= 1
                : left_ == 0 || (sector_ < disk_.sectors() && left_ <= disk_.sectors() - sector_);
  const bool transfers = phase_ != Phase::kIdle && phase_ != Phase::kBusy;
  const bool at_fits = at_ % 2 == 0 && (chunk_.empty() ? at_ == 0 : at_ <= chunk_.size());
  const bool at_end = phase_ != Phase::kStore && !chunk_.empty() && at_ == chunk_.size();
  const bool writes =
      phase_ == Phase::kDataOut || phase_ == Phase::kStore || phase_ == Phase::kDmaOut;
  if (phase_ > Phase::kLast || block_ == 0 || block_ > kMaxChunk || !chunk_fits || !has_chunk ||
      !inside || (transfers && left_ == 0) || !at_fits || at_end || (identify_ && block_ != 1) ||
      (identify_ && writes) || (writes && disk_.read_only())) {
    reader.Fail("a drive transfers what it cannot");
  }
  if (multiple_ > AtaIdentity::kMaxMultiple || heads_ == 0 || sectors_per_track_ == 0) {
    reader.Fail("a drive has been set up as it cannot be");
  }
}

}  // namespace isochron::machine
