#include "machine/devices/virtio/virtio_blk.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace isochron::machine {
namespace {

constexpr uint16_t kBlkType = 2, kBlkPciId = 0x1001;
constexpr uint32_t kBlkClassCode = 0x010000;  // mass storage
constexpr uint16_t kBlkQueueSize = 128;

// Its configuration (5.2.4).
constexpr uint32_t kBlkConfigSize = 0x3c;
constexpr uint32_t kCapacity = 0x00, kSizeMax = 0x08, kSegMax = 0x0c, kBlockSize = 0x14,
                   kMaxDiscardSectors = 0x24, kMaxDiscardRanges = 0x28, kDiscardAlignment = 0x2c,
                   kMaxZeroesSectors = 0x30, kMaxZeroesRanges = 0x34, kZeroesMayUnmap = 0x38;

constexpr uint64_t kHeaderBytes = 16;  // type, reserved, sector
// What a request may transfer, which the length in the used ring can hold.
constexpr uint64_t kMaxRequestBytes = uint64_t{1} << 30;
constexpr uint32_t kUnmap = 1;  // flag of a range

uint64_t Features(const Disk& disk) {
  constexpr uint64_t kAlways = VirtioBlkFeature::kSizeMax | VirtioBlkFeature::kSegMax |
                               VirtioBlkFeature::kBlockSize | VirtioBlkFeature::kFlush;
  return kAlways | (disk.read_only() ? VirtioBlkFeature::kReadOnly
                                     : VirtioBlkFeature::kDiscard | VirtioBlkFeature::kWriteZeroes);
}

bool IsInside(const Disk& disk, uint64_t sector, uint64_t sectors) {
  return sector <= disk.sectors() && sectors <= disk.sectors() - sector;
}

}  // namespace

VirtioBlk::VirtioBlk(EventQueue& events, Disk& disk, const DiskTiming& timing, std::string id,
                     int interrupt_pin)
    : VirtioPci({.type = kBlkType,
                 .pci_id = kBlkPciId,
                 .class_code = kBlkClassCode,
                 .features = Features(disk),
                 .queues = 1,
                 .queue_size = kBlkQueueSize,
                 .config_size = kBlkConfigSize,
                 .interrupt_pin = interrupt_pin}),
      events_(events, *this),
      disk_(disk),
      timing_(timing),
      id_(std::move(id)) {
  SetDeviceConfig(kCapacity, 8, disk.sectors());
  SetDeviceConfig(kSizeMax, 4, kPieceBytes);
  SetDeviceConfig(kSegMax, 4, kBlkQueueSize - 2);  // beside header and status
  SetDeviceConfig(kBlockSize, 4, kSectorSize);
  if (disk.read_only()) return;
  SetDeviceConfig(kMaxDiscardSectors, 4, kMaxZeroedSectors);
  SetDeviceConfig(kMaxDiscardRanges, 4, kMaxZeroedRanges);
  SetDeviceConfig(kDiscardAlignment, 4, 1);
  SetDeviceConfig(kMaxZeroesSectors, 4, kMaxZeroedSectors);
  SetDeviceConfig(kMaxZeroesRanges, 4, kMaxZeroedRanges);
  SetDeviceConfig(kZeroesMayUnmap, 1, 1);
}

void VirtioBlk::OnNotify(int) {
  if (!busy_) events_.Schedule(kFetch, events_.now());
}

void VirtioBlk::OnStop(int) {
  busy_ = false;
  request_ = {};
  events_.Cancel(kFetch);
  events_.Cancel(kStep);
}

void VirtioBlk::OnEvent(int kind) {
  if (kind == kFetch) {
    Fetch();
  } else if (busy_) {
    Step();
  }
}

void VirtioBlk::Fetch() {
  if (busy_) return;
  request_ = {};
  if (!Take(0, request_.chain) || !Parse()) return;
  busy_ = true;
  events_.Schedule(kStep, events_.now() + CyclesToFirstStep());
}

