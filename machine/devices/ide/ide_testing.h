// What tests of IDE drives need.

#ifndef ISOCHRON_MACHINE_DEVICES_IDE_IDE_TESTING_H_
#define ISOCHRON_MACHINE_DEVICES_IDE_IDE_TESTING_H_

#include <cstdint>
#include <cstring>
#include <string>

#include "machine/bus/dma.h"

namespace isochron::machine {

// Memory of the bus, beyond which nobody answers.
class IdeTestMemory final : public DmaPort {
 public:
  DmaResult ReadMemory(uint64_t address, void* data, uint64_t size) override {
    ++transfers;
    if (address + size > bytes.size()) return DmaResult::kMasterAbort;
    std::memcpy(data, bytes.data() + address, size);
    return DmaResult::kOk;
  }
  DmaResult WriteMemory(uint64_t address, const void* data, uint64_t size) override {
    ++transfers;
    if (address + size > bytes.size()) return DmaResult::kMasterAbort;
    std::memcpy(bytes.data() + address, data, size);
    return DmaResult::kOk;
  }
  std::string bytes = std::string(1 << 20, '\0');
  uint64_t transfers = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_IDE_IDE_TESTING_H_
