// A disk as a virtio device.

#ifndef ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_BLK_H_
#define ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_BLK_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "alpha/state_visitor.h"
#include "machine/bus/event_queue.h"
#include "machine/devices/virtio/virt_queue.h"
#include "machine/devices/virtio/virtio_pci.h"
#include "machine/disks/disk.h"
#include "machine/disks/disk_timing.h"

namespace isochron::machine {

// Features of block devices (Virtual I/O Device 1.2, 5.2.3), as bits of a mask.
struct VirtioBlkFeature {
  static constexpr uint64_t kSizeMax = uint64_t{1} << 1, kSegMax = uint64_t{1} << 2,
                            kReadOnly = uint64_t{1} << 5, kBlockSize = uint64_t{1} << 6,
                            kFlush = uint64_t{1} << 9, kDiscard = uint64_t{1} << 13,
                            kWriteZeroes = uint64_t{1} << 14;
};

// What a request asks for, and how it ended (5.2.6).
enum class VirtioBlkRequest : uint32_t {
  kIn = 0,
  kOut = 1,
  kFlush = 4,
  kGetId = 8,
  kDiscard = 11,
  kWriteZeroes = 13,
};
enum class VirtioBlkStatus : uint8_t { kOk = 0, kIoError = 1, kUnsupported = 2 };

// A block device (5.2). It has one queue and serves what is in there in its order, one request
// after the other, at the speed of `timing`. The status of a request, and the interrupt, come with
// its last byte. Data move in pieces of kPieceBytes, each an event of its own.
class VirtioBlk final : public VirtioPci {
 public:
  static constexpr uint64_t kPieceBytes = uint64_t{64} << 10;
  static constexpr uint32_t kMaxZeroedRanges = 16;         // of a discard or write-zeroes request
  static constexpr uint32_t kMaxZeroedSectors = 1u << 22;  // of a range: 2 GiB
  static constexpr size_t kIdBytes = 20;

  // `id`: what the disk is called, up to kIdBytes characters. `timing`, `disk` and `events` must
  // outlive the device.
  VirtioBlk(EventQueue& events, Disk& disk, const DiskTiming& timing, std::string id,
            int interrupt_pin = 1);

  void OnEvent(int kind) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

 private:
  // Event kinds: to look for the next request; a step of the one that is served is done.
  static constexpr int kFetch = 0, kStep = 1;

  // The part of a disk that a discard or write-zeroes request names.
  struct Range {
    uint64_t sector = 0;
    uint32_t sectors = 0;
    uint32_t flags = 0;
  };
  // The request that is served.
  struct Request {
    VirtChain chain;
    VirtioBlkRequest type = VirtioBlkRequest::kIn;
    VirtioBlkStatus status = VirtioBlkStatus::kOk;
    uint64_t sector = 0;
    uint64_t bytes = 0;  // of data on the disk
    uint64_t done = 0;   // of them

    template <typename Visitor, typename Self>
    static void Walk(Visitor& visitor, Self& self);
  };

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  void ResetDevice() override { position_ = 0; }
  void OnNotify(int queue) override;
  void OnStop(int queue) override;

  void Fetch();
  // Reads what a chain asks for; false when the device has stopped. So is it with those below.
  bool Parse();
  void ParseTransfer(uint64_t bytes);
  const DiskTiming::Way& way() const;
  uint64_t CyclesToFirstStep() const;
  uint64_t PieceBytes() const;
  uint64_t CyclesOfPiece() const;
  void Step();
  bool MovePiece();
  bool WriteId(uint64_t bytes);
  bool Zero();
  VirtioBlkStatus CheckRange(const Range& range) const;
  void Complete(uint64_t written);
  bool RequestCanBe() const;

  EventPort events_;
  Disk& disk_;
  const DiskTiming& timing_;
  const std::string id_;
  bool busy_ = false;
  Request request_;
  uint64_t position_ = 0;  // the sector behind the last that was transferred
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_BLK_H_
