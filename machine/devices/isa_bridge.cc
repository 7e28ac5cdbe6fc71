#include "machine/devices/isa_bridge.h"

namespace isochron::machine {

IsaBridge::IsaBridge()
    : PciFunction({.vendor = 0x8086, .device = 0x0484, .class_code = 0x060100, .revision = 0x03}) {
  SetConfig(PciRegister::kCommand, 2, 0x0007);  // I/O, memory and master are always on
  SetWritable(PciRegister::kCommand, 2, 0x0008);
  SetConfig(PciRegister::kStatus, 2, 0x0200);      // medium DEVSEL timing
  SetWritable(PciRegister::kInterruptLine, 1, 0);  // it has no interrupt
}

}  // namespace isochron::machine
