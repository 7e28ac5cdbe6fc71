/* Boots from a disk, as SRM does (Alpha Architecture Reference Manual, Console Interface,
   "Bootblock bootstrapping"): block 0 says where the primary bootstrap is and how long. What it
   prints is what SRM prints. */

#include "machine/firmware/console/disks.h"

#ifndef ISOCHRON_CONSOLE_IO
#include "machine/firmware/console/callbacks_io.h"
#endif

enum {
  kBlock = 512,
  /* Quadwords of the boot block; the last one is the sum of the others. */
  kBootCount = 60,
  kBootBlock = 61,
  kBootSum = 63,
  /* Quadwords of the HWRPB and of a CPU's slot. */
  kHwrpbSlots = 0xa0 / 8,
  kSlotHaltPc = 0xf0 / 8,
  kSlotHaltCode = 0x118 / 8,
};

static void Print(const char* text) {
  uint64_t length = 0;
  while (text[length] != 0) ++length;
  while (length > 0) {
    const uint64_t done = ConsolePuts(text, length) & 0x7fffffff;
    text += done;
    length -= done;
  }
}

static void PrintNumber(uint64_t number) {
  char text[24];
  int at = sizeof text - 1;
  text[at] = 0;
  do {
    text[--at] = '0' + number % 10;
    number /= 10;
  } while (number != 0);
  Print(text + at);
}

static void PrintDisk(void) {
  Print("disk");
  PrintNumber(*(const uint64_t*)ConsoleArea(CONSOLE_BOOT_UNIT));
}

static void PrintFlags(void) {
  const uint8_t* slot = ConsoleArea(CONSOLE_ENV + CONSOLE_ENV_BOOTED_OSFLAGS * CONSOLE_ENV_SLOT);
  const uint64_t length = *(const uint64_t*)slot;
  uint64_t i;
  for (i = 0; i < length; ++i) {
    /* Whoever has the log or the terminal gets text. */
    const char c = slot[8 + i] >= ' ' && slot[8 + i] < 0x7f ? (char)slot[8 + i] : '?';
    ConsolePuts(&c, 1);
  }
}

static void Fail(const char* why) {
  uint64_t* const hwrpb = (uint64_t*)Physical(FW_HWRPB_PA);
  uint64_t* const slot = (uint64_t*)((uint8_t*)hwrpb + hwrpb[kHwrpbSlots]);
  Print(why);
  Print("\r\nbootstrap failure\r\n");
  slot[kSlotHaltPc] = FW_BOOTSTRAP_VA;
  slot[kSlotHaltCode] = FW_HALT_NO_BOOTSTRAP;
  StopMachine();
}

/* Checks block 0, which is in memory. Why it is none, or 0. */
static const char* CheckBootBlock(const uint64_t* words, uint64_t blocks) {
  uint64_t sum = 0;
  uint64_t any = 0;
  int i;
  for (i = 0; i < kBootSum; ++i) {
    sum += words[i];
    any |= words[i];
  }
  /* A disk of zeros has the sum that it should have. */
  if (any == 0) return " is not a valid boot block: it is empty";
  if (sum != words[kBootSum]) return " is not a valid boot block: its checksum is wrong";
  if (words[kBootCount] == 0) return " is not a valid boot block: the bootstrap has no blocks";
  if (words[kBootCount] > FW_PRIMARY_SIZE / kBlock) {
    return " is not a valid boot block: the bootstrap does not fit into its memory";
  }
  if (words[kBootBlock] > blocks || words[kBootCount] > blocks - words[kBootBlock]) {
    return " is not a valid boot block: the bootstrap lies behind the end of the disk";
  }
  return 0;
}

/* Called by entry.S: reads the bootstrap to its memory, and clears the rest of that. */
void ConsoleBoot(void) {
  const uint64_t unit = *(const uint64_t*)ConsoleArea(CONSOLE_BOOT_UNIT);
  uint8_t* const memory = Physical(FW_BOOTSTRAP_PA);
  const uint64_t* const words = (const uint64_t*)memory;
  const char* why;
  uint64_t count;
  uint64_t block;
  uint64_t i;
  Print("(boot ");
  PrintDisk();
  Print(" -flags ");
  PrintFlags();
  Print(")\r\n");
  if (!ReadBlocks(unit, 0, memory, kBlock)) {
    PrintDisk();
    Fail(" cannot be read");
  }
  why = CheckBootBlock(words, DiskBlocks(unit));
  Print("block 0 of ");
  PrintDisk();
  if (why != 0) Fail(why);
  Print(" is a valid boot block\r\nreading ");
  count = words[kBootCount];
  block = words[kBootBlock];
  PrintNumber(count);
  Print(" blocks from ");
  PrintDisk();
  Print("\r\n");
  if (!ReadBlocks(unit, block, memory, count * kBlock)) {
    PrintDisk();
    Fail(" cannot be read");
  }
  for (i = count * kBlock; i < FW_PRIMARY_SIZE; i += 8) *(uint64_t*)(memory + i) = 0;
  Print("bootstrap code read in\r\njumping to bootstrap code\r\n");
}