bool VirtioBlk::Parse() {
  std::array<uint8_t, kHeaderBytes> header;
  const VirtChain& chain = request_.chain;
  if (chain.readable_bytes() < kHeaderBytes || chain.writable_bytes() == 0) {
    Stop();
    return false;
  }
  if (!Read(chain, 0, header)) return false;
  std::memcpy(&request_.type, header.data(), sizeof request_.type);
  std::memcpy(&request_.sector, header.data() + 8, sizeof request_.sector);
  switch (request_.type) {
    case VirtioBlkRequest::kIn: ParseTransfer(chain.writable_bytes() - 1); break;
    case VirtioBlkRequest::kOut: ParseTransfer(chain.readable_bytes() - kHeaderBytes); break;
    case VirtioBlkRequest::kFlush:
    case VirtioBlkRequest::kGetId: break;
    case VirtioBlkRequest::kDiscard:
    case VirtioBlkRequest::kWriteZeroes:
      if (disk_.read_only()) request_.status = VirtioBlkStatus::kIoError;
      break;
    default: request_.status = VirtioBlkStatus::kUnsupported; break;
  }
  return true;
}

void VirtioBlk::ParseTransfer(uint64_t bytes) {
  const bool may = request_.type == VirtioBlkRequest::kIn || !disk_.read_only();
  if (may && bytes <= kMaxRequestBytes && bytes % kSectorSize == 0 &&
      IsInside(disk_, request_.sector, bytes / kSectorSize)) {
    request_.bytes = bytes;
  } else {
    request_.status = VirtioBlkStatus::kIoError;
  }
}

const DiskTiming::Way& VirtioBlk::way() const {
  return request_.type == VirtioBlkRequest::kIn ? timing_.read : timing_.write;
}

uint64_t VirtioBlk::CyclesToFirstStep() const {
  const uint64_t hz = events_.hz();
  const uint64_t cycles = timing_.RequestCycles(hz);
  if (request_.bytes != 0) {
    return cycles + DiskTiming::SeekCycles(way(), position_, request_.sector, hz) + CyclesOfPiece();
  }
  const bool idles =
      request_.status != VirtioBlkStatus::kOk || request_.type == VirtioBlkRequest::kGetId;
  return idles ? cycles : cycles + timing_.FlushCycles(hz);
}

uint64_t VirtioBlk::PieceBytes() const {
  return std::min(request_.bytes - request_.done, kPieceBytes);
}

uint64_t VirtioBlk::CyclesOfPiece() const {
  return DiskTiming::TransferCycles(way(), PieceBytes(), events_.hz());
}

void VirtioBlk::Step() {
  if (request_.bytes != 0) {
    if (!MovePiece()) return;
    if (request_.done < request_.bytes) {
      events_.Schedule(kStep, events_.now() + CyclesOfPiece());
      return;
    }
  }
  uint64_t written = request_.type == VirtioBlkRequest::kIn ? request_.bytes : 0;
  if (request_.status == VirtioBlkStatus::kOk) {
    switch (request_.type) {
      case VirtioBlkRequest::kGetId:
        written = std::min<uint64_t>(kIdBytes, request_.chain.writable_bytes() - 1);
        if (!WriteId(written)) return;
        break;
      case VirtioBlkRequest::kDiscard:
      case VirtioBlkRequest::kWriteZeroes:
        if (!Zero()) return;
        break;
      default: break;
    }
  }
  Complete(written);
}

bool VirtioBlk::MovePiece() {
  const uint64_t sector = request_.sector + request_.done / kSectorSize;
  std::vector<uint8_t> bytes(PieceBytes());
  if (request_.type == VirtioBlkRequest::kIn) {
    disk_.Read(sector, bytes);
    if (!Write(request_.chain, request_.done, bytes)) return false;
  } else {
    if (!Read(request_.chain, kHeaderBytes + request_.done, bytes)) return false;
    disk_.Write(sector, bytes);
  }
  request_.done += bytes.size();
  position_ = sector + bytes.size() / kSectorSize;
  return true;
}

bool VirtioBlk::WriteId(uint64_t bytes) {
  std::array<uint8_t, kIdBytes> id{};
  std::copy_n(id_.begin(), std::min(id_.size(), kIdBytes), id.begin());
  return Write(request_.chain, 0, std::span(id).first(bytes));
}

