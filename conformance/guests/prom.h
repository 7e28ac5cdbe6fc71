/* The console's callbacks, called as NetBSD calls them: on a stack whose top word is at virtual
   0x20001ff8, with buffers from 0x20000000, where SRM maps memory for boot programs. */
#ifndef ISOCHRON_CONFORMANCE_GUESTS_PROM_H_
#define ISOCHRON_CONFORMANCE_GUESTS_PROM_H_

#include "runtime.h"

#define BOOTSTRAP_VA 0x20000000UL
#define BOOTSTRAP_BYTES 0x40000UL

/* Function codes of DISPATCH and environment variables (Alpha ARM, Console Interface). */
#define PROM_GETC 0x01
#define PROM_PUTS 0x02
#define PROM_RESET_TERM 0x03
#define PROM_SET_ENV 0x20
#define PROM_RESET_ENV 0x21
#define PROM_GET_ENV 0x22
#define PROM_SAVE_ENV 0x23
#define ENV_AUTO_ACTION 0x01
#define ENV_BOOTED_DEV 0x04
#define ENV_BOOTED_OSFLAGS 0x08
#define ENV_LICENSE 0x0c
#define ENV_TTY_DEV 0x0f

/* R0 of a callback: status in <63:61>, count or value in <31:0>. */
#define PROM_STATUS(result) ((result) >> 61)
#define PROM_VALUE(result) ((u32)(result))

/* prom.S. `descriptor` is the virtual address of DISPATCH's procedure descriptor. */
u64 prom_dispatch(u64 function, u64 a1, u64 a2, u64 a3, u64 a4, u64 descriptor);

#endif /* ISOCHRON_CONFORMANCE_GUESTS_PROM_H_ */
