/* The start of a boot program, on the stack of whoever starts it, and its way to the console. */
  .set noat
  .section .text.start, "ax"
  .globl _start
  .ent _start
_start:
  br $27, 1f
1:
  ldgp $29, 0($27)
  mov $30, $16
  jsr $26, boot_main
  call_pal 0                            /* halt */
  .end _start

/* u64 dispatch(function, a1, a2, a3, a4): through the procedure descriptor that the CRB names. */
  .text
  .globl dispatch
  .ent dispatch
dispatch:
  .prologue 0
  lda $30, -16($30)
  stq $26, 0($30)
  ldah $1, 0x1000($31)                  /* HWRPB */
  ldq $2, 192($1)                       /* offset of the CRB */
  addq $1, $2, $1
  ldq $27, 0($1)                        /* DISPATCH's descriptor */
  ldq $1, 8($27)
  jsr $26, ($1)
  ldq $26, 0($30)
  lda $30, 16($30)
  ret $31, ($26), 1
  .end dispatch

  .section .note.GNU-stack, "", @progbits
