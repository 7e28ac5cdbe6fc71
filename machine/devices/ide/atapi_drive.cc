#include "machine/devices/ide/atapi_drive.h"

#include <algorithm>
#include <utility>

#include "machine/devices/ide/ata_identity.h"
#include "machine/disks/disk_timing.h"

namespace isochron::machine {
namespace {

// Commands of the command register.
constexpr uint8_t kDeviceReset = 0x08, kPacketCommand = 0xa0, kIdentifyPacket = 0xa1,
                  kReadSectors = 0x20, kIdentify = 0xec, kSetFeatures = 0xef, kPowerMode = 0xe5;
constexpr uint8_t kNothing[] = {0xe0, 0xe1, 0xe2, 0xe3, 0xe7};  // of a drive that never stops
constexpr uint8_t kDmaFeature = 0x01;
constexpr uint8_t kWasReset = 0x29;  // as what a drive tells first

// Interrupt reason: the count register.
constexpr uint8_t kCommandOrData = 0x01, kToHost = 0x02;

}  // namespace

void AtapiDrive::Reset() {
  registers_ = {};
  dma_mode_ = 0;
  position_ = 0;
  sense_ = {};
  packet_ = {};
  dma_ = locked_ = is_open_ = interrupt_ = false;
  block_ = left_ = 0;
  at_ = until_ = 0;
  chunk_.clear();
  Signature();
  attention_ = kWasReset;
  phase_ = Phase::kIdle;
  status_ = 0;  // it is a packet device: not ready until a command
}

void AtapiDrive::Signature() {
  const uint8_t device = registers_[AtaRegister::kDevice];
  registers_ = {};
  registers_[AtaRegister::kCount] = registers_[AtaRegister::kLow] = 1;
  registers_[AtaRegister::kMid] = 0x14;
  registers_[AtaRegister::kHigh] = 0xeb;
  registers_[AtaRegister::kDevice] = device & 0x10;
  error_ = AtaValues::kPassed;
}

void AtapiDrive::DropChunk() {
  chunk_.clear();
  left_ = 0;
  at_ = until_ = 0;
}

void AtapiDrive::SoftReset() {
  ClearInterrupt();
  Signature();
  DropChunk();
  locked_ = false;
  WaitFor(Phase::kReset, host_.hz() / AtaValues::kResetsPerSecond);
  status_ = AtaStatus::kBusy;
}

uint8_t AtapiDrive::Read(int reg, bool /*high*/) const {
  switch (reg) {
    case AtaRegister::kError: return error_;
    case AtaRegister::kDevice: return registers_[AtaRegister::kDevice] | AtaValues::kDeviceFixed;
    case AtaRegister::kStatus: return status_;
    default: return registers_[static_cast<size_t>(reg)];
  }
}

void AtapiDrive::Write(int reg, uint8_t value) {
  if (listens()) registers_[static_cast<size_t>(reg)] = value;
}

void AtapiDrive::WaitFor(Phase phase, uint64_t cycles) {
  phase_ = phase;
  status_ = AtaStatus::kBusy | AtaStatus::kIdle;
  host_.WakeAfter(cycles);
}

void AtapiDrive::BeginDma(uint64_t cycles) {
  phase_ = Phase::kDmaIn;
  status_ = AtaStatus::kDataRequest | AtaStatus::kIdle;
  host_.WantDma(cycles);
}

void AtapiDrive::Finish() {
  phase_ = Phase::kIdle;
  status_ = AtaStatus::kIdle;
  registers_[AtaRegister::kCount] = kCommandOrData | kToHost;
  DropChunk();
  Interrupt();
}

void AtapiDrive::Abort() {
  phase_ = Phase::kIdle;
  error_ = AtaError::kAborted;
  status_ = AtaStatus::kIdle | AtaStatus::kError;
  Interrupt();
}

void AtapiDrive::Fail(const Sense& sense) {
  sense_ = sense;
  Finish();
  error_ = static_cast<uint8_t>(sense.key << 4);
  status_ |= AtaStatus::kError;
}

void AtapiDrive::Command(uint8_t code) {
  if (code == kDeviceReset) {
    // Whatever it does: the signature is there at once, and no interrupt.
    ClearInterrupt();
    Signature();
    DropChunk();
    phase_ = Phase::kIdle;
    status_ = 0;
    return;
  }
  if (busy()) return;
  ClearInterrupt();
  DropChunk();
  error_ = 0;
  const uint64_t request = kCdRom.RequestCycles(host_.hz());
  switch (code) {
    case kPacketCommand:
      dma_ = (registers_[AtaRegister::kFeatures] & kDmaFeature) != 0;
      phase_ = Phase::kPacket;
      registers_[AtaRegister::kCount] = kCommandOrData;
      status_ = AtaStatus::kDataRequest | AtaStatus::kIdle;
      return;
    case kIdentifyPacket: return WaitFor(Phase::kIdentify, request);
    case AtaCommand::kDiagnose: Signature(); return WaitFor(Phase::kBusy, request);
    case kSetFeatures: return SetFeatures();
    case kPowerMode:
      Finish();
      registers_[AtaRegister::kCount] = 0xff;  // active or idle
      return;
    case kIdentify:
    case kReadSectors:
      // Who takes it for a disk learns by the signature that it is none.
      Signature();
      return Abort();
    default: break;
  }
  if (std::ranges::count(kNothing, code) != 0) return WaitFor(Phase::kBusy, request);
  Abort();
}

void AtapiDrive::SetFeatures() {
  constexpr uint8_t kTransferMode = 0x03;
  const uint8_t mode = registers_[AtaRegister::kCount];
  const bool is_dma = mode >= AtaValues::kMultiwordDma;
  const bool there_is =
      !is_dma || (mode < AtaValues::kUltraDma
                      ? mode < AtaValues::kMultiwordDma + AtaIdentity::kMultiwordDmaModes
                      : mode < AtaValues::kUltraDma + AtaIdentity::kUltraDmaModes);
  if (registers_[AtaRegister::kFeatures] != kTransferMode || !there_is) return Abort();
  if (is_dma) dma_mode_ = mode;
  phase_ = Phase::kIdle;
  status_ = AtaStatus::kIdle;
  Interrupt();
}

uint64_t AtapiDrive::ChunkBlocks() const {
  return std::min<uint64_t>(left_, kMaxChunk * kSectorSize / kBlockSize);
}

uint64_t AtapiDrive::ChunkCycles(bool first) const {
  constexpr uint64_t kSectors = kBlockSize / kSectorSize;
  const uint64_t hz = host_.hz();
  const uint64_t transfer = DiskTiming::TransferCycles(kCdRom.read, ChunkBlocks() * kBlockSize, hz);
  if (!first) return transfer;
  return kCdRom.RequestCycles(hz) +
         DiskTiming::SeekCycles(kCdRom.read, position_ * kSectors, block_ * kSectors, hz) +
         transfer;
}

void AtapiDrive::LoadChunk() {
  at_ = 0;
  chunk_.resize(ChunkBlocks() * kBlockSize);
  disk_.Read(block_ * (kBlockSize / kSectorSize),
             {reinterpret_cast<uint8_t*>(chunk_.data()), chunk_.size()});
}

void AtapiDrive::OfferData() {
  // As many bytes as the host has said that it takes at once, whole words; none means all.
  constexpr uint32_t kMost = 0xfffe;
  uint32_t limit = registers_[AtaRegister::kMid] | registers_[AtaRegister::kHigh] << 8;
  limit = std::min(limit & ~uint32_t{1}, kMost);
  if (limit == 0) limit = kMost;
  const uint32_t size = std::min(limit, static_cast<uint32_t>(chunk_.size()) - at_);
  until_ = at_ + size;
  limit_ = static_cast<uint16_t>(limit);
  registers_[AtaRegister::kMid] = static_cast<uint8_t>(size);
  registers_[AtaRegister::kHigh] = static_cast<uint8_t>(size >> 8);
  registers_[AtaRegister::kCount] = kToHost;
  phase_ = Phase::kDataIn;
  status_ = AtaStatus::kDataRequest | AtaStatus::kIdle;
  Interrupt();
}

void AtapiDrive::Advance() {
  const uint64_t done = ChunkBlocks();
  if (left_ != 0) position_ = block_ + done;
  block_ += done;
  left_ -= done;
  at_ = until_ = 0;
  chunk_.clear();
  if (left_ == 0) return Finish();
  if (phase_ == Phase::kDmaIn) return host_.WantDma(ChunkCycles(false));
  WaitFor(Phase::kFetch, ChunkCycles(false));
}

void AtapiDrive::OnWake() {
  switch (phase_) {
    case Phase::kReset:
      phase_ = Phase::kIdle;
      status_ = 0;
      break;
    case Phase::kBusy:
      phase_ = Phase::kIdle;
      status_ = AtaStatus::kIdle;
      Interrupt();
      break;
    case Phase::kIdentify:
      chunk_ = AtapiIdentity{.number = number_, .dma_mode = dma_mode_}.Bytes();
      limit_ = 0;
      until_ = static_cast<uint32_t>(chunk_.size());
      phase_ = Phase::kDataIn;
      status_ = AtaStatus::kDataRequest | AtaStatus::kIdle;
      Interrupt();
      break;
    case Phase::kExecute: Execute(); break;
    case Phase::kFetch:
      LoadChunk();
      OfferData();
      break;
    default: break;
  }
}

uint16_t AtapiDrive::ReadData() {
  if (phase_ != Phase::kDataIn) return 0;
  const auto byte = [this](size_t index) { return static_cast<uint8_t>(chunk_[index]); };
  const auto value = static_cast<uint16_t>(byte(at_) | byte(at_ + 1) << 8);
  at_ += 2;
  if (at_ < until_) return value;
  if (at_ < chunk_.size()) {
    // The next part, at once: the limit that the host gave is where its registers have the size.
    registers_[AtaRegister::kMid] = static_cast<uint8_t>(limit_);
    registers_[AtaRegister::kHigh] = static_cast<uint8_t>(limit_ >> 8);
    OfferData();
  } else if (limit_ == 0) {  // IDENTIFY PACKET DEVICE ends with its data
    phase_ = Phase::kIdle;
    status_ = AtaStatus::kIdle;
    chunk_.clear();
    at_ = until_ = 0;
  } else {
    const uint16_t limit = limit_;
    Advance();
    if (phase_ == Phase::kFetch) {
      registers_[AtaRegister::kMid] = static_cast<uint8_t>(limit);
      registers_[AtaRegister::kHigh] = static_cast<uint8_t>(limit >> 8);
    }
  }
  return value;
}

void AtapiDrive::WriteData(uint16_t value) {
  if (phase_ != Phase::kPacket) return;
  packet_[at_] = static_cast<uint8_t>(value);
  packet_[at_ + 1] = static_cast<uint8_t>(value >> 8);
  at_ += 2;
  if (at_ < kPacketBytes) return;
  at_ = 0;
  WaitFor(Phase::kExecute, kCdRom.RequestCycles(host_.hz()));
}

std::span<uint8_t> AtapiDrive::DmaBytes() {
  if (chunk_.empty()) LoadChunk();
  return std::span(reinterpret_cast<uint8_t*>(chunk_.data()), chunk_.size()).subspan(at_);
}

bool AtapiDrive::OnDma(size_t bytes) {
  at_ += static_cast<uint32_t>(bytes);
  if (at_ < chunk_.size()) return false;
  Advance();
  return true;
}

template <typename Visitor, typename Self>
void AtapiDrive::Sense::Walk(Visitor& visitor, Self& self) {
  visitor.Field("key", self.key);
  visitor.Field("code", self.code);
  visitor.Field("qualifier", self.qualifier);
}

template <typename Visitor, typename Self>
void AtapiDrive::Walk(Visitor& visitor, Self& self) {
  visitor.Field("registers", self.registers_);
  visitor.Field("error", self.error_);
  visitor.Field("status", self.status_);
  visitor.Field("interrupt", self.interrupt_);
  visitor.Field("phase", self.phase_);
  visitor.Field("packet", self.packet_);
  visitor.Field("dma", self.dma_);
  visitor.Field("block", self.block_);
  visitor.Field("left", self.left_);
  visitor.Field("position", self.position_);
  visitor.Field("at", self.at_);
  visitor.Field("until", self.until_);
  visitor.Field("limit", self.limit_);
  visitor.Field("chunk", self.chunk_, kMaxChunk * kSectorSize);
  visitor.Field("sense", self.sense_);
  visitor.Field("attention", self.attention_);
  visitor.Field("locked", self.locked_);
  visitor.Field("is_open", self.is_open_);
  visitor.Field("dma_mode", self.dma_mode_);
}

void AtapiDrive::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void AtapiDrive::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  const bool inside = left_ == 0 || (block_ < blocks() && left_ <= blocks() - block_);
  const bool is_reply = left_ == 0;
  const bool chunk_fits =
      chunk_.size() % 2 == 0 &&
      (chunk_.empty() ||
       (is_reply ? chunk_.size() <= kSectorSize : chunk_.size() == ChunkBlocks() * kBlockSize));
  const bool reads = phase_ == Phase::kDataIn;
  const bool dma = phase_ == Phase::kDmaIn;
  const bool has_data = dma ? !is_reply || !chunk_.empty() : !reads || !chunk_.empty();
  const bool fetches = phase_ != Phase::kFetch || (left_ != 0 && chunk_.empty());
  const bool packet_fits = phase_ != Phase::kPacket || at_ < kPacketBytes;
  const bool at_fits =
      at_ % 2 == 0 && until_ % 2 == 0 && until_ <= chunk_.size() && (!reads || at_ < until_) &&
      (phase_ == Phase::kPacket || (chunk_.empty() ? at_ == 0 : at_ < chunk_.size()));
  if (phase_ > Phase::kLast || !inside || !chunk_fits || !has_data || !fetches || !packet_fits ||
      !at_fits || limit_ % 2 != 0 || position_ > blocks()) {
    reader.Fail("a CD-ROM drive does what it cannot");
    phase_ = Phase::kIdle;
  }
}

}  // namespace isochron::machine
