/* Stops the clock chip, so that nothing happens by itself any more, and stands still for ever. */
#include "machine/firmware/firmware_layout.h"

#define KSEG_IO 0xfffffd0000000000
#define PLATFORM (KSEG_IO + (FW_PLATFORM_PA & 0x7ffffffff))
#define RTC (KSEG_IO + 0x1fc000070)

  .set noat
  .arch ev67
  .section .text.start, "ax"
  .globl _start
  .ent _start
_start:
  br $27, 1f
1:
  ldgp $29, 0($27)
  ldiq $1, RTC
  lda $2, 0x0a        /* register A */
  stb $2, 0($1)
  lda $2, 0x76        /* the divider held in reset */
  stb $2, 1($1)
  mb
  ldiq $1, PLATFORM + FW_PLATFORM_WAIT
2:
  stq $2, 0($1)
  br 2b
  .end _start
