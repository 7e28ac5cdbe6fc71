// Where console bytes go to.

#ifndef ISOCHRON_MACHINE_BUS_CONSOLE_H_
#define ISOCHRON_MACHINE_BUS_CONSOLE_H_

#include <cstdint>

namespace isochron::machine {

// Sees every byte that a UART has sent, in order, with the cycle at which it left.
class ConsoleSink {
 public:
  virtual ~ConsoleSink() = default;
  // `uart`: 0 or 1.
  virtual void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_CONSOLE_H_
