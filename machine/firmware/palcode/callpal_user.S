/* Unprivileged CALL_PAL functions: 64 bytes each from PAL_BASE + 0x3000, functions 0x80 to 0xbf.
   In: p23 the PC behind the CALL_PAL. */

        .text   0

        .macro  UNPRIVILEGED function
        .org    0x3000 + 64 * ((\function) - 0x80)
        .endm

/* A trap of entIF that pushes the PC behind the CALL_PAL. */
        .macro  SOFTWARE_TRAP code
        bis     p23, p23, p21
        lda     p4, \code(zero)
        br      zero, instruction_fault
        .endm

/* bpt */
        UNPRIVILEGED 0x80
        SOFTWARE_TRAP IF_BPT

/* bugchk */
        UNPRIVILEGED 0x81
        SOFTWARE_TRAP IF_BUGCHK

        UNDEFINED 0x3000, 0x02, 0x02

/* callsys: entSys in kernel mode; v0, a0 to a5 go through, the frame holds PS, PC and GP. From
   kernel mode it does the same on the stack in use. Hot. */
        UNPRIVILEGED 0x83
        bis     p23, p23, p21
        and     p22, PS_USER, p4
        beq     p4, callsys_push
        hw_stq/p sp, I_USP(p20)
        hw_ldq/p sp, I_KSP(p20)
        MTPR(zero, IPR_CM)
callsys_push:
        lda     sp, -FRAME_SIZE(sp)
        stq     p22, FRAME_PS(sp)
        stq     p21, FRAME_PC(sp)
        stq     gp, FRAME_GP(sp)
        DISPATCH I_ENT_SYS

        UNDEFINED 0x3000, 0x04, 0x05

/* imb: instruction memory is coherent in this machine; the chip's cache is flushed for form. */
        UNPRIVILEGED 0x86
        mb
        MTPR(zero, IPR_IC_FLUSH)
        hw_ret/stall (p23)

        UNDEFINED 0x3000, 0x07, 0x11

/* urti: back from a trap that the operating system let the program handle. */
        UNPRIVILEGED 0x92
        br      zero, urti

        UNDEFINED 0x3000, 0x13, 0x1d

/* rdunique. Hot. */
        UNPRIVILEGED 0x9e
        hw_ldq/p p4, I_PCBB(p20)
        hw_ldq/p v0, PCB_UNIQUE(p4)
        hw_ret  (p23)

/* wrunique: a0. */
        UNPRIVILEGED 0x9f
        hw_ldq/p p4, I_PCBB(p20)
        hw_stq/p a0, PCB_UNIQUE(p4)
        hw_ret  (p23)

        UNDEFINED 0x3000, 0x20, 0x29

/* gentrap: a0 the trap's code, in the frame. */
        UNPRIVILEGED 0xaa
        SOFTWARE_TRAP IF_GENTRAP

        UNDEFINED 0x3000, 0x2b, 0x2d

/* clrfen: floating-point enable off, here and in the HWPCB. */
        UNPRIVILEGED 0xae
        hw_ldq/p p5, I_PCBB(p20)
        hw_ldq/p p6, PCB_FEN(p5)
        bic     p6, 1, p6
        hw_stq/p p6, PCB_FEN(p5)
        MTPR(zero, IPR_PCTX_FPE)
        hw_ret  (p23)

        UNDEFINED 0x3000, 0x2f, 0x3f

        .org    0x4000

        .text   1

/* Pops AT, SP, PS, PC, GP, a0, a1 and a2 from the user stack. Opcode reserved unless in user mode,
   SP a multiple of 64 and the PS in the frame is user mode, IPL 0. The frame is in one page: when
   the first load has succeeded, none can miss. */
urti:
        and     p22, PS_USER, p4
        beq     p4, callpal_opcdec
        and     sp, 63, p4
        bne     p4, callpal_opcdec
        subq    p23, 4, p21             // for a fault: memory.S pushes p21
        hw_stq/p p23, I_ARG0(p20)
        ldq     p7, URTI_PS(sp)
        hw_ldq/p p23, I_ARG0(p20)
        and     p7, 0xf, p7
        xor     p7, PS_USER, p7
        bne     p7, callpal_opcdec
        ldq     at, URTI_AT(sp)
        ldq     p21, URTI_PC(sp)
        ldq     gp, URTI_GP(sp)
        ldq     a0, URTI_A0(sp)
        ldq     a1, URTI_A1(sp)
        ldq     a2, URTI_A2(sp)
        ldq     sp, URTI_SP(sp)
        bic     p21, 3, p21
        CLEAR_FLAGS
        hw_ret  (p21)
