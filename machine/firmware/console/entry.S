/* Entry points of the console callbacks: what the CRB of the HWRPB points to.
 *
 * Linked at the KSEG address of FW_CONSOLE_PA, where kernel mode reaches it whatever page tables
 * are in force; so FIXUP, which announces a new virtual address, has nothing to adjust.
 *
 * Callers use the OpenVMS Calling Standard: arguments in R16-R21, result in R0, R2-R15 and R29
 * preserved. The C code behind preserves R9-R15 only. */

#include "machine/firmware/console_layout.h"
#include "machine/firmware/firmware_layout.h"

#define FRAME 80

/* Texts, which only the console with disks has, are found by the global pointer. */
        .macro  LOAD_GP
#ifdef ISOCHRON_CONSOLE_DISKS
        br      $28, .Lgp\@
.Lgp\@:
        ldgp    $29, 0($28)
#endif
        .endm

        .macro  CALL routine
#ifdef ISOCHRON_CONSOLE_DISKS
        bsr     $26, \routine !samegp
#else
        bsr     $26, \routine
#endif
        .endm

        .set    noreorder
        .set    noat
        .section .text.entry, "ax"
        .globl  _start
_start:
        .quad   8                       /* null-frame procedure */
        .quad   dispatch
        .org    CONSOLE_FIXUP_DESCRIPTOR
        .quad   8
        .quad   fixup
        .org    CONSOLE_BOOT_ENTRY
#ifdef ISOCHRON_CONSOLE_DISKS
/* Where the machine starts: reads the primary bootstrap and starts it as SRM would have left
   things: at the start of its memory, on an empty stack. */
        LOAD_GP
        CALL    ConsoleBoot
        .long   0x86                    /* imb */
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,28,29
        bis     $31, $31, $\n
        .endr
        ldah    $27, FW_BOOTSTRAP_VA >> 16($31)
        jmp     $31, ($27), 0
#endif

dispatch:
        lda     $30, -FRAME($30)
        stq     $26, 0($30)
        stq     $29, 8($30)
        stq     $2, 16($30)
        stq     $3, 24($30)
        stq     $4, 32($30)
        stq     $5, 40($30)
        stq     $6, 48($30)
        stq     $7, 56($30)
        stq     $8, 64($30)
        LOAD_GP
        CALL    ConsoleDispatch
        ldq     $26, 0($30)
        ldq     $29, 8($30)
        ldq     $2, 16($30)
        ldq     $3, 24($30)
        ldq     $4, 32($30)
        ldq     $5, 40($30)
        ldq     $6, 48($30)
        ldq     $7, 56($30)
        ldq     $8, 64($30)
        lda     $30, FRAME($30)
        ret     $31, ($26), 1

fixup:
        bis     $31, $31, $0
        ret     $31, ($26), 1
