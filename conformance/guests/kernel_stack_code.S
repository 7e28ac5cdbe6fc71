/* Code of kernel_stack.c: traps on a given stack, and user programs that evict its translations. */
#include "pal.h"

  .set noat
  .set noreorder
  .text

/* unsigned long trap_on_stack(unsigned long sp, unsigned long* out)
   With SP = sp, every TLB entry gone and register n holding 100 + n, executes BPT; stores the registers
   behind it to out[n] (but R9 to R11 and SP) and returns SP. */
  .align 4
  .globl trap_on_stack
  .ent trap_on_stack
trap_on_stack:
  .prologue 0
  lda $30, -80($30)
  .irp n, 9,10,11,12,13,14,15
  stq $\n, 8*(\n-9)($30)
  .endr
  stq $26, 56($30)
  stq $29, 64($30)
  mov $30, $9
  mov $17, $10
  mov $16, $11
  lda $16, -2
  call_pal PAL_TBI
  mov $11, $30
  .irp n, 0,1,2,3,4,5,6,7,8,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29
  lda $\n, 100+\n
  .endr
  call_pal PAL_BPT
  .irp n, 0,1,2,3,4,5,6,7,8,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29
  stq $\n, 8*\n($10)
  .endr
  mov $30, $0
  mov $9, $30
  .irp n, 9,10,11,12,13,14,15
  ldq $\n, 8*(\n-9)($30)
  .endr
  ldq $26, 56($30)
  ldq $29, 64($30)
  lda $30, 80($30)
  ret $31, ($26), 1
  .end trap_on_stack

/* user_run with `sp`, the fifth argument, as the kernel stack. */
  .align 4
  .globl user_run_on_stack
  .ent user_run_on_stack
user_run_on_stack:
  ldgp $29, 0($27)
  .prologue 1
  lda $20, -64($20)
  stq $30, 0($20)
  stq $26, 8($20)
  mov $20, $30
  lda $27, user_run
  jsr $26, ($27)
  ldq $26, 8($30)
  ldq $30, 0($30)
  ret $31, ($26), 1
  .end user_run_on_stack

  .section .rodata
  .align 4

/* Reads 64 pages from `base` on. */
  .macro sweep base
  mov \base, $5
  lda $2, 64
1:
  ldq $1, 0($5)
  lda $5, 0x2000($5)
  subq $2, 1, $2
  bne $2, 1b
  .endm

/* Sweeps from a0, returns a1. */
  .globl user_sweep
user_sweep:
  sweep $16
  mov $17, $16
  call_pal PAL_CALLSYS
  .globl user_sweep_end
user_sweep_end:

/* Sweeps from a0 before each of: an unaligned load at a0, a store to a1, BPT, an illegal instruction.
   Returns what R9 and a2 held before. */
  .globl user_faults
  .align 4
user_faults:
  mov $16, $3
  mov $17, $4
  lda $9, 0x99
  lda $18, 0x18
  sweep $3
  ldl $1, 1($3)
  sweep $3
  stq $31, 0($4)
  sweep $3
  call_pal PAL_BPT
  sweep $3
  .long 0x04000000
  addq $9, $18, $16
  call_pal PAL_CALLSYS
  .globl user_faults_end
user_faults_end:

/* URTI with SP = a1; where it goes to when refused: a0 = -1. The frame goes on to offset 16 and returns
   the sum of the registers that it filled, and SP. */
  .globl user_urti
  .align 4
user_urti:
  mov $17, $30
  call_pal PAL_URTI
  lda $16, -1
  call_pal PAL_CALLSYS
  addq $28, $29, $1
  addq $16, $17, $2
  addq $1, $2, $1
  addq $1, $18, $16
  mov $30, $17
  call_pal PAL_CALLSYS
  .globl user_urti_end
user_urti_end:

  .section .note.GNU-stack, "", @progbits
