/* u64 prom_dispatch(function, a1, a2, a3, a4, descriptor): see prom.h. The console keeps R2 to R15
   (OpenVMS Calling Standard), so the stack pointer can wait at the top of the console's stack. */
  .set noat
  .text
  .align 4
  .globl prom_dispatch
  .ent prom_dispatch
prom_dispatch:
  .prologue 0
  lda $30, -16($30)
  stq $26, 0($30)
  ldah $1, 0x2000($31)
  lda $1, 0x1ff8($1)
  stq $30, 0($1)
  mov $1, $30
  mov $21, $27
  ldq $0, 8($27)
  jsr $26, ($0)
  ldq $30, 0($30)
  ldq $26, 0($30)
  lda $30, 16($30)
  ret $31, ($26), 1
  .end prom_dispatch

  .section .note.GNU-stack, "", @progbits
