#include "machine/devices/isa_bus.h"

namespace isochron::machine {

void IsaBus::Map(PortRange range, Device& device) { mappings_.push_back({range, &device}); }

const IsaBus::Mapping* IsaBus::Find(uint32_t port) const {
  for (const Mapping& mapping : mappings_) {
    if (port - mapping.range.first < mapping.range.count) return &mapping;
  }
  return nullptr;
}

uint64_t IsaBus::Read(uint32_t port, int size) {
  uint64_t value = 0;
  for (int i = 0; i < size; ++i) {
    uint64_t byte = 0xff;
    if (const Mapping* mapping = Find(port + i); mapping != nullptr) {
      const PortRange& range = mapping->range;
      byte = mapping->device->Read(range.offset + (port + i - range.first), 1) & 0xff;
    }
    value |= byte << (8 * i);
  }
  return value;
}

void IsaBus::Write(uint32_t port, int size, uint64_t value) {
  for (int i = 0; i < size; ++i) {
    if (const Mapping* mapping = Find(port + i); mapping != nullptr) {
      const PortRange& range = mapping->range;
      mapping->device->Write(range.offset + (port + i - range.first), 1, value >> (8 * i) & 0xff);
    }
  }
}

}  // namespace isochron::machine
