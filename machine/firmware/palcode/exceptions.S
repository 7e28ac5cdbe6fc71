/* Unaligned references, arithmetic traps and instruction faults. */

        .text   1

/* In: p5 EXC_SUM, p6 VA, p7 MM_STAT, p23 the PC.
   entUna: a0 the address, a1 opcode, a2 register. */
unaligned:
        hw_stq/p p6, I_ARG0(p20)
        DISMISS_PREFETCH
        srl     p7, 4, p7
        and     p7, 0x3f, p7
        hw_stq/p p7, I_ARG1(p20)
        srl     p5, 8, p5
        and     p5, 0x1f, p5
        hw_stq/p p5, I_ARG2(p20)
        addq    p23, 4, p21
        PUSH_FRAME
        hw_ldq/p a0, I_ARG0(p20)
        hw_ldq/p a1, I_ARG1(p20)
        hw_ldq/p a2, I_ARG2(p20)
        DISPATCH I_ENT_UNA

/* In: p5 EXC_SUM, p21 the PC.
   entArith: a0 exception summary, a1 register write mask (R0 to R31, F0 to F31). */
arithmetic_trap:
        addq    p21, 4, p21
        and     p5, 0x7f, p4
        hw_stq/p p4, I_ARG0(p20)
        srl     p5, 8, p4
        and     p4, 0x1f, p4            // EXC_SUM<REG>
        and     p5, 0x80, p5            // EXC_SUM<INT>
        xor     p5, 0x80, p5
        srl     p5, 2, p5               // 32 for a floating-point register
        addq    p4, p5, p4
        lda     p5, 1(zero)
        sll     p5, p4, p5
        hw_stq/p p5, I_ARG1(p20)
        PUSH_FRAME
        hw_ldq/p a0, I_ARG0(p20)
        hw_ldq/p a1, I_ARG1(p20)
        DISPATCH I_ENT_ARITH

/* CALL_PAL of a function that there is not. In: p23 the PC behind it. */
callpal_opcdec:
        bis     p23, p23, p21
        lda     p4, IF_OPDEC(zero)

/* In: p4 the code of entIF, p21 the PC to push. */
instruction_fault:
        hw_stq/p p4, I_ARG0(p20)
        PUSH_FRAME
        hw_ldq/p a0, I_ARG0(p20)
        DISPATCH I_ENT_IF
