/* A primary bootstrap: looks at what SRM leaves to one, at the environment and the disk, and starts
   a second stage. What it prints is TAP. */
#include "console.h"

static u64 buffer[kPatternBlocks * kBlock / 8];
static unsigned tests;

static void ok(int condition, const char* name) {
  print(condition ? "ok " : "not ok ");
  ++tests;
  if (tests >= 10) print((char[]){(char)('0' + tests / 10), 0});
  print((char[]){(char)('0' + tests % 10), 0});
  print(" - ");
  print(name);
  print("\r\n");
}

static void ok_eq(u64 got, u64 want, const char* name) {
  ok(got == want, name);
  if (got == want) return;
  print("# got ");
  print_hex(got);
  print(", expected ");
  print_hex(want);
  print("\r\n");
}

static int same(const char* a, const char* b, u64 length) {
  for (u64 i = 0; i < length; ++i) {
    if (a[i] != b[i]) return 0;
  }
  return b[length] == 0;
}

static void show(u64 variable, const char* name) {
  static char value[512];
  const u64 length = dispatch(kGetEnv, variable, (u64)value, sizeof value - 1, 0);
  print("# ");
  print(name);
  print("=");
  value[length < sizeof value ? length : 0] = 0;
  print(value);
  print("\r\n");
}

static void test_state(u64 sp) {
  const u64 vptb = HWRPB[15];
  ok_eq(HWRPB[1], 0x0000004250525748UL, "the HWRPB is at virtual 0x10000000");
  ok_eq(vptb, 0x200000000UL, "page tables are where SRM has them");
  ok((*(u64*)(vptb + (0x20000000UL >> 10)) & 1) == 1, "they show the bootstrap's first page");
  ok_eq(*(u64*)0x200802008UL >> 32, HWRPB[HWRPB[20] / 8 + 2], "and themselves, as the HWPCB does");
  ok(sp > 0x20000000UL && sp < 0x20800000UL, "the stack is virtual");
  ok_eq(HWRPB[HWRPB[20] / 8], sp, "and that of the HWPCB");
  u64 any = 0;
  for (u64 at = 0x20040000UL; at < 0x20180000UL; at += 8) any |= *(u64*)at;
  ok_eq(any, 0, "memory behind the bootstrap is zero");
}

static void test_environment(void) {
  static char value[16];
  show(kAutoAction, "auto_action");
  show(kBootDev, "boot_dev");
  show(kBootdefDev, "bootdef_dev");
  show(kBootedDev, "booted_dev");
  show(kBootedFile, "booted_file");
  show(kBootOsflags, "boot_osflags");
  show(kBootedOsflags, "booted_osflags");
  show(kDumpDev, "dump_dev");
  show(kTtyDev, "tty_dev");
  ok_eq(dispatch(kSetEnv, kDumpDev, (u64) "there", 5, 0), 5, "a variable can be set");
  ok_eq(dispatch(kGetEnv, kDumpDev, (u64)value, sizeof value, 0), 5, "and is read");
  ok(same(value, "there", 5), "as it was set");
  ok(dispatch(kSetEnv, kBootedDev, (u64) "x", 1, 0) >> 61 == 4, "booted_dev cannot");
  print(dispatch(kSaveEnv, 0, 0, 0, 0) == 0 ? "# saved\r\n" : "# there is no NVRAM\r\n");
}

/* What make_disk.py has put there. */
static int is_pattern(u64 first_block, u64 count) {
  for (u64 i = 0; i < count / 8; ++i) {
    if (buffer[i] != (first_block * kBlock / 8 + i) * 0x9e3779b97f4a7c15UL) return 0;
  }
  return 1;
}

static u64 test_disk(void) {
  char name[256];
  const u64 length = dispatch(kGetEnv, kBootedDev, (u64)name, sizeof name, 0);
  ok(dispatch(kOpen, (u64) "dka900", 6, 0, 0) >> 62 == 2, "a disk that is not there is not opened");
  const u64 channel = dispatch(kOpen, (u64)name, length, 0, 0);
  ok_eq(channel >> 62, 0, "booted_dev is opened");
  const u64 all = kPatternBlocks * kBlock;
  ok_eq(dispatch(kRead, channel, all, (u64)buffer, kPattern), all, "many blocks are read");
  ok(is_pattern(kPattern, all), "and are those of the disk");
  ok_eq(dispatch(kRead, channel, 1000, (u64)buffer, kPattern + 3), 1000,
        "a part of a block is read");
  ok(is_pattern(kPattern + 3, 1000) && buffer[125] == (kPattern * 64 + 125) * 0x9e3779b97f4a7c15UL,
     "and nothing behind it");
  ok(dispatch(kRead, channel, kBlock, (u64)buffer, 1UL << 40) >> 62 == 3, "not behind the end");
  ok(dispatch(kRead, channel + 1, kBlock, (u64)buffer, 0) >> 63 == 1, "not by a closed channel");
  ok(dispatch(kIoctl, channel, 0, 0, 0) >> 63 == 1, "there is no IOCTL");
  for (u64 i = 0; i < kBlock / 8; ++i) buffer[i] = ~i;
  if (dispatch(kWrite, channel, kBlock, (u64)buffer, kPattern) == kBlock) {
    buffer[5] = 0;
    dispatch(kRead, channel, kBlock, (u64)buffer, kPattern);
    ok_eq(buffer[5], ~5UL, "what is written is read");
  } else {
    ok(1, "a disk that cannot be written says so");
  }
  return channel;
}

void boot_main(u64 sp) {
  test_state(sp);
  test_environment();
  const u64 channel = test_disk();
  const u64 bytes = kSecondStageBlocks * kBlock;
  ok_eq(dispatch(kRead, channel, bytes, SECOND_STAGE_VA, kSecondStage), bytes,
        "the second stage is read");
  ok_eq(dispatch(kClose, channel, 0, 0, 0), 0, "the disk is closed");
  ok(dispatch(kClose, channel, 0, 0, 0) >> 63 == 1, "once");
  print("1..");
  print((char[]){(char)('0' + tests / 10), (char)('0' + tests % 10), 0});
  print("\r\n");
  __asm__ volatile("imb" : : : "memory");
  ((void (*)(void))SECOND_STAGE_VA)();
}
