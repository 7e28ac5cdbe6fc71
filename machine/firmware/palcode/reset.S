/* From power-on to the kernel's first instruction. */

        .text   1

/* The CPU arrives in PALmode, shadow registers off, TLBs in any state. Reads the boot parameters at
   the start of this CPU's impure page (firmware_layout.h). */
cold_start:
        // The architectural R4-R7 and R20-R23, while their numbers still mean them.
        bis     zero, zero, $4
        bis     zero, zero, $5
        bis     zero, zero, $6
        bis     zero, zero, $7
        bis     zero, zero, $20
        bis     zero, zero, $21
        bis     zero, zero, $22
        bis     zero, zero, $23

        LOADQ   $0, I_CTL_VALUE
        MTPR($0, IPR_I_CTL)             // from here on shadow registers

        LOADQ   p4, FW_PAL_BASE
        MTPR(p4, IPR_PAL_BASE)
        MTPR(zero, IPR_IER_CM)
        MTPR(zero, IPR_SIRR)
        lda     p4, -1(zero)
        MTPR(p4, IPR_HW_INT_CLR)
        MTPR(zero, IPR_PCTR_CTL)
        MTPR(zero, IPR_PCTX_ALL)
        MTPR(zero, IPR_ITB_IA)
        MTPR(zero, IPR_DTB_IA)
        MTPR(zero, IPR_IC_FLUSH)
        MTPR(zero, IPR_DTB_ASN0)
        MTPR(zero, IPR_DTB_ASN1)
        MTPR(zero, IPR_DTB_ALTMODE)
        lda     p4, M_CTL_VALUE(zero)
        MTPR(p4, IPR_M_CTL)
        lda     p4, DC_CTL_VALUE(zero)
        MTPR(p4, IPR_DC_CTL)
        LOADQ   p4, CC_ENABLE
        MTPR(p4, IPR_CC_CTL)
        MTPR(zero, IPR_CC)

        // The impure area: found by the number that the Cchip gives whoever asks.
        LOADQ   p5, CCHIP_PA
        hw_ldq/p p7, CCHIP_MISC(p5)
        and     p7, 3, p7
        LOADQ   p20, FW_IMPURE_BASE
        LOADQ   p6, FW_IMPURE_SIZE
        mulq    p7, p6, p6
        addq    p20, p6, p20
        lda     p4, FW_BOOT_SIZE(p20)
        lda     p6, (I_END - FW_BOOT_SIZE) / 8(zero)
1:      hw_stq/p zero, 0(p4)
        lda     p4, 8(p4)
        subq    p6, 1, p6
        bne     p6, 1b

        hw_stq/p p7, I_WHAMI(p20)
        hw_stq/p p5, I_CCHIP(p20)
        LOADQ   p4, PCHIP_IACK_PA
        hw_stq/p p4, I_IACK(p20)
        LOADQ   p4, FW_PLATFORM_PA
        hw_stq/p p4, I_PLATFORM(p20)
        LOADQ   p4, I_CTL_VALUE
        hw_stq/p p4, I_I_CTL(p20)
        lda     p4, 1 << MISC_V_ITINTR(zero)
        sll     p4, p7, p4
        hw_stq/p p4, I_ITINTR(p20)
        lda     p4, 1 << MISC_V_IPINTR(zero)
        sll     p4, p7, p4
        hw_stq/p p4, I_IPINTR(p20)
        and     p7, 1, p4               // DIR0 280, DIR1 2C0, DIR2 680, DIR3 6C0
        sll     p4, 6, p4
        addq    p5, p4, p5
        and     p7, 2, p4
        sll     p4, 9, p4
        addq    p5, p4, p5
        lda     p5, CCHIP_DIM0 + CCHIP_DIR_DIM(p5)
        hw_stq/p p5, I_DIR(p20)

        // IER by IPL. IPL 7 leaves nothing enabled.
        LOADQ   p4, INT_ERROR
        hw_stq/p p4, I_IER + 8*6(p20)
        LOADQ   p5, INT_IPI | INT_PERF
        bis     p4, p5, p4
        hw_stq/p p4, I_IER + 8*5(p20)
        LOADQ   p5, INT_CLOCK
        bis     p4, p5, p4
        hw_stq/p p4, I_IER + 8*4(p20)
        hw_stq/p p4, I_IER + 8*3(p20)
        LOADQ   p5, INT_DEVICE
        bis     p4, p5, p4
        hw_stq/p p4, I_IER + 8*2(p20)
        hw_stq/p p4, I_IER + 8*1(p20)
        hw_stq/p p4, I_IER(p20)
        bis     p4, PS_USER, p4         // CM
        hw_stq/p p4, I_IER_CM_USER(p20)

        UNSET_ENTRY_POINTS
        lda     p22, 7(zero)            // PS: kernel mode, IPL 7

        // Floating-point state; the context loaded below decides about FEN.
        lda     p4, 4(zero)
        MTPR(p4, IPR_PCTX_FPE)
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
        cpys    $f31, $f31, $f\n
        .endr
        LOADQ   p4, FPCR_VALUE
        itoft   p4, $f0
        mt_fpcr $f0
        cpys    $f31, $f31, $f0

        // A CPU without an entry point waits for ever.
        hw_ldq/p p21, FW_BOOT_PC(p20)
        beq     p21, stand_still
        hw_ldq/p t0, FW_BOOT_VPTB(p20)
        WRITE_VPTB t0
        hw_ldq/p t0, FW_BOOT_PCBB(p20)
        LOAD_CONTEXT t0
        hw_ldq/p sp, FW_BOOT_SP(p20)

        .irp    n, 0,1,2,3,8,9,10,11,12,13,14,15,18,19,24,25,26,28,29
        bis     zero, zero, $\n
        .endr
        hw_ldq/p a0, FW_BOOT_FREE(p20)
        hw_ldq/p a1, FW_BOOT_PTB(p20)
        bic     p21, 3, p21
        bis     p21, p21, pv
        CLEAR_FLAGS
        hw_ret  (p21)
