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

static inline uint8_t UartRead(int reg) { return *(volatile uint8_t*)(KSEG_PCI_IO + COM1 + reg); }

static inline void UartWrite(int reg, uint8_t value) {
  *(volatile uint8_t*)(KSEG_PCI_IO + COM1 + reg) = value;
  __asm__ volatile("mb" ::: "memory");
}

static inline uint8_t* ConsoleArea(uint64_t offset) {
  return (uint8_t*)(KSEG_BASE + FW_CONSOLE_PA + offset);
}

#endif /* ISOCHRON_MACHINE_FIRMWARE_CONSOLE_CALLBACKS_IO_H_ */
