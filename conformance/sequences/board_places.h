// Where programs on the board find things, and what they are put together from.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_PLACES_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_PLACES_H_

#include <algorithm>
#include <cstdint>
#include <utility>

#include "alpha/encode.h"
#include "conformance/sequences/board_situations.h"
#include "conformance/sequences/sequence.h"
#include "conformance/sequences/sequence_operands.h"
#include "conformance/sequences/words.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::conformance {

// Physical addresses of the board, in system addresses (PA<34:0>), which PA<43> selects.
inline constexpr uint64_t kIoSpace = uint64_t{1} << 43;
inline constexpr uint64_t kKsegIo = 0xffff'fd00'0000'0000;
inline constexpr uint64_t kPciIo = 0x1'fc00'0000;
inline constexpr uint64_t kAcknowledge = 0x1'f800'0000;  // of the 8259s
inline constexpr uint64_t kCchipBase = 0x1'a000'0000;
inline constexpr uint64_t kPlatformBase = FW_PLATFORM_PA & 0x7'ffff'ffff;
inline constexpr uint64_t kPics = kPciIo + 0x20;
inline constexpr uint64_t kTimer = kPciIo + 0x40;
inline constexpr uint64_t kClockIndex = kPciIo + 0x70;  // and the clock chip's data port behind it
inline constexpr uint64_t kUarts[] = {kPciIo + 0x3f8, kPciIo + 0x2f8};
inline constexpr uint64_t kMisc = kCchipBase + 0x80;
inline constexpr uint64_t kMask = kCchipBase + 0x200;  // DIM0

// What programs do I/O to.
inline constexpr uint64_t kDevices[] = {kPics,         kTimer,
                                        kPciIo + 0x60, kClockIndex,
                                        kUarts[1],     kUarts[0],
                                        kUarts[0],     kPciIo,
                                        kCchipBase,    kMask,
                                        0x1'b000'0000, 0x1'8000'0000,
                                        0x1'fe00'3800, kPlatformBase + FW_PLATFORM_ENTROPY,
                                        kAcknowledge,  0x0'1000'0000};

// How many interrupts there were, in memory.
inline constexpr uint64_t kTickCell = 0x1900;

// Puts the physical address of a register of a device to `target`.
inline void AppendAddress(uint32_t target, uint64_t system_address, Words& words) {
  AppendConstant(target, kIoSpace | system_address, words);
}

// HW_ST and HW_LD of a longword: on the ISA bus of four ports, the lowest first.
inline uint32_t StoreLong(uint32_t ra, int displacement, uint32_t rb) {
  return alpha::words::HwStore(alpha::HwStoreType::kPhysical, ra, displacement, rb) & ~kQuadword;
}
inline uint32_t LoadLong(uint32_t ra, int displacement, uint32_t rb) {
  return alpha::words::HwLoad(alpha::HwLoadType::kPhysical, ra, displacement, rb) & ~kQuadword;
}

// Puts these words at an address in place of the segment that begins there, if one does.
inline void ReplaceSegment(uint64_t pa, Words words, Sequence& program) {
  const auto at = std::find_if(program.segments.begin(), program.segments.end(),
                               [pa](const Segment& segment) { return segment.pa == pa; });
  if (at != program.segments.end()) {
    at->words = std::move(words);
  } else {
    program.segments.push_back({pa, std::move(words)});
  }
}

// The same of a function of PALcode, privileged and unprivileged.
inline void ReplaceFunction(uint32_t function, const Words& words, Sequence& program) {
  const uint64_t pa = SequenceLayout::kPalBase + 0x2000 + 64 * uint64_t{function};
  for (const uint64_t entry : {pa, pa + 0x1000}) ReplaceSegment(entry, words, program);
}

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_PLACES_H_
