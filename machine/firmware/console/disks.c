/* OPEN, CLOSE, READ and WRITE (Alpha Architecture Reference Manual, Console Interface), for disks
   behind whatever controller: the console has a device of its own that reaches them all, and leaves
   the controllers as an operating system expects them. What is transferred passes through a buffer
   at a known physical address, so that callers' addresses are those of their page tables. */

#include "machine/firmware/console/disks.h"

#ifndef ISOCHRON_CONSOLE_IO
#include "machine/firmware/console/callbacks_io.h"
#endif

enum { kBlock = 512 };

/* R0<63:62> of OPEN. */
#define OPEN_NO_SUCH_DEVICE ((uint64_t)2 << 62)
#define OPEN_NO_CHANNEL ((uint64_t)3 << 62)
/* R0<63:60> of READ and WRITE. */
#define TRANSFER_FAILED ((uint64_t)1 << 63)
#define TRANSFER_END_OF_DISK (TRANSFER_FAILED | (uint64_t)1 << 62)
#define TRANSFER_BAD_LENGTH (TRANSFER_FAILED | (uint64_t)1 << 61)
#define CLOSE_FAILED ((uint64_t)1 << 63)

/* 0 for a channel that is free, else the number of its disk and 1. */
static uint64_t* Channels(void) { return (uint64_t*)ConsoleArea(CONSOLE_CHANNELS); }

static uint8_t Upper(uint8_t c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c; }

/* Whether they are the same but for case; what callers hand over may have blanks or a zero behind
 * it. */
static int IsName(const uint8_t* unit, const uint8_t* name, uint64_t length) {
  uint64_t i = 0;
  while (i < length && unit[i] != 0 && Upper(unit[i]) == Upper(name[i])) ++i;
  if (unit[i] != 0) return 0;
  while (i < length && (name[i] == ' ' || name[i] == 0)) ++i;
  return i == length;
}

uint64_t OpenDisk(const uint8_t* name, uint64_t length) {
  uint64_t unit = 0;
  uint64_t channel = 0;
  const uint8_t* unit_name = ConsoleArea(CONSOLE_UNITS);
  while (unit < CONSOLE_UNIT_COUNT &&
         (unit_name[0] == 0 || length == 0 || !IsName(unit_name, name, length))) {
    ++unit;
    unit_name += CONSOLE_UNIT_NAME;
  }
  if (unit == CONSOLE_UNIT_COUNT) return OPEN_NO_SUCH_DEVICE;
  while (channel < CONSOLE_CHANNEL_COUNT && Channels()[channel] != 0) ++channel;
  if (channel == CONSOLE_CHANNEL_COUNT) return OPEN_NO_CHANNEL;
  Channels()[channel] = unit + 1;
  return channel;
}

static int IsOpen(uint64_t channel) {
  return channel < CONSOLE_CHANNEL_COUNT && Channels()[channel] != 0;
}

uint64_t CloseDisk(uint64_t channel) {
  if (!IsOpen(channel)) return CLOSE_FAILED;
  Channels()[channel] = 0;
  return 0;
}

uint64_t DiskBlocks(uint64_t unit) {
  DeviceWrite(FW_CONSOLE_DEVICE_UNIT, unit);
  return DeviceRead(FW_CONSOLE_DEVICE_BLOCKS);
}

/* Has the device do something and waits for it. Whether it has been done. */
static int Command(uint64_t command) {
  uint64_t status;
  DeviceWrite(FW_CONSOLE_DEVICE_COMMAND, command);
  do {
    status = DeviceRead(FW_CONSOLE_DEVICE_COMMAND);
  } while (status == FW_CONSOLE_BUSY);
  return status == FW_CONSOLE_DONE;
}

