/* Interrupts: which one, how to quiet it, at which IPL and with which vector it is delivered. */

        .text   1

/* In: p21 the PC. The frame is pushed first; behind it a0 to a2 and p4 to p7 are free. ISUM shows
   only what IER enables, and IER follows the IPL, so everything in it may be delivered now. */
take_interrupt:
        PUSH_FRAME
        hw_ldq/p gp, I_KGP(p20)
        hw_ldq/p p21, I_ENT_INT(p20)
        MFPR(p4, IPR_ISUM)
        srl     p4, 33, p5              // EI<5:0>
        blbs    p5, system_error
        and     p5, 8, p6
        bne     p6, interprocessor
        srl     p4, 29, p6
        and     p6, 3, p6               // PC<1:0>
        bne     p6, performance_counter
        and     p5, 4, p6
        bne     p6, interval_clock
        and     p5, 2, p6
        bne     p6, device
        br      zero, return_from_interrupt     // it went away: pop the frame again

interval_clock:
        hw_ldq/p p4, I_CCHIP(p20)
        hw_ldq/p p5, I_ITINTR(p20)
        hw_stq/p p5, CCHIP_MISC(p4)
        lda     a0, INT_TYPE_CLOCK(zero)
        lda     a1, SCB_CLOCK(zero)
        lda     p22, IPL_CLOCK(zero)

/* In: a0, a1 (and a2), p21 the entry point, p22 the new IPL. */
deliver_interrupt:
        SET_IPL
        hw_ret  (p21)

interprocessor:
        hw_ldq/p p4, I_CCHIP(p20)
        hw_ldq/p p5, I_IPINTR(p20)
        hw_stq/p p5, CCHIP_MISC(p4)
        lda     a0, INT_TYPE_IPI(zero)
        lda     a1, SCB_IPI(zero)
        lda     p22, IPL_IPI(zero)
        br      zero, deliver_interrupt

/* In: p6 PC<1:0>. The lowest counter that asks is quieted and named in a2. */
performance_counter:
        cttz    p6, a2
        lda     p5, 1(zero)
        sll     p5, 29, p5
        sll     p5, a2, p5
        MTPR(p5, IPR_HW_INT_CLR)
        lda     a0, INT_TYPE_PERF(zero)
        lda     a1, SCB_PERF(zero)
        lda     p22, IPL_PERF(zero)
        br      zero, deliver_interrupt

/* The lowest bit of DIRn wins; the ISA bridge's is last. Its 8259s are asked for a vector by an
   interrupt acknowledge cycle on the PCI bus. */
device:
        hw_ldq/p p4, I_DIR(p20)
        hw_ldq/p p4, 0(p4)
        sll     p4, DIR_ERROR_BITS, p4
        beq     p4, return_from_interrupt
        cttz    p4, p5
        subq    p5, DIR_ERROR_BITS, p5
        cmpeq   p5, DIR_ISA, p6
        bne     p6, isa_device
        sll     p5, 4, p5
        lda     a1, SCB_PCI(p5)
        br      zero, deliver_device
isa_device:
        hw_ldq/p p4, I_IACK(p20)
        hw_ldl/p p5, 0(p4)
        and     p5, 0xff, p5
        sll     p5, 4, p5
        lda     a1, SCB_ISA(p5)
deliver_device:
        lda     a0, INT_TYPE_DEVICE(zero)
        lda     p22, IPL_DEVICE(zero)
        br      zero, deliver_interrupt

/* EI<0>: the Cchip reports an error of its own or of a Pchip. */
system_error:
        ldq     p21, FRAME_PC(sp)
        lda     a1, SCB_SYS_MCHK(zero)
        lda     a0, MCHK_SYS_HARD(zero)
        br      zero, deliver_machine_check
