/* A guest that tells on each UART what arrives there, for tests of both UARTs and of breaks. It prints "ready" and a line
   break on both; then for each character, on the UART where it came, the error bits of LSR and the byte, as two
   hexadecimal numbers in angle brackets: <00:61> is an "a", <18:00> a break. A "q" powers off. */
#include "pytests/guests/board.inc"

#define uart $9
#define byte $10
#define errors $11
/* Error bits of the next character: reading LSR clears them, and so does waiting for the transmitter. Of this UART, and of
   the other. */
#define seen $14
#define other_seen $15

  .arch ev67
  begin_kernel
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
  request_power quit

begin:
  switch_on uart
  lda $16, ready
  print_routine $13, $12

/* Prints the byte in $16 in hexadecimal. */
put_hex:
  mov $26, $12
  mov $16, $13
  srl $13, 4, $16
  bsr $26, put_digit
  and $13, 15, $16
  bsr $26, put_digit
  ret $31, ($12)

  put_digit_routine
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
