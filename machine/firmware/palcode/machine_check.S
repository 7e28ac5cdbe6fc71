/* Machine checks: logout frame, entInt type 2. A second one before the operating system has cleared
   MCES<MIP> stops the machine. */

        .text   1

/* MCHK from native mode. In: p21 the PC. */
machine_check:
        PUSH_FRAME
        lda     a1, SCB_PROC_MCHK(zero)
        lda     a0, MCHK_PROC_HARD(zero)
        hw_ldq/p p4, I_CCHIP(p20)
        hw_ldq/p p4, CCHIP_MISC(p4)
        srl     p4, MISC_V_NXM, p4
        blbc    p4, deliver_machine_check
        lda     a1, SCB_SYS_MCHK(zero)
        lda     a0, MCHK_SYS_NXM(zero)

/* In: frame pushed, a0 machine check code, a1 vector, p21 the PC of the event. */
deliver_machine_check:
        hw_ldq/p p4, I_MCES(p20)
        blbs    p4, halt_double_error
        bis     p4, MCES_MIP, p4
        hw_stq/p p4, I_MCES(p20)

        lda     a2, I_LOGOUT(p20)
        lda     p4, LF_END(zero)
        hw_stl/p p4, LF_SIZE(a2)
        hw_stl/p zero, LF_FLAGS(a2)
        lda     p4, LF_I_STAT(zero)
        hw_stl/p p4, LF_CPU_OFFSET(a2)
        lda     p4, LF_SYSTEM(zero)
        hw_stl/p p4, LF_SYS_OFFSET(a2)
        hw_stl/p a0, LF_CODE(a2)
        lda     p4, 1(zero)
        hw_stl/p p4, LF_REVISION(a2)
        MFPR(p4, IPR_I_STAT)
        hw_stq/p p4, LF_I_STAT(a2)
        MFPR(p4, IPR_DC_STAT)
        hw_stq/p p4, LF_DC_STAT(a2)
        MFPR(p4, IPR_MM_STAT)
        hw_stq/p p4, LF_MM_STAT(a2)
        hw_stq/p p21, LF_EXC_ADDR(a2)
        MFPR(p4, IPR_IER_CM)
        hw_stq/p p4, LF_IER_CM(a2)
        MFPR(p4, IPR_ISUM)
        hw_stq/p p4, LF_ISUM(a2)
        MFPR(p4, IPR_PAL_BASE)
        hw_stq/p p4, LF_PAL_BASE(a2)
        MFPR(p4, IPR_I_CTL)
        hw_stq/p p4, LF_I_CTL(a2)
        MFPR(p4, IPR_PCTX_ALL)
        hw_stq/p p4, LF_PCTX(a2)

        // The system part. What has been logged is cleared, as the chip's sample PALcode clears what it
        // logs: neither NetBSD nor Linux clears NXM or all of PERROR, and a cause that stands would be
        // a second machine check as soon as the IPL drops.
        hw_ldq/p p4, I_DIR(p20)
        hw_ldq/p p4, 0(p4)
        hw_stq/p p4, LF_DIR(a2)
        hw_ldq/p p5, I_CCHIP(p20)
        hw_ldq/p p4, CCHIP_MISC(p5)
        hw_stq/p p4, LF_MISC(a2)
        lda     p6, 1(zero)
        sll     p6, MISC_V_NXM, p6
        and     p4, p6, p4
        hw_stq/p p4, CCHIP_MISC(p5)
        LOADQ   p5, PCHIP_PERROR_PA
        hw_ldq/p p4, 0(p5)
        hw_stq/p p4, LF_PERROR0(a2)
        hw_stq/p zero, LF_PERROR1(a2)
        lda     p6, PERROR_BITS(zero)
        and     p4, p6, p4
        hw_stq/p p4, 0(p5)
        cmpult  zero, p4, p4
        hw_stq/p p4, LF_FLAGS_SYSTEM(a2)

        lda     p4, -1(zero)
        sll     p4, 42, p4              // KSEG
        addq    a2, p4, a2
        lda     a0, INT_TYPE_MCHK(zero)
        hw_ldq/p gp, I_KGP(p20)
        hw_ldq/p p21, I_ENT_INT(p20)
        lda     p22, IPL_ERROR(zero)
        br      zero, deliver_interrupt
