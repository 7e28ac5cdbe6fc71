/* The console callbacks that an operating system calls through DISPATCH. They drive COM1 by
   polling and hold the environment variables. Built with ISOCHRON_CONSOLE_DISKS they open disks,
   too (disks.c), and save the environment; otherwise there are no console devices.

   Functions and status codes: Alpha Architecture Reference Manual, Console Interface; DEC 3000
   AXP Hardware Reference, "Console Service Routine Descriptions". R0 carries a status in its
   top bits and a count or a value in its low half. */

#ifndef ISOCHRON_CONSOLE_IO
#include "machine/firmware/console/callbacks_io.h"
#endif
#ifdef ISOCHRON_CONSOLE_DISKS
#include "machine/firmware/console/disks.h"
#endif

enum {
  kGetc = 0x01,
  kPuts = 0x02,
  kResetTerm = 0x03,
  kOpenConsole = 0x07,
  kCloseConsole = 0x08,
  kOpen = 0x10,
  kClose = 0x11,
  kRead = 0x13,
  kWrite = 0x14,
  kSetEnv = 0x20,
  kResetEnv = 0x21,
  kGetEnv = 0x22,
  kSaveEnv = 0x23,
};

/* Values of R0<63:61>. */
#define STATUS(n) ((uint64_t)(n) << 61)
#define STATUS_MORE STATUS(1) /* success, but not all: more to read, rest not written, cut off */
#define STATUS_NOT_READY STATUS(4)
#define STATUS_READ_ONLY STATUS(4)
#define STATUS_FAILED STATUS(6)
#define STATUS_UNSUPPORTED STATUS(7)
#ifndef ISOCHRON_CONSOLE_DISKS
/* R0<63>: OPEN's "no such device", CLOSE's, READ's and WRITE's failure. */
#define STATUS_NO_DEVICE STATUS(4)
#endif

/* 16550 registers and bits. */
enum {
  kUartData = 0,
  kUartDivisorLow = 0,
  kUartInterruptEnable = 1,
  kUartDivisorHigh = 1,
  kUartFifoControl = 2,
  kUartLineControl = 3,
  kUartModemControl = 4,
  kUartLineStatus = 5,
  kModemReady = 0x03, /* DTR and RTS */
  kDataReady = 0x01,
  kLineErrors = 0x1e,
  kTransmitterEmpty = 0x20,
};

/* Reads of the line status before PUTS calls the terminal not ready. A read takes about a
   microsecond, a character at 9600 baud about a millisecond. */
enum { kPollLimit = 20000 };

static int WaitForTransmitter(void) {
  int i;
  for (i = 0; i < kPollLimit; ++i) {
    if (UartRead(kUartLineStatus) & kTransmitterEmpty) return 1;
  }
  return 0;
}

/* Tells the terminal that it may send. Whoever had the line before may have told it not to: Linux's
   serial driver leaves DTR and RTS off while nobody has the port open. OUT2 and the interrupt
   enables are the driver's and stay as they are. */
static void RaiseReady(void) {
  const uint8_t modem = UartRead(kUartModemControl);
  if ((modem & kModemReady) != kModemReady) UartWrite(kUartModemControl, modem | kModemReady);
}

static uint64_t Getc(void) {
  uint8_t status;
  uint64_t value;
  RaiseReady();
  status = UartRead(kUartLineStatus);
  if (!(status & kDataReady)) return STATUS_NOT_READY;
  value = UartRead(kUartData);
  if (status & kLineErrors) return STATUS_FAILED | value;
  if (UartRead(kUartLineStatus) & kDataReady) return STATUS_MORE | value;
  return value;
}

static uint64_t Puts(const uint8_t* text, uint64_t length) {
  uint64_t written = 0;
  /* The count comes back in 32 bits. */
  if (length > 0x7fffffff) length = 0x7fffffff;
  while (written < length) {
    if (!WaitForTransmitter()) return written == 0 ? STATUS_NOT_READY : STATUS_MORE | written;
    UartWrite(kUartData, text[written]);
    ++written;
  }
  return written;
}

/* 9600 baud, 8 data bits, no parity, one stop bit, FIFOs empty, no interrupts. */
static uint64_t ResetTerminal(void) {
  UartWrite(kUartInterruptEnable, 0);
  UartWrite(kUartLineControl, 0x83);
  UartWrite(kUartDivisorLow, 12);
  UartWrite(kUartDivisorHigh, 0);
  UartWrite(kUartLineControl, 0x03);
  UartWrite(kUartFifoControl, 0x07);
  UartWrite(kUartModemControl, 0x0b);
  return 0;
}

