/* A kernel of one page: it prompts, sends back what is typed in capitals, and halts at Ctrl-D. */
#define UART 0xfffffd01fc0003f8 /* COM1, a 16550A, through KSEG */

  .set noat
  .arch ev67
  .text
  .globl _start
  .ent _start
_start:
  br $27, 1f
1:
  ldgp $29, 0($27)
  ldiq $9, UART
  lda $1, 3
  stb $1, 4($9) /* MCR: DTR and RTS let the other side send */
  lda $16, prompt
2:
  ldbu $17, 0($16)
  beq $17, next
  bsr $26, put
  lda $16, 1($16)
  br 2b

next:
  ldbu $1, 5($9) /* LSR */
  blbc $1, next  /* until a key is there */
  ldbu $17, 0($9)
  cmpeq $17, 4, $1
  bne $1, end
  subq $17, 'a', $1
  cmpult $1, 26, $1
  sll $1, 5, $1
  subq $17, $1, $17 /* capital letters are 32 lower */
  bsr $26, put
  br next

end:
  call_pal 0 /* HALT */

/* Sends the byte in $17. */
put:
  ldbu $1, 5($9)
  and $1, 0x20, $1
  beq $1, put /* until the transmitter is free */
  stb $17, 0($9)
  mb
  ret $31, ($26), 1
  .end _start

  .section .rodata
prompt:
  .asciz "capitals> "
