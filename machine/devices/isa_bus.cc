#include "machine/devices/isa_bus.h"

namespace isochron::machine {
namespace {

Access Byte(const Access& access, int i) { return {access.offset + i, 1, access.cpu}; }

}  // namespace

void IsaBus::Map(PortRange range, BusTarget& device) {
  ports_.Map(
      {.first = range.first, .size = range.count, .target = &device, .offset = range.offset});
}

uint64_t IsaBus::Read(const Access& access) {
  uint64_t value = 0;
  for (int i = 0; i < access.size; ++i) {
    const Access byte = Byte(access, i);
    const MappedRange* const range = ports_.Find(byte.offset);
    const uint64_t read = range != nullptr ? range->target->Read(range->Inside(byte)) : 0xff;
    value |= (read & 0xff) << (8 * i);
  }
  return value;
}

void IsaBus::Write(const Access& access, uint64_t value) {
  for (int i = 0; i < access.size; ++i) {
    const Access byte = Byte(access, i);
    const MappedRange* const range = ports_.Find(byte.offset);
    if (range != nullptr) range->target->Write(range->Inside(byte), value >> (8 * i) & 0xff);
  }
}

}  // namespace isochron::machine
