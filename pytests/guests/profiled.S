/* A guest whose functions execute a number of instructions that this source tells (pytests/test_profile.py has the
   sums): calls, recursion, a jump in place of a call and a return, one that leaves two calls at once as longjmp() does,
   breakpoints, system calls, interrupts while it waits and while it polls, and another process that is switched to while a call is open. */
#include "pytests/guests/board.inc"

  .macro function name
  .balign 16
  .globl \name
  .type \name, @function
\name:
  .endm

  .arch ev67
  begin_kernel
  mov $29, $16
  call_pal CALL_PAL_WRKGP
  set_entry 0, on_interrupt
  set_entry 3, on_breakpoint
  set_entry 5, on_system_call
  bsr $26, main
  lda $1, 1
power:
  request_power power
  .end _start

  function main
  lda $30, -16($30)
  stq $26, 0($30)
  lda $9, 100
1:
  bsr $26, leaf
  subq $9, 1, $9
  bne $9, 1b

  lda $16, 10
  bsr $26, down

  lda $9, 7
2:
  bsr $26, hop
  subq $9, 1, $9
  bne $9, 2b

  lda $9, 5
3:
  bsr $26, outer
  subq $9, 1, $9
  bne $9, 3b

  lda $9, 3
4:
  call_pal CALL_PAL_BPT
  subq $9, 1, $9
  bne $9, 4b
  call_pal CALL_PAL_CALLSYS
  call_pal CALL_PAL_CALLSYS

  bsr $26, wait_for_clock
  bsr $26, poll_for_clock
  bsr $26, change_process

  ldq $26, 0($30)
  lda $30, 16($30)
  ret $31, ($26), 1

  function leaf
  lda $1, counter
  ldq $2, 0($1)
  addq $2, 1, $2
  stq $2, 0($1)
  ret $31, ($26), 1

  function down
  lda $30, -16($30)
  stq $26, 0($30)
  beq $16, 1f
  subq $16, 1, $16
  bsr $26, down
1:
  ldq $26, 0($30)
  lda $30, 16($30)
  ret $31, ($26), 1

  function hop
  lda $27, landing
  jmp $31, ($27)

  function landing
  addq $31, 1, $0
  ret $31, ($26), 1

/* Remembers where it is, as setjmp() does, and is not returned to otherwise. */
  function outer
  lda $30, -16($30)
  stq $26, 0($30)
  mov $30, $10
  br $11, 1f
1:
  lda $11, 12($11)     /* behind the halt */
  bsr $26, inner
  halt
  ldq $26, 0($30)
  lda $30, 16($30)
  ret $31, ($26), 1

  function inner
  lda $30, -16($30)
  stq $26, 0($30)
  bsr $26, deepest
  halt

  function deepest
  lda $30, -32($30)
  mov $10, $30
  jmp $31, ($11)

  function wait_for_clock
  /* The clock chip's periodic interrupt, 1024 times a second. */
  ldiq $12, RTC
  lda $2, 0x0a
  stb $2, 0($12)
  lda $2, 0x26
  stb $2, 1($12)
  lda $2, 0x0b
  stb $2, 0($12)
  lda $2, 0x42
  stb $2, 1($12)
  mb
  clr $16
  call_pal CALL_PAL_SWPIPL
  lda $11, interrupts
1:
  call_pal CALL_PAL_WTINT
  ldq $1, 0($11)
  cmplt $1, 2, $1
  bne $1, 1b
  lda $16, 7
  call_pal CALL_PAL_SWPIPL
  ret $31, ($26), 1

/* Goes round until the third: engines need not execute that turn by turn. */
  function poll_for_clock
  clr $16
  call_pal CALL_PAL_SWPIPL
1:
  ldq $1, 0($11)
  cmplt $1, 3, $1
  bne $1, 1b
  lda $16, 7
  call_pal CALL_PAL_SWPIPL
  ret $31, ($26), 1

/* To a copy of this process with an ASN of its own, which calls leaf on a stack of its own, and back. */
  function change_process
  lda $30, -16($30)
  stq $26, 0($30)
  lda $5, other_stack
  copy_process other_process, $5, 5
  bsr $26, switch_to
  ldq $26, 0($30)
  lda $30, 16($30)
  ret $31, ($26), 1

/* Comes back in the process whose block is at physical $16, from the call that it has made there itself. */
  function switch_to
  lda $30, -16($30)
  stq $26, 0($30)
  call_pal CALL_PAL_SWPCTX
  ldq $26, 0($30)
  lda $30, 16($30)
  ret $31, ($26), 1

  function other_begins
  bsr $26, leaf
  ldiq $16, FW_HWPCB_PA
  bsr $26, switch_to
  halt

  function on_breakpoint
  call_pal CALL_PAL_RTI

  function on_system_call
  call_pal CALL_PAL_RTI

/* Any interrupt: counted, and the clock chip is told so that it asks again. */
  function on_interrupt
  lda $4, interrupts
  ldq $5, 0($4)
  addq $5, 1, $5
  stq $5, 0($4)
  lda $5, 0x0c
  stb $5, 0($12)
  ldbu $5, 1($12)
  call_pal CALL_PAL_RTI

  .data
  .balign 128
other_process:
  .skip 128
counter:
  .quad 0
interrupts:
  .quad 0
  .skip 1024
other_stack:
  .quad other_begins  /* where its call of switch_to returns to */
  .skip 8

  .section .note.GNU-stack, "", @progbits
