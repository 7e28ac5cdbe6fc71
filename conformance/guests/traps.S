/* The six system entry points.  PALcode pushed PS, PC, gp, a0, a1, a2; below that each entry saves
   the other integer registers, so that the whole is a struct trap_frame (runtime.h), and calls
   trap_dispatch(a0, a1, a2, kind, frame). */
#include "pal.h"

#define SAVE_SIZE 256

  .set noat
  .set noreorder
  .text

  .macro each_saved insn
  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,19,20,21,22,23,24,25,26,27,28
  \insn $\n, \n*8($30)
  .endr
  .endm

  .macro entry name, kind
  .align 4
  .globl \name
  .ent \name
\name:
  .prologue 0
  lda $30, -SAVE_SIZE($30)
  each_saved stq
  lda $19, \kind
  mov $30, $20
  br trap_common
  .end \name
  .endm

  entry entInt, ENT_INT
  entry entArith, ENT_ARITH
  entry entMM, ENT_MM
  entry entIF, ENT_IF
  entry entUna, ENT_UNA

  .align 4
  .ent trap_common
trap_common:
  .prologue 0
  lda $27, trap_dispatch
  jsr $26, ($27)
  each_saved ldq
  lda $30, SAVE_SIZE($30)
  call_pal PAL_RTI
  .end trap_common

/* long user_run(unsigned long pc, unsigned long sp, unsigned long a0, unsigned long a1)
   Enters user mode at pc (PS = 8) with a0 and a1 in $16 and $17; returns the a0 that user code
   passes to callsys, with its v0, a1 and the frame kept in user_state. */
  .align 4
  .globl user_run
  .ent user_run
user_run:
  ldgp $29, 0($27)
  .prologue 1
  lda $30, -128($30)
  bsr $28, save_kernel
  mov $16, $2
  mov $17, $16
  call_pal PAL_WRUSP
  lda $30, -48($30)
  lda $1, PS_USER
  stq $1, 0($30)
  stq $2, 8($30)
  stq $31, 16($30)
  stq $18, 24($30)
  stq $19, 32($30)
  stq $31, 40($30)
  call_pal PAL_RTI
  .end user_run

/* long user_resume(void)
   Returns to user mode behind the last callsys by retsys, on a frame like the one that PALcode
   pushed for it; comes back like user_run. */
  .align 4
  .globl user_resume
  .ent user_resume
user_resume:
  ldgp $29, 0($27)
  .prologue 1
  lda $30, -128($30)
  bsr $28, save_kernel
  lda $1, user_state
  ldq $2, 24($1)
  ldq $3, 32($1)
  lda $30, -48($30)
  stq $2, 0($30)
  stq $3, 8($30)
  stq $31, 16($30)
  call_pal PAL_RETSYS
  .end user_resume

  .align 4
save_kernel:
  stq $9, 0($30)
  stq $10, 8($30)
  stq $11, 16($30)
  stq $12, 24($30)
  stq $13, 32($30)
  stq $14, 40($30)
  stq $15, 48($30)
  stq $26, 56($30)
  lda $1, user_kernel_sp
  stq $30, 0($1)
  ret $31, ($28), 1

/* The system call entry ends user_run: it abandons the frame that PALcode pushed. */
  .align 4
  .globl entSys
  .ent entSys
entSys:
  .prologue 0
  lda $1, user_state
  stq $0, 0($1)
  stq $16, 8($1)
  stq $17, 16($1)
  ldq $2, 0($30)
  stq $2, 24($1)
  ldq $2, 8($30)
  stq $2, 32($1)
  stq $30, 40($1)
  lda $1, user_kernel_sp
  ldq $30, 0($1)
  mov $16, $0
  ldq $9, 0($30)
  ldq $10, 8($30)
  ldq $11, 16($30)
  ldq $12, 24($30)
  ldq $13, 32($30)
  ldq $14, 40($30)
  ldq $15, 48($30)
  ldq $26, 56($30)
  lda $30, 128($30)
  ret $31, ($26), 1
  .end entSys

  .section .bss
  .align 3
user_kernel_sp:
  .skip 8

  .section .note.GNU-stack, "", @progbits
