/* A guest that stands still for ever in PALcode's WTINT, for tests of what is told about it. */
  .set noat
  .arch ev67
  .section .text.start, "ax"
  .globl _start
  .ent _start
_start:
  lda $16, 7
  call_pal 0x35        /* swpipl */
idle:
  lda $16, 0
  call_pal 0x3e        /* wtint */
  br idle
  .end _start
