/* A guest that tells on each UART what arrives there, for tests of both UARTs and of breaks. It prints "ready" and a line
   break on both; then for each character, on the UART where it came, the error bits of LSR and the byte, as two
   hexadecimal numbers in angle brackets: <00:61> is an "a", <18:00> a break. A "q" powers off. */
#include "machine/firmware/firmware_layout.h"

/* KSEG addresses of I/O space: the board ignores physical address bits <42:35> there. */
#define KSEG_IO 0xfffffd0000000000
#define PLATFORM (KSEG_IO + (FW_PLATFORM_PA & 0x7ffffffff))
#define UART (KSEG_IO + 0x1fc0003f8)
#define UART_DISTANCE 0x100

#define uart $9
#define byte $10
#define errors $11
/* Error bits of the next character: reading LSR clears them, and so does waiting for the transmitter. Of this UART, and of
   the other. */
#define seen $14
#define other_seen $15

  .set noat
  .arch ev67
  .section .text.start, "ax"
  .globl _start
  .ent _start
_start:
  br $27, 1f
1:
  ldgp $29, 0($27)
  mov $31, seen
  mov $31, other_seen
  ldiq uart, UART
  bsr $26, begin
  lda uart, -UART_DISTANCE(uart)
  bsr $26, begin
next:
  ldiq $1, UART - UART_DISTANCE
  xor uart, $1, uart
  ldiq $2, UART
  xor uart, $2, uart   /* the other one */
  mov seen, $1
  mov other_seen, seen
  mov $1, other_seen
  ldbu errors, 5(uart)
  and errors, 0x1e, $1
  bis seen, $1, seen
  blbc errors, next    /* LSR: data ready */
  mov seen, errors
  mov $31, seen
  ldbu byte, 0(uart)
  cmpeq byte, 'q', $1
  bne $1, quit
  lda $16, '<'
  bsr $26, put
  mov errors, $16
  bsr $26, put_hex
  lda $16, ':'
  bsr $26, put
  mov byte, $16
  bsr $26, put_hex
  lda $16, '>'
  bsr $26, put
  br next

quit:
  ldbu $3, 5(uart)
  and $3, 0x40, $3
  beq $3, quit         /* until everything has left */
  lda $1, 1
  ldiq $2, PLATFORM + FW_PLATFORM_POWER
  stq $1, 0($2)
  mb
  br quit

begin:
  mov $26, $12
  lda $1, 1
  stb $1, 2(uart)      /* FCR: FIFOs on */
  lda $1, 3
  stb $1, 4(uart)      /* MCR: DTR and RTS */
  mb
  lda $13, ready
2:
  ldbu $16, 0($13)
  beq $16, 3f
  bsr $26, put
  addq $13, 1, $13
  br 2b
3:
  ret $31, ($12)

/* Prints the byte in $16 in hexadecimal. */
put_hex:
  mov $26, $12
  mov $16, $13
  srl $13, 4, $16
  bsr $26, put_digit
  and $13, 15, $16
  bsr $26, put_digit
  ret $31, ($12)

put_digit:
  cmplt $16, 10, $1
  addq $16, '0', $16
  bne $1, put
  addq $16, 'a' - '0' - 10, $16
/* Prints the byte in $16. */
put:
  ldbu $1, 5(uart)
  and $1, 0x1e, $2
  bis seen, $2, seen
  and $1, 0x20, $1
  beq $1, put
  stb $16, 0(uart)
  mb
  ret $31, ($26)
  .end _start

  .section .rodata
ready:
  .asciz "ready\r\n"

  .section .note.GNU-stack, "", @progbits
