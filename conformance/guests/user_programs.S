/* User mode programs of the guests, copied into a page of their own: no gp, no stack beyond $30. */
#include "pal.h"

  .set noat
  .set noreorder
  .section .rodata
  .align 4

  .macro program name
  .globl \name
  .align 4
\name:
  .endm
  .macro program_end name
  .globl \name\()_end
\name\()_end:
  .endm

/* Returns its arguments by callsys: v0 = number, a0 = a0 + a1. */
  program user_add
  addq $16, $17, $16
  lda $0, 42
  mov $30, $17
  call_pal PAL_CALLSYS
  program_end user_add

/* Makes a system call, is resumed behind it and makes another. */
  program user_two_calls
  lda $16, 1
  call_pal PAL_CALLSYS
  lda $16, 2
  call_pal PAL_CALLSYS
  program_end user_two_calls

/* The unprivileged calls: writes and reads the unique value, traps, barriers; a0 = unique. */
  program user_unprivileged
  lda $16, 0x1234
  call_pal PAL_WRUNIQUE
  call_pal PAL_BPT
  call_pal PAL_BUGCHK
  lda $16, 7
  call_pal PAL_GENTRAP
  call_pal PAL_IMB
  call_pal PAL_RDUNIQUE
  mov $0, $16
  call_pal PAL_CALLSYS
  program_end user_unprivileged

/* Each privileged call of OSF/1 is an illegal instruction in user mode; a0 = how many went on. */
  program user_privileged
  clr $16
  .irp code, 0x00,0x01,0x02,0x09,0x0a,0x0d,0x10,0x11,0x2b,0x2d,0x30,0x31,0x32
  call_pal \code
  addq $16, 1, $16
  .endr
  .irp code, 0x33,0x34,0x35,0x36,0x37,0x38,0x39,0x3a,0x3c,0x3d,0x3e,0x3f
  call_pal \code
  addq $16, 1, $16
  .endr
  call_pal PAL_CALLSYS
  program_end user_privileged

/* CLRFEN, then a floating point instruction: one FEN fault. */
  program user_clrfen
  call_pal PAL_CLRFEN
  cpys $f31, $f31, $f1
  nop
  nop
  lda $16, 99
  call_pal PAL_CALLSYS
  program_end user_clrfen

/* Loads from a0 and stores to a1: for pages that user mode may not touch. */
  program user_touch
  lda $0, 0x55
  ldq $0, 0($16)
  stq $0, 0($17)
  mov $0, $16
  call_pal PAL_CALLSYS
  program_end user_touch

/* Jumps to a0 with a way back: for pages that user mode may not execute. */
  program user_jump
  mov $16, $27
  jsr $26, ($27), 0
  lda $16, 0x33
  call_pal PAL_CALLSYS
  program_end user_jump

/* Spins until memory at a0 is not zero. */
  program user_wait
1:
  ldq $0, 0($16)
  beq $0, 1b
  mov $0, $16
  call_pal PAL_CALLSYS
  program_end user_wait

  .section .note.GNU-stack, "", @progbits
