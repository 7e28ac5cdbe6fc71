/* Stops the clock chip, so that nothing happens by itself any more, and stands still for ever. */
#include "pytests/guests/board.inc"

  .arch ev67
  begin_kernel
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
