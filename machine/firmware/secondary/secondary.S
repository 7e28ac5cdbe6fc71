/* What CPUs other than the primary do until the operating system starts them: they look for its
   START in their receive buffers (Alpha Architecture Reference Manual, console interface, 3.4.1).

   Kernel mode, IPL 7, on the boot stack, which is not used; linked at the KSEG address of
   FW_SECONDARY_PA. Loaded when there is more than one CPU. */

#include "machine/firmware/firmware_layout.h"

#define PAL_SWPCTX      0x30
#define PAL_WRVPTPTR    0x2d
#define PAL_WHAMI       0x3c

#define HWRPB_VPTB      120
#define HWRPB_SLOT_SIZE 152
#define HWRPB_SLOTS     160
#define HWRPB_RESTART   256     /* routine and its argument */
#define HWRPB_RXRDY     296     /* a bit a CPU: its receive buffer is full */
#define SLOT_FLAGS      128
#define SLOT_RXLEN      296     /* bytes, a longword; text from the next quadword on */
#define SLOT_RXTEXT     304

#define BOOTSTRAP_IN_PROGRESS 1

/* Cycles between two looks: some tenths of a millisecond. */
#define NAP             0x40000

        .set    noreorder
        .set    noat
        .text
        .globl  _start
_start:
        call_pal PAL_WHAMI
        bis     $0, $0, $9              // which CPU this is
        lda     $10, -1($31)
        sll     $10, 42, $10            // KSEG
        ldah    $11, FW_HWRPB_PA >> 16($10)     // the HWRPB
        ldq     $12, HWRPB_SLOT_SIZE($11)
        mulq    $12, $9, $12
        ldq     $1, HWRPB_SLOTS($11)
        addq    $12, $1, $12
        addq    $12, $11, $12           // this CPU's slot
        // KSEG has bit 40 of an address for bits 43 to 41 (HRM section 5.3.9, VA<47:41> 7E).
        lda     $13, (FW_PLATFORM_PA >> 32) - 0x800 + 0x100($31)
        sll     $13, 32, $13
        ldah    $1, (FW_PLATFORM_PA >> 16) & 0x7fff($31)
        addq    $13, $1, $13
        addq    $13, $10, $13           // the platform device
        lda     $14, 1($31)
        sll     $14, $9, $14            // this CPU's bit

look:
        ldah    $1, NAP >> 16($31)
        stq     $1, FW_PLATFORM_NAP($13)
        mb
        ldq     $1, HWRPB_RXRDY($11)
        and     $1, $14, $1
        beq     $1, look

        mb
        ldl     $2, SLOT_RXLEN($12)
        ldq     $3, SLOT_RXTEXT($12)
taken:
        ldq_l   $1, HWRPB_RXRDY($11)
        bic     $1, $14, $1
        stq_c   $1, HWRPB_RXRDY($11)
        beq     $1, taken
        cmplt   $2, 5, $2
        bne     $2, look
        zapnot  $3, 0x1f, $3            // "START", the first letter in the lowest byte
        br      $4, compare
        .quad   0x0000005452415453
compare:
        ldq     $4, 0($4)
        cmpeq   $3, $4, $3
        beq     $3, look

started:
        ldq_l   $1, SLOT_FLAGS($12)
        bis     $1, BOOTSTRAP_IN_PROGRESS, $1
        stq_c   $1, SLOT_FLAGS($12)
        beq     $1, started
        mb
        ldq     $16, HWRPB_VPTB($11)
        call_pal PAL_WRVPTPTR
        subq    $12, $10, $16           // its HWPCB is the first thing in the slot
        call_pal PAL_SWPCTX
        ldq     $27, HWRPB_RESTART + 8($11)
        ldq     $1, HWRPB_RESTART($11)
        jmp     $31, ($1)