static int MoveBlocks(uint64_t command, uint64_t unit, uint64_t block, uint64_t count) {
  DeviceWrite(FW_CONSOLE_DEVICE_UNIT, unit);
  DeviceWrite(FW_CONSOLE_DEVICE_BLOCK, block);
  DeviceWrite(FW_CONSOLE_DEVICE_COUNT, count);
  DeviceWrite(FW_CONSOLE_DEVICE_ADDRESS, FW_CONSOLE_BUFFER_PA);
  return Command(command);
}

static void CopyBytes(uint8_t* to, const uint8_t* from, uint64_t count) {
  if ((((uint64_t)to | (uint64_t)from) & 7) == 0) {
    for (; count >= 8; count -= 8, to += 8, from += 8) *(uint64_t*)to = *(const uint64_t*)from;
  }
  for (; count > 0; --count) *to++ = *from++;
}

static uint64_t BlocksOf(uint64_t count) { return (count + kBlock - 1) / kBlock; }

/* How many bytes of `count` go at once. */
static uint64_t Piece(uint64_t count) {
  const uint64_t most = FW_CONSOLE_MAX_BLOCKS * kBlock;
  return count < most ? count : most;
}

int ReadBlocks(uint64_t unit, uint64_t block, uint8_t* buffer, uint64_t count) {
  while (count > 0) {
    const uint64_t piece = Piece(count);
    if (!MoveBlocks(FW_CONSOLE_READ, unit, block, BlocksOf(piece))) return 0;
    CopyBytes(buffer, Physical(FW_CONSOLE_BUFFER_PA), piece);
    buffer += piece;
    block += piece / kBlock;
    count -= piece;
  }
  return 1;
}

static int WriteBlocks(uint64_t unit, uint64_t block, const uint8_t* buffer, uint64_t count) {
  while (count > 0) {
    const uint64_t piece = Piece(count);
    CopyBytes(Physical(FW_CONSOLE_BUFFER_PA), buffer, piece);
    if (!MoveBlocks(FW_CONSOLE_WRITE, unit, block, BlocksOf(piece))) return 0;
    buffer += piece;
    block += piece / kBlock;
    count -= piece;
  }
  return 1;
}

/* Why a transfer cannot be, or 0. */
static uint64_t CheckTransfer(uint64_t channel, uint64_t count, uint64_t block) {
  uint64_t blocks;
  if (!IsOpen(channel)) return TRANSFER_FAILED;
  /* The count comes back in 32 bits. */
  if (count > 0x7fffffff) return TRANSFER_BAD_LENGTH;
  blocks = DiskBlocks(Channels()[channel] - 1);
  if (block > blocks || BlocksOf(count) > blocks - block) return TRANSFER_END_OF_DISK;
  return 0;
}

uint64_t ReadDisk(uint64_t channel, uint64_t count, uint8_t* buffer, uint64_t block) {
  const uint64_t error = CheckTransfer(channel, count, block);
  if (error != 0) return error;
  if (!ReadBlocks(Channels()[channel] - 1, block, buffer, count)) return TRANSFER_FAILED;
  return count;
}

/* Of whole blocks: what a partial one has behind its bytes the caller does not say. */
uint64_t WriteDisk(uint64_t channel, uint64_t count, const uint8_t* buffer, uint64_t block) {
  const uint64_t error = CheckTransfer(channel, count, block);
  if (error != 0) return error;
  if (count % kBlock != 0) return TRANSFER_BAD_LENGTH;
  if (!WriteBlocks(Channels()[channel] - 1, block, buffer, count)) return TRANSFER_FAILED;
  return count;
}

int SaveEnvironment(const uint8_t* slots) {
  if (DeviceRead(FW_CONSOLE_DEVICE_NVRAM) == 0) return 0;
  CopyBytes(Physical(FW_CONSOLE_BUFFER_PA), slots, CONSOLE_ENV_COUNT * CONSOLE_ENV_SLOT);
  DeviceWrite(FW_CONSOLE_DEVICE_ADDRESS, FW_CONSOLE_BUFFER_PA);
  return Command(FW_CONSOLE_SAVE);
}
