// How long disks take.

#ifndef ISOCHRON_MACHINE_DISKS_DISK_TIMING_H_
#define ISOCHRON_MACHINE_DISKS_DISK_TIMING_H_

#include <cstdint>
#include <span>

namespace isochron::machine {

// The speed of a disk, as its data sheet tells it. Part of the machine model.
struct DiskTiming {
  // What it takes to get to a sector that is at least `distance` sectors from the one behind the
  // last transfer, in either direction.
  struct Seek {
    uint64_t distance = 0;
    uint32_t ns = 0;
  };
  // One direction of transfer.
  struct Way {
    std::span<const Seek> seeks;  // by ascending distance, the first one 0
    uint64_t bytes_per_second = 0;
  };

  Way read;
  Way write;
  uint32_t request_ns = 0;  // for each request, whatever it is
  uint32_t flush_ns = 0;    // until what was written is safe, beyond that

  // In cycles of `hz`, rounded up.
  uint64_t RequestCycles(uint64_t hz) const;
  uint64_t FlushCycles(uint64_t hz) const;
  static uint64_t SeekCycles(const Way& way, uint64_t from, uint64_t to, uint64_t hz);
  static uint64_t TransferCycles(const Way& way, uint64_t bytes, uint64_t hz);
};

// Intel X25-E SATA Solid State Drive (2008), product manual 319984, "performance": the least that a
// driver can be made to wait and still be one that existed.
extern const DiskTiming kSolidStateDisk;

// Toshiba XM-6401B (1998), a CD-ROM drive of 40 times the single speed: 80 ms of random access, 6
// MB/s. Nothing is written.
extern const DiskTiming kCdRom;

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DISKS_DISK_TIMING_H_
