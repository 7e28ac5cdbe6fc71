// What the fuzzers of devices on the PCI bus have in common.

#ifndef ISOCHRON_CONFORMANCE_FUZZ_DEVICE_FUZZING_H_
#define ISOCHRON_CONFORMANCE_FUZZ_DEVICE_FUZZING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace isochron::machine {

// The input, taken from its beginning. Where it ends there are zeros.
class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : data_(data), end_(data + size) {}
  bool empty() const { return data_ == end_; }
  uint8_t Byte() { return empty() ? 0 : *data_++; }
  // The least significant byte comes first; up to 8 of them.
  uint64_t Number(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= uint64_t{Byte()} << (8 * i);
    return value;
  }

 private:
  const uint8_t* data_;
  const uint8_t* end_;
};

// Lets so many cycles pass, with all events of `rig` that they bring, up to a number of them. No
// event moves more than `most_in_an_event` bytes of the rig's memory.
template <typename Rig>
void LetPass(Rig& rig, uint64_t cycles, uint64_t most_in_an_event) {
  constexpr int kMostEvents = 20'000;
  auto& events = rig.bench.events();
  const uint64_t end = events.now() + cycles;
  for (int count = 0; events.next() <= end; ++count) {
    if (count == kMostEvents) return;
    rig.memory.transferred = 0;
    events.SetNow(std::max(events.now(), events.next()));
    events.HandleNext();
    if (rig.memory.transferred > most_in_an_event) std::abort();
  }
  events.SetNow(end);
}

}  // namespace isochron::machine

#endif  // ISOCHRON_CONFORMANCE_FUZZ_DEVICE_FUZZING_H_
