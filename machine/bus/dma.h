// How a device reaches memory by itself.

#ifndef ISOCHRON_MACHINE_BUS_DMA_H_
#define ISOCHRON_MACHINE_BUS_DMA_H_

#include <cstdint>

namespace isochron::machine {

enum class DmaResult : uint8_t {
  kOk,
  kNotMaster,    // the function may not be master: its command register says so
  kMasterAbort,  // nobody answers to the address
  kTargetAbort,  // the address leads nowhere: an invalid entry of the map, or no RAM there
};

// The way from a bus to memory. Addresses are those of the bus. A transfer happens at
// EventQueue::now() as one: no CPU sees half of it. What it writes is seen as a store is: by those
// who have decoded it, by locks and by digests. On an error what came before it in ascending order
// has been transferred, in pieces that end at pages.
class DmaPort {
 public:
  virtual ~DmaPort() = default;
  [[nodiscard]] virtual DmaResult ReadMemory(uint64_t address, void* data, uint64_t size) = 0;
  [[nodiscard]] virtual DmaResult WriteMemory(uint64_t address, const void* data,
                                              uint64_t size) = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_DMA_H_
