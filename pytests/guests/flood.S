/* A guest that keeps its machine as busy as it can. The first key, or KEY where that is defined, says how; a second one
   powers off where it is looked at:
     i  interrupts: PALcode's handler is replaced by one that returns at once, so that nothing but interrupts happens
     v  the same with another set of software interrupts, at another distance, each time
     c  both UARTs send random bytes, in turn
     r  resets
     e  exceptions: an instruction that there is not, and a handler that returns to it
     m  machine checks: the same with a load from where nothing is
     s  stores, nothing but stores, that change the page that they are in
     l  a loop that does nothing else
     w  waits, and nothing ever ends it */
#include "pytests/guests/board.inc"

#define KSEG 0xfffffc0000000000
#define PAL_ENTRY(offset) (KSEG + FW_PAL_BASE + (offset))

#define uart $9
#define other $10

  begin_kernel
  ldiq uart, UART
  lda other, -UART_DISTANCE(uart)
  lda $1, 1
  stb $1, 2(uart)      /* FCR: FIFOs on */
  stb $1, 2(other)
  ldiq $4, 0x5851f42d4c957f2d
  lda $1, 0xb
  stb $1, 4(uart)      /* MCR: DTR, RTS, and OUT2, which lets interrupts through */
  mb
#ifdef KEY
  lda $2, KEY
#else
1:
  ldbu $1, 5(uart)
  blbc $1, 1b          /* LSR: data ready */
  ldbu $2, 0(uart)
#endif
  cmpeq $2, 'c', $1
  bne $1, console
  cmpeq $2, 'r', $1
  bne $1, reset
  cmpeq $2, 'l', $1
  bne $1, loop
  cmpeq $2, 's', $1
  bne $1, stores
  cmpeq $2, 'w', $1
  bne $1, wait
  lda $11, again
  lda $12, exceptions
  ldiq $13, PAL_ENTRY(0x400)  /* OPCDEC */
  cmpeq $2, 'e', $1
  bne $1, replace
  lda $12, checks
  ldiq $13, PAL_ENTRY(0x500)  /* MCHK */
  cmpeq $2, 'm', $1
  bne $1, replace
  lda $12, interrupts
  ldiq $13, PAL_ENTRY(0x680)  /* INTERRUPT */
  lda $11, constant
  cmpeq $2, 'i', $1
  bne $1, replace
  lda $11, varying
  cmpeq $2, 'v', $1
  bne $1, replace
  lda $1, 1
  br power
reset:
  lda $1, 2
power:
  request_power power

console:
  ldbu $1, 5(uart)
  and $1, 0x20, $1
  beq $1, console
  mulq $3, $4, $3
  addq $3, 1, $3
  srl $3, 56, $1
  stb $1, 0(uart)
2:
  ldbu $1, 5(other)
  and $1, 0x20, $1
  beq $1, 2b
  srl $3, 48, $1
  stb $1, 0(other)
  br console

loop:
  br loop

wait:
  lda $16, 7
  call_pal CALL_PAL_SWPIPL
1:
  call_pal CALL_PAL_WTINT
  br 1b

exceptions:
  .long 0x01 << 26
  br exceptions

checks:
  ldiq $2, KSEG + (1 << 38)
1:
  ldq $1, 0($2)
  br 1b

/* Each store drops what an engine knows of the code behind it. */
stores:
  br $5, 1f
1:
  ldl $1, 0($5)
2:
  .rept 256
  stl $1, 0($5)
  .endr
  br 2b

/* Copies the handler at $11 over PALcode's at $13 and goes to $12. */
replace:
  lda $3, 12
1:
  ldl $1, 0($11)
  stl $1, 0($13)
  lda $11, 4($11)
  lda $13, 4($13)
  subq $3, 1, $3
  bne $3, 1b
  mb
  call_pal CALL_PAL_IMB
  jmp ($12)

/* Lets the transmitter ask for an interrupt, which nobody ever serves. */
interrupts:
  lda $1, 2
  stb $1, 1(uart)      /* IER: transmitter empty */
  mb
  /* The 8259s have been initialised by firmware: unmask IRQ 4. And DIM0<55> lets the bridge through. */
  ldiq $2, KSEG_IO + 0x1fc000021
  stb $31, 0($2)
  ldiq $2, KSEG_IO + 0x1a0000200
  lda $1, 1
  sll $1, 55, $1
  stq $1, 0($2)
  mb
  lda $16, 0
  call_pal CALL_PAL_SWPIPL
1:
  br 1b
  .end _start

/* The handlers, in PALmode. $23 is what the CALL_PAL returned to. */
#define IPR_EXC_ADDR 0x0600
#define IPR_IER 0x0a10
#define IPR_SIRR 0x0c10
again:
  hw_mfpr $23, IPR_EXC_ADDR
  hw_ret ($23)
constant:
  hw_ret ($23)
varying:
  addq $4, $23, $4
  sll $4, 13, $5
  xor $4, $5, $4
  srl $4, 7, $5
  xor $4, $5, $4
  hw_mtpr $4, IPR_SIRR
  lda $7, -1
  hw_mtpr $7, IPR_IER
  and $4, 7, $6
1:
  subq $6, 1, $6
  bgt $6, 1b
  hw_ret ($23)

#ifdef BYTES
  .bss
  .space BYTES
#endif

  .section .note.GNU-stack, "", @progbits
