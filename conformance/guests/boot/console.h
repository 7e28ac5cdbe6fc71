/* The console's callbacks for a bootstrap: called through the CRB of the HWRPB at its virtual
   address (Alpha Architecture Reference Manual, Console Interface). */
#ifndef ISOCHRON_CONFORMANCE_GUESTS_BOOT_CONSOLE_H_
#define ISOCHRON_CONFORMANCE_GUESTS_BOOT_CONSOLE_H_

typedef unsigned char u8;
typedef unsigned long u64;

enum {
  kPuts = 0x02,
  kOpen = 0x10,
  kClose = 0x11,
  kIoctl = 0x12,
  kRead = 0x13,
  kWrite = 0x14,
  kSetEnv = 0x20,
  kResetEnv = 0x21,
  kGetEnv = 0x22,
  kSaveEnv = 0x23
};
enum {
  kAutoAction = 1,
  kBootDev = 2,
  kBootdefDev = 3,
  kBootedDev = 4,
  kBootedFile = 6,
  kBootOsflags = 7,
  kBootedOsflags = 8,
  kDumpDev = 10,
  kTtyDev = 15
};

/* Of the disk (make_disk.py): blocks of 512 bytes. */
enum {
  kBlock = 512,
  kSecondStage = 40,
  kSecondStageBlocks = 8,
  kPattern = 60,
  kPatternBlocks = 100
};

#define HWRPB ((const u64*)0x10000000)
#define SECOND_STAGE_VA 0x20020000UL

/* start.S. */
u64 dispatch(u64 function, u64 a1, u64 a2, u64 a3, u64 a4);

void print(const char* text);
void print_hex(u64 value);

#endif /* ISOCHRON_CONFORMANCE_GUESTS_BOOT_CONSOLE_H_ */
