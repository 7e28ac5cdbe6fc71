/* Every way to stop: the halt is recorded in the CPU's HWRPB slot, then the platform device is told. */

        .text   1

/* A virtual access of PALmode itself failed: only the kernel stack is accessed that way.
   p21 is the PC that was being pushed or popped. */
stack_not_valid:
        lda     p7, HALT_KSP(zero)
        br      zero, halt_fatal

/* Exception or machine check in PALmode. In: p21 its PC. */
halt_pal:
        lda     p7, HALT_PAL(zero)
        br      zero, halt_fatal

halt_double_error:
        lda     p7, HALT_DOUBLE(zero)
        br      zero, halt_fatal

/* Where the entry points lead that the operating system has not set: two instructions each, in the
   order of wrent. The frame is pushed, a0 to a2 are the arguments of the entry point. */
no_entry:
        .irp    n, 0,1,2,3,4,5
        lda     p5, \n(zero)
        br      zero, halt_no_entry
        .endr
halt_no_entry:
        hw_stq/p p5, I_NO_ENTRY(p20)
        hw_stq/p a0, I_ARG0(p20)
        hw_stq/p a1, I_ARG1(p20)
        hw_stq/p a2, I_ARG2(p20)
        ldq     p21, FRAME_PC(sp)
        ldq     p22, FRAME_PS(sp)
        lda     p7, HALT_NO_ENTRY(zero)

/* In: p7 halt code, p21 the PC. */
halt_fatal:
        lda     p6, POWER_FATAL(zero)
        br      zero, halt_record

/* CALL_PAL HALT. In: p23 the PC behind it. The action is what the operating system asked for in
   bits <23:16> of the slot's flags: 2 and 3 restart the machine, anything else powers it off.
   A CPU that is not the primary stands still instead. */
halt_requested:
        bis     p23, p23, p21
        lda     p7, HALT_CALL(zero)
        lda     p6, POWER_OFF(zero)

/* In: p6 what POWER gets, p7 halt code, p21 the PC. */
halt_record:
        hw_ldq/p p4, FW_BOOT_HWRPB(p20)
        beq     p4, halt_now
        hw_ldq/p p23, HWRPB_SLOT_SIZE(p4)
        hw_ldq/p p5, I_WHAMI(p20)
        mulq    p23, p5, p23
        hw_ldq/p p5, HWRPB_SLOTS(p4)
        addq    p23, p5, p23
        addq    p23, p4, p23            // this CPU's slot
        hw_ldq/p p5, I_PCBB(p20)
        hw_stq/p p5, SLOT_HALT_PCBB(p23)
        hw_stq/p p21, SLOT_HALT_PC(p23)
        hw_stq/p p22, SLOT_HALT_PS(p23)
        hw_stq/p ra, SLOT_HALT_RA(p23)
        hw_stq/p pv, SLOT_HALT_PV(p23)
        hw_stq/p p7, SLOT_HALT_CODE(p23)
        cmpeq   p6, POWER_FATAL, p5
        bne     p5, halt_now

        hw_ldq/p p4, HWRPB_PRIMARY(p4)
        hw_ldq/p p5, I_WHAMI(p20)
        cmpeq   p4, p5, p5
        beq     p5, stand_still
        hw_ldq/p p4, SLOT_FLAGS(p23)
        extbl   p4, 2, p4               // <23:16>
        bic     p4, 1, p4
        cmpeq   p4, 2, p4               // 2 or 3
        addq    p6, p4, p6              // POWER_RESET is POWER_OFF + 1

halt_now:
        hw_ldq/p p4, I_PLATFORM(p20)
        hw_stq/p p6, FW_PLATFORM_POWER(p4)

/* Makes every entry point lead to no_entry. Destroys p4, p5, p6. */
        .macro  UNSET_ENTRY_POINTS
        br      p4, .Lunset_base\@
.Lunset_base\@:
        bis     p4, 1, p4               // PALmode
        lda     p4, (no_entry - .Lunset_base\@)(p4)
        lda     p5, I_ENT(p20)
        lda     p6, 6(zero)
.Lunset_next\@:
        hw_stq/p p4, 0(p5)
        lda     p4, 8(p4)
        lda     p5, 8(p5)
        subq    p6, 1, p6
        bne     p6, .Lunset_next\@
        .endm

/* Nothing is enabled, so the wait never ends. */
stand_still:
        MTPR(zero, IPR_IER)
        hw_ldq/p p4, I_PLATFORM(p20)
1:      hw_stq/p zero, FW_PLATFORM_WAIT(p4)
        br      zero, 1b