static int IsVariable(uint64_t id) { return id != 0 && id < CONSOLE_ENV_COUNT; }

static int IsReadOnly(uint64_t id) {
  return id == CONSOLE_ENV_BOOTED_DEV || id == CONSOLE_ENV_BOOTED_FILE ||
         id == CONSOLE_ENV_BOOTED_OSFLAGS || id == CONSOLE_ENV_LICENSE || id == CONSOLE_ENV_TTY_DEV;
}

/* The slot of a variable: in the current values or in the defaults. */
static uint8_t* Slot(uint64_t table, uint64_t id) {
  return ConsoleArea(table + id * CONSOLE_ENV_SLOT);
}

static void Copy(uint8_t* to, const uint8_t* from, uint64_t count) {
  uint64_t i;
  for (i = 0; i < count; ++i) to[i] = from[i];
}

static uint64_t GetEnv(uint64_t id, uint8_t* buffer, uint64_t size) {
  const uint8_t* slot;
  uint64_t length;
  if (!IsVariable(id)) return STATUS_FAILED;
  slot = Slot(CONSOLE_ENV, id);
  length = *(const uint64_t*)slot;
  if (length <= size) {
    Copy(buffer, slot + 8, length);
    return length;
  }
  Copy(buffer, slot + 8, size);
  return STATUS_MORE | size;
}

/* Returns the number of bytes taken. The console manuals say that R0<60:0> should be zero, and tell
   success by the status alone; Linux (srm_env.c) hands R0<31:0> to write() as what was written, and
   a program that writes all there is never comes to an end with zero. */
static uint64_t SetEnv(uint64_t id, const uint8_t* value, uint64_t length) {
  uint8_t* slot;
  if (!IsVariable(id)) return STATUS_FAILED;
  if (IsReadOnly(id)) return STATUS_READ_ONLY;
  if (length > CONSOLE_ENV_MAX_LENGTH) return STATUS_UNSUPPORTED;
  slot = Slot(CONSOLE_ENV, id);
  Copy(slot + 8, value, length);
  *(uint64_t*)slot = length;
  return length;
}

/* Restores the default and returns it as GET_ENV would. */
static uint64_t ResetEnv(uint64_t id, uint8_t* buffer, uint64_t size) {
  if (!IsVariable(id)) return STATUS_FAILED;
  if (IsReadOnly(id)) return STATUS_READ_ONLY;
  Copy(Slot(CONSOLE_ENV, id), Slot(CONSOLE_ENV_DEFAULTS, id), CONSOLE_ENV_SLOT);
  return GetEnv(id, buffer, size);
}

#ifdef ISOCHRON_CONSOLE_DISKS
uint64_t ConsolePuts(const char* text, uint64_t length) {
  return Puts((const uint8_t*)text, length);
}

static uint64_t SaveEnv(void) {
  return SaveEnvironment(ConsoleArea(CONSOLE_ENV)) ? 0 : STATUS_FAILED;
}

/* What READ and WRITE have and others do not: a fourth argument. */
uint64_t ConsoleDispatch(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4) {
  switch (function) {
    case kOpen: return OpenDisk((const uint8_t*)a1, a2);
    case kClose: return CloseDisk(a1);
    case kRead: return ReadDisk(a1, a2, (uint8_t*)a3, a4);
    case kWrite: return WriteDisk(a1, a2, (const uint8_t*)a3, a4);
    case kSaveEnv: return SaveEnv();
#else
/* Called by entry.S. Arguments after the function code are as the routine defines them. */
uint64_t ConsoleDispatch(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3) {
  switch (function) {
    case kOpen:
    case kClose:
    case kRead:
    case kWrite: return STATUS_NO_DEVICE;
#endif
    case kGetc: return Getc();
    case kPuts: return Puts((const uint8_t*)a2, a3);
    case kResetTerm: return ResetTerminal();
    case kOpenConsole:
    case kCloseConsole: return 0;
    case kSetEnv: return SetEnv(a1, (const uint8_t*)a2, a3);
    case kResetEnv: return ResetEnv(a1, (uint8_t*)a2, a3);
    case kGetEnv: return GetEnv(a1, (uint8_t*)a2, a3);
    default: return STATUS_FAILED;
  }
}
