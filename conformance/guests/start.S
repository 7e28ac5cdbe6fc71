/* Entry from the console: like a Linux kernel, a guest is entered in KSEG in kernel mode at IPL 7
   with OSF/1 PALcode active, and must find its own gp and stack. */
#include "pal.h"

  .set noat
  .section .text.start, "ax"
  .globl _start
  .ent _start
_start:
  br $27, 1f
1:
  ldgp $29, 0($27)
  lda $30, kernel_stack_top
  lda $1, boot_arguments
  stq $16, 0($1)
  stq $17, 8($1)
  jsr $26, runtime_main
  call_pal PAL_HALT
  .end _start

  .section .bss
  .align 3
  .globl boot_arguments
boot_arguments:
  .skip 16
  .align 13
  .globl kernel_stack
kernel_stack:
  .skip 32768
kernel_stack_top:

  .section .note.GNU-stack, "", @progbits
