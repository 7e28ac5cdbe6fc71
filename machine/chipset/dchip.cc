#include "machine/chipset/dchip.h"

#include "machine/bus/csr.h"

namespace isochron::machine {
namespace {

constexpr int kDsc = 0x20, kStr = 0x21, kDrev = 0x22, kDsc2 = 0x23;
constexpr uint64_t kEightTimes = 0x0101010101010101;

// What an ES40 with eight Dchips and one 256-bit memory bus pair shows.
uint64_t Value(int index) {
  switch (index) {
    case kDsc: return 0x43;
    case kStr: return 0x25;
    case kDrev: return 0x01;
    case kDsc2: return 0x03;
    default: return 0;
  }
}

}  // namespace

uint64_t Dchip::Read(const Access& access) {
  const uint64_t value = Value(CsrIndex(access.offset)) * kEightTimes;
  return CsrExtract(value, access.offset, access.size);
}

}  // namespace isochron::machine
