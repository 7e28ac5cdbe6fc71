#include "machine/disks/disk_timing.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;

// The first cycle at which `count` things have happened of which there are `per_second`.
uint64_t CyclesFor(uint64_t count, uint64_t per_second, uint64_t hz) {
  const auto cycles = (static_cast<unsigned __int128>(count) * hz + per_second - 1) / per_second;
  return static_cast<uint64_t>(cycles);
}

// 35,000 reads of 4 KiB in a second with many in flight are what a request takes at the least. One
// at random takes 75 us to read and 85 us to write. There is nothing that moves.
constexpr uint32_t kRequestNs = 28'571;
constexpr DiskTiming::Seek kReadAccess[] = {{0, 0}, {1, 75'000 - kRequestNs}};
constexpr DiskTiming::Seek kWriteAccess[] = {{0, 0}, {1, 85'000 - kRequestNs}};

}  // namespace

const DiskTiming kSolidStateDisk = {
    .read = {.seeks = kReadAccess, .bytes_per_second = 250'000'000},
    .write = {.seeks = kWriteAccess, .bytes_per_second = 170'000'000},
    .request_ns = kRequestNs,
    .flush_ns = 85'000,
};

namespace {

// Half of the disc on the average, which is all that is known. What a packet takes before is what
// it takes to ask for it (ATA/ATAPI-5, IDENTIFY PACKET DEVICE, "accelerated DRQ").
constexpr uint32_t kPacketNs = 50'000;
constexpr DiskTiming::Seek kDiscAccess[] = {{0, 0}, {1, 80'000'000 - kPacketNs}};
constexpr uint64_t kSingleSpeed = uint64_t{75} * 2048;  // bytes in a second

}  // namespace

const DiskTiming kCdRom = {
    .read = {.seeks = kDiscAccess, .bytes_per_second = 40 * kSingleSpeed},
    .write = {.seeks = kDiscAccess, .bytes_per_second = 40 * kSingleSpeed},
    .request_ns = kPacketNs,
    .flush_ns = 0,
};

uint64_t DiskTiming::RequestCycles(uint64_t hz) const {
  return CyclesFor(request_ns, kNsPerSecond, hz);
}

uint64_t DiskTiming::FlushCycles(uint64_t hz) const {
  return CyclesFor(flush_ns, kNsPerSecond, hz);
}

uint64_t DiskTiming::SeekCycles(const Way& way, uint64_t from, uint64_t to, uint64_t hz) {
  const uint64_t distance = from < to ? to - from : from - to;
  uint32_t ns = 0;
  for (const Seek& seek : way.seeks) {
    if (distance >= seek.distance) ns = seek.ns;
  }
  return CyclesFor(ns, kNsPerSecond, hz);
}

uint64_t DiskTiming::TransferCycles(const Way& way, uint64_t bytes, uint64_t hz) {
  return CyclesFor(bytes, way.bytes_per_second, hz);
}

}  // namespace isochron::machine
