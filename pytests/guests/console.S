/* A guest that answers on the console, for tests of the program around it. It prints "ready" and a line
   break, then obeys keys:
     q  powers off          r  asks for a reset      f  makes PALcode stop for good
     l  prints lines without end
   Every other key is printed as two hexadecimal digits in brackets. */
#include "pytests/guests/board.inc"

#define uart $9
#define key $10

  .arch ev67
  begin_kernel
  ldiq uart, UART
  switch_on uart
  lda $16, ready
  bsr $26, print

next:
  ldbu $1, 5(uart)
  blbc $1, next        /* LSR: data ready */
  ldbu key, 0(uart)
  cmpeq key, 'q', $1
  bne $1, quit
  cmpeq key, 'r', $1
  bne $1, reset
  cmpeq key, 'f', $1
  bne $1, fatal
  cmpeq key, 'l', $1
  bne $1, lines
  lda $16, '['
  bsr $26, put
  srl key, 4, $16
  bsr $26, put_digit
  and key, 15, $16
  bsr $26, put_digit
  lda $16, ']'
  bsr $26, put
  br next

lines:
  lda $16, line
  bsr $26, print
  br lines

quit:
  lda $1, 1
  br power
reset:
  lda $1, 2
  br power
fatal:
  lda $1, 3
power:
  bsr $26, drain
  request_power power

/* Waits until everything printed has left. */
drain:
  ldbu $3, 5(uart)
  and $3, 0x40, $3
  beq $3, drain
  ret $31, ($26)

  print_routine $11, $12
  put_digit_routine
/* Prints the byte in $16. */
put:
  ldbu $1, 5(uart)
  and $1, 0x20, $1
  beq $1, put
  stb $16, 0(uart)
  mb
  ret $31, ($26)
  .end _start

  .section .rodata
ready:
  .asciz "ready\r\n"
line:
  .asciz "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\r\n"

  .section .note.GNU-stack, "", @progbits