// All of the ranges or, when one of them cannot be, none.
bool VirtioBlk::Zero() {
  std::array<Range, kMaxZeroedRanges> table;
  const uint64_t bytes = request_.chain.readable_bytes() - kHeaderBytes;
  if (bytes == 0 || bytes % sizeof(Range) != 0 || bytes > sizeof table) {
    request_.status = VirtioBlkStatus::kIoError;
    return true;
  }
  const std::span<Range> ranges = std::span(table).first(bytes / sizeof(Range));
  const std::span raw(reinterpret_cast<uint8_t*>(ranges.data()), bytes);
  if (!Read(request_.chain, kHeaderBytes, raw)) return false;
  for (const Range& range : ranges) {
    request_.status = CheckRange(range);
    if (request_.status != VirtioBlkStatus::kOk) return true;
  }
  for (const Range& range : ranges) disk_.Zero(range.sector, range.sectors);
  return true;
}

VirtioBlkStatus VirtioBlk::CheckRange(const Range& range) const {
  const uint32_t allowed = request_.type == VirtioBlkRequest::kWriteZeroes ? kUnmap : 0;
  if ((range.flags & ~allowed) != 0) return VirtioBlkStatus::kUnsupported;
  const bool can_be =
      range.sectors <= kMaxZeroedSectors && IsInside(disk_, range.sector, range.sectors);
  return can_be ? VirtioBlkStatus::kOk : VirtioBlkStatus::kIoError;
}

// The status is the last byte of what the device writes.
void VirtioBlk::Complete(uint64_t written) {
  const auto status = static_cast<uint8_t>(request_.status);
  const VirtChain& chain = request_.chain;
  if (!Write(chain, chain.writable_bytes() - 1, std::span(&status, 1))) return;
  Give(0, chain.head, static_cast<uint32_t>(written + 1));
  busy_ = false;
  request_ = {};
  if (IsWorking()) events_.Schedule(kFetch, events_.now());
}

template <typename Visitor, typename Self>
void VirtioBlk::Request::Walk(Visitor& visitor, Self& self) {
  visitor.Field("chain", self.chain);
  visitor.Field("type", self.type);
  visitor.Field("status", self.status);
  visitor.Field("sector", self.sector);
  visitor.Field("bytes", self.bytes);
  visitor.Field("done", self.done);
}

template <typename Visitor, typename Self>
void VirtioBlk::Walk(Visitor& visitor, Self& self) {
  visitor.Section("virtio_blk");
  WalkTransport(visitor, self);
  visitor.Field("busy", self.busy_);
  visitor.Field("request", self.request_);
  visitor.Field("position", self.position_);
}

void VirtioBlk::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void VirtioBlk::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  CheckTransport(reader);
  if (busy_ != (events_.DueCycle(kStep) != kNever)) {
    reader.Fail("a request is served and never ends, or ends and is not served");
  }
  if (busy_ && !RequestCanBe()) {
    reader.Fail("the request that is served cannot be");
    OnStop(0);
  }
}

bool VirtioBlk::RequestCanBe() const {
  const VirtChain& chain = request_.chain;
  if (chain.readable_bytes() < kHeaderBytes || chain.writable_bytes() == 0) return false;
  if (request_.status > VirtioBlkStatus::kUnsupported) return false;
  const bool zeroes = request_.type == VirtioBlkRequest::kDiscard ||
                      request_.type == VirtioBlkRequest::kWriteZeroes;
  if (zeroes && disk_.read_only() && request_.status == VirtioBlkStatus::kOk) return false;
  if (request_.bytes == 0) return request_.done == 0;
  const bool in = request_.type == VirtioBlkRequest::kIn;
  const uint64_t room = in ? chain.writable_bytes() - 1 : chain.readable_bytes() - kHeaderBytes;
  return (in || (request_.type == VirtioBlkRequest::kOut && !disk_.read_only())) &&
         request_.status == VirtioBlkStatus::kOk && request_.bytes == room &&
         request_.bytes <= kMaxRequestBytes && request_.bytes % kSectorSize == 0 &&
         request_.done < request_.bytes && request_.done % kPieceBytes == 0 &&
         IsInside(disk_, request_.sector, request_.bytes / kSectorSize);
}

}  // namespace isochron::machine
