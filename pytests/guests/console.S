/* A guest that answers on the console, for tests of the program around it. It prints "ready" and a line
   break, then obeys keys:
     q  powers off          r  asks for a reset      f  makes PALcode stop for good
     l  prints lines without end
   Every other key is printed as two hexadecimal digits in brackets. */
#include "machine/firmware/firmware_layout.h"

/* KSEG addresses of I/O space: the board ignores physical address bits <42:35> there. */
#define KSEG_IO 0xfffffd0000000000
#define PLATFORM (KSEG_IO + (FW_PLATFORM_PA & 0x7ffffffff))
#define UART (KSEG_IO + 0x1fc0003f8)

#define uart $9
#define key $10

  .set noat
  .arch ev67
  .section .text.start, "ax"
  .globl _start
  .ent _start
_start:
  br $27, 1f
1:
  ldgp $29, 0($27)
  ldiq uart, UART
  lda $1, 1
  stb $1, 2(uart)      /* FCR: FIFOs on */
  lda $1, 3
  stb $1, 4(uart)      /* MCR: DTR and RTS */
  mb
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
  ldiq $2, PLATFORM + FW_PLATFORM_POWER
  stq $1, 0($2)
  mb
  br power

/* Waits until everything printed has left. */
drain:
  ldbu $3, 5(uart)
  and $3, 0x40, $3
  beq $3, drain
  ret $31, ($26)

/* Prints the text at $16, which ends in a zero byte. */
print:
  mov $26, $12
  mov $16, $11
2:
  ldbu $16, 0($11)
  beq $16, 3f
  bsr $26, put
  addq $11, 1, $11
  br 2b
3:
  ret $31, ($12)

put_digit:
  cmplt $16, 10, $1
  addq $16, '0', $16
  bne $1, put
  addq $16, 'a' - '0' - 10, $16
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
