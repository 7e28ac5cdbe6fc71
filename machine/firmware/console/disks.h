/* The console's disks, of the console that has some. */

#ifndef ISOCHRON_MACHINE_FIRMWARE_CONSOLE_DISKS_H_
#define ISOCHRON_MACHINE_FIRMWARE_CONSOLE_DISKS_H_

#include <stdint.h>

/* The callbacks, with their results in R0. */
uint64_t OpenDisk(const uint8_t* name, uint64_t length);
uint64_t CloseDisk(uint64_t channel);
uint64_t ReadDisk(uint64_t channel, uint64_t count, uint8_t* buffer, uint64_t block);
uint64_t WriteDisk(uint64_t channel, uint64_t count, const uint8_t* buffer, uint64_t block);

/* Blocks of 512 bytes of a disk, 0 where there is none; and `count` bytes from a block on. Whether
   they have been read. */
uint64_t DiskBlocks(uint64_t unit);
int ReadBlocks(uint64_t unit, uint64_t block, uint8_t* buffer, uint64_t count);

/* Saves the environment, all slots of it at a KSEG address. Whether there is where to. */
int SaveEnvironment(const uint8_t* slots);

/* Of callbacks.c: PUTS. */
uint64_t ConsolePuts(const char* text, uint64_t length);

#endif /* ISOCHRON_MACHINE_FIRMWARE_CONSOLE_DISKS_H_ */
