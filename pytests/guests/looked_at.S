/* A guest in which everything that can be asked about happens, a known number of times:
     add_up is called three times, writes `total` each time, and returns it;
     system calls 20 (with three arguments, returns 42) and 45 (fails with error 12) are made, each once;
     an unaligned load and a breakpoint are handled;
     another process's context, with ASN 5, is switched to and back;
     it waits until the clock chip interrupts it twice, and powers off. */
#include "pytests/guests/board.inc"

  .arch ev67
  begin_kernel
  mov $29, $16
  call_pal CALL_PAL_WRKGP
  set_entry 0, on_interrupt
  set_entry 3, on_fault
  set_entry 4, on_unaligned
  set_entry 5, on_system_call

  lda $9, 1
again:
  mov $9, $16
  s8addq $9, 0, $17
  lda $18, 3
  bsr $26, add_up
returned:
  addq $9, 1, $9
  cmple $9, 3, $1
  bne $1, again

  lda $0, 20
  lda $16, 1
  lda $17, 2
  lda $18, 3
first_system_call:
  call_pal CALL_PAL_CALLSYS
  lda $0, 45
  lda $16, 0x1000
second_system_call:
  call_pal CALL_PAL_CALLSYS

  lda $9, total
unaligned_load:
  ldq $1, 3($9)
breakpoint:
  call_pal CALL_PAL_BPT

  /* The other process: a copy of this one with an ASN of its own. */
  copy_process other_process, $30, 5
to_other:
  call_pal CALL_PAL_SWPCTX
  ldiq $16, FW_HWPCB_PA
back:
  call_pal CALL_PAL_SWPCTX

  /* The clock chip's periodic interrupt, 1024 times a second. */
  ldiq $1, RTC
  lda $2, 0x0a
  stb $2, 0($1)
  lda $2, 0x26
  stb $2, 1($1)
  lda $2, 0x0b
  stb $2, 0($1)
  lda $2, 0x42
  stb $2, 1($1)
  mb
  clr $16
  call_pal CALL_PAL_SWPIPL
  lda $9, interrupts
wait:
  call_pal CALL_PAL_WTINT
  ldq $1, 0($9)
  cmplt $1, 2, $1
  bne $1, wait
  lda $1, 1
power:
  request_power power

  .end _start

/* add_up(a0, a1, a2): adds the three to `total` and returns that. */
  .globl add_up
  .ent add_up
add_up:
  lda $1, total
  ldq $0, 0($1)
  addq $0, $16, $0
  addq $0, $17, $0
  addq $0, $18, $0
store:
  stq $0, 0($1)
  ret $31, ($26)
  .end add_up

on_system_call:
  cmpeq $0, 20, $1
  beq $1, 1f
  lda $0, 42
  clr $19
  call_pal CALL_PAL_RTI
1:
  lda $0, 12
  lda $19, 1
  call_pal CALL_PAL_RTI

on_unaligned:
  call_pal CALL_PAL_RTI
on_fault:
  call_pal CALL_PAL_RTI

/* Any interrupt: counted, and the clock chip is told so that it asks again. */
on_interrupt:
  lda $1, interrupts
  ldq $2, 0($1)
  addq $2, 1, $2
  stq $2, 0($1)
  ldiq $1, RTC
  lda $2, 0x0c
  stb $2, 0($1)
  ldbu $2, 1($1)
  call_pal CALL_PAL_RTI

  .data
  .balign 128
other_process:
  .skip 128
  .type total, @object
  .size total, 8
total:
  .quad 1000
  .skip 8
  .type interrupts, @object
  .size interrupts, 8
interrupts:
  .quad 0

  .section .note.GNU-stack, "", @progbits
