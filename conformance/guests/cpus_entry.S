/* Where the console has a CPU go that was started: its stack is that of its HWPCB, $27 is cpu_entry. */
#include "pal.h"

  .set noat
  .text
  .globl cpu_entry
  .ent cpu_entry
cpu_entry:
  br $27, 1f
1:
  ldgp $29, 0($27)
  call_pal PAL_WHAMI
  mov $0, $16
  lda $1, cpu_body
  ldq $27, 0($1)
  jsr $26, ($27)
  call_pal PAL_HALT
  .end cpu_entry

  .section .note.GNU-stack, "", @progbits
