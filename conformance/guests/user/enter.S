// Into a sequence and out of it.

#include "context.h"

#define RDUNIQUE 0x9e
#define WRUNIQUE 0x9f
#define S(n) (CONTEXT_SAVED + 8 * (n))

        .set noat
        .set noreorder
        .set nomacro
        .text
        .align 4

        .macro each_integer op
        .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,30
        \op $\n, CONTEXT_R + 8 * \n($29)
        .endr
        .endm
        .macro each_float op
        .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
        \op $f\n, CONTEXT_F + 8 * \n($29)
        .endr
        .endm
        .macro each_saved op, fop
        \op $9, S(0)($29)
        \op $10, S(1)($29)
        \op $11, S(2)($29)
        \op $12, S(3)($29)
        \op $13, S(4)($29)
        \op $14, S(5)($29)
        \op $15, S(6)($29)
        \op $26, S(7)($29)
        \op $30, S(9)($29)
        \fop $f2, S(10)($29)
        \fop $f3, S(11)($29)
        \fop $f4, S(12)($29)
        \fop $f5, S(13)($29)
        \fop $f6, S(14)($29)
        \fop $f7, S(15)($29)
        \fop $f8, S(16)($29)
        \fop $f9, S(17)($29)
        .endm

        .globl Enter
        .type Enter, @function
        .ent Enter
Enter:
        .frame $30, 0, $26
        .prologue 0
        mov $29, $1
        mov $16, $29
        stq $1, S(8)($29)
        each_saved stq, stt
        excb
        mf_fpcr $f0
        stt $f0, S(18)($29)
        call_pal RDUNIQUE
        stq $0, S(19)($29)
        ldq $16, CONTEXT_UNIQUE($29)
        call_pal WRUNIQUE
        ldt $f0, CONTEXT_FPCR($29)
        excb
        mt_fpcr $f0
        excb
        rc $0
        // STx_C without LDx_L fails in every sequence.
        stq_c $0, S(19)+8($29)
        each_float ldt
        each_integer ldq
        jmp $31, ($28)
        .end Enter

        .globl kLeave
        .globl kLeaveEnd
kLeave:
        trapb
        each_integer stq
        each_float stt
        excb
        mf_fpcr $f0
        excb
        stt $f0, CONTEXT_FPCR($29)
        call_pal RDUNIQUE
        stq $0, CONTEXT_UNIQUE($29)
        ldt $f0, S(18)($29)
        mt_fpcr $f0
        excb
        ldq $16, S(19)($29)
        call_pal WRUNIQUE
        each_saved ldq, ldt
        ldq $29, S(8)($29)
        ret $31, ($26)
kLeaveEnd:
        .section .note.GNU-stack, "", @progbits
