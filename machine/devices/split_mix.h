// The machine's only source of numbers that nobody expects: entropy for the guest, and schedules.

#ifndef ISOCHRON_MACHINE_DEVICES_SPLIT_MIX_H_
#define ISOCHRON_MACHINE_DEVICES_SPLIT_MIX_H_

#include <cstdint>

namespace isochron::machine {

// The next number of a splitmix64 sequence, of which `state` is all there is: a Weyl sequence
// through the finaliser of MurmurHash3 (variant 13).
inline uint64_t NextSplitMix(uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  uint64_t z = state;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_SPLIT_MIX_H_
