/* How the callback code reaches the UART and the environment inside the guest. The unit test
   replaces this file by its own. */

#ifndef ISOCHRON_MACHINE_FIRMWARE_CONSOLE_CALLBACKS_IO_H_
#define ISOCHRON_MACHINE_FIRMWARE_CONSOLE_CALLBACKS_IO_H_

#include <stdint.h>

#include "machine/firmware/console_layout.h"
#include "machine/firmware/firmware_layout.h"

/* KSEG of RAM, and the KSEG address of PCI I/O space on Pchip 0 (21272 linear I/O window). */
#define KSEG_BASE 0xfffffc0000000000
#define KSEG_PCI_IO 0xfffffd01fc000000
#define COM1 0x3f8
/* Of the console's own device and the platform device: bit 43 of a physical address is bit 40 here.
 */
#define KSEG_CONSOLE_DEVICE 0xfffffd0140002000
#define KSEG_PLATFORM 0xfffffd0140000000

static inline uint8_t UartRead(int reg) { return *(volatile uint8_t*)(KSEG_PCI_IO + COM1 + reg); }

static inline void UartWrite(int reg, uint8_t value) {
  *(volatile uint8_t*)(KSEG_PCI_IO + COM1 + reg) = value;
  __asm__ volatile("mb" ::: "memory");
}

static inline uint64_t DeviceRead(int reg) {
  return *(volatile uint64_t*)(KSEG_CONSOLE_DEVICE + reg);
}

static inline void DeviceWrite(int reg, uint64_t value) {
  *(volatile uint64_t*)(KSEG_CONSOLE_DEVICE + reg) = value;
  __asm__ volatile("mb" ::: "memory");
}

static inline uint8_t* ConsoleArea(uint64_t offset) {
  return (uint8_t*)(KSEG_BASE + FW_CONSOLE_PA + offset);
}

/* RAM at a physical address. */
static inline uint8_t* Physical(uint64_t address) { return (uint8_t*)(KSEG_BASE + address); }

/* Stops the machine: the console cannot go on. */
static inline void StopMachine(void) {
  *(volatile uint64_t*)(KSEG_PLATFORM + FW_PLATFORM_POWER) = 3;
  __asm__ volatile("mb" ::: "memory");
  for (;;) {
  }
}

#endif /* ISOCHRON_MACHINE_FIRMWARE_CONSOLE_CALLBACKS_IO_H_ */
