/* What the loader puts into the console area behind the callback code. Read by C, C++ and the
   assembler, so: macros and plain numbers only. Offsets in bytes from FW_CONSOLE_PA. */

#ifndef ISOCHRON_MACHINE_FIRMWARE_CONSOLE_LAYOUT_H_
#define ISOCHRON_MACHINE_FIRMWARE_CONSOLE_LAYOUT_H_

/* Procedure descriptors of DISPATCH and FIXUP (OpenVMS Calling Standard: entry at +8). They are
   the first bytes of the image; code follows and ends before CONSOLE_ENV. */
#define CONSOLE_DISPATCH_DESCRIPTOR 0x00
#define CONSOLE_FIXUP_DESCRIPTOR 0x20
#define CONSOLE_CODE_LIMIT 0x4000

/* Environment variables by number (0 is unused): a quadword of length, then the bytes. Once
   the current values, once the defaults that RESET_ENV restores. */
#define CONSOLE_ENV 0x4000
#define CONSOLE_ENV_DEFAULTS 0x6000
#define CONSOLE_ENV_COUNT 16
#define CONSOLE_ENV_SLOT 512
#define CONSOLE_ENV_MAX_LENGTH 504

/* Of the console with disks: where it starts the machine, and, behind code that ends there, its
   data: the names of the disks as BOOTED_DEV has them, closed by zeros; the number of the disk to
   boot from; for each channel 0, or the number of its disk and 1 (quadwords). */
#define CONSOLE_BOOT_ENTRY 0x40
#define CONSOLE_DISKS_CODE_LIMIT 0x3000
#define CONSOLE_UNITS 0x3000
#define CONSOLE_UNIT_COUNT 8
#define CONSOLE_UNIT_NAME 64
#define CONSOLE_BOOT_UNIT 0x3400
#define CONSOLE_CHANNELS 0x3408
#define CONSOLE_CHANNEL_COUNT 8

/* Numbers of the environment variables (Alpha console interface; Linux asm/console.h). */
#define CONSOLE_ENV_AUTO_ACTION 0x01
#define CONSOLE_ENV_BOOT_DEV 0x02
#define CONSOLE_ENV_BOOTDEF_DEV 0x03
#define CONSOLE_ENV_BOOTED_DEV 0x04
#define CONSOLE_ENV_BOOT_FILE 0x05
#define CONSOLE_ENV_BOOTED_FILE 0x06
#define CONSOLE_ENV_BOOT_OSFLAGS 0x07
#define CONSOLE_ENV_BOOTED_OSFLAGS 0x08
#define CONSOLE_ENV_BOOT_RESET 0x09
#define CONSOLE_ENV_DUMP_DEV 0x0a
#define CONSOLE_ENV_ENABLE_AUDIT 0x0b
#define CONSOLE_ENV_LICENSE 0x0c
#define CONSOLE_ENV_CHAR_SET 0x0d
#define CONSOLE_ENV_LANGUAGE 0x0e
#define CONSOLE_ENV_TTY_DEV 0x0f

#endif /* ISOCHRON_MACHINE_FIRMWARE_CONSOLE_LAYOUT_H_ */
