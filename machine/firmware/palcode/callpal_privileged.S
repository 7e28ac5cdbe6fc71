/* Privileged CALL_PAL functions: 64 bytes each from PAL_BASE + 0x2000. In: p23 the PC behind the
   CALL_PAL; kernel mode, so p22 is the IPL. Destroyed, beyond what a function returns: nothing
   that programs see. */

        .text   0

        .macro  PRIVILEGED function
        .org    0x2000 + 64 * (\function)
        .endm

/* Functions from..to do not exist. */
        .macro  UNDEFINED base, from, to
        undefined_function = \from
        .rept   (\to) - (\from) + 1
        .org    (\base) + 64 * undefined_function
        br      zero, callpal_opcdec
        undefined_function = undefined_function + 1
        .endr
        .endm

/* halt */
        PRIVILEGED 0x00
        br      zero, halt_requested

/* cflush: caches do not show. */
        PRIVILEGED 0x01
        hw_ret  (p23)

/* draina: aborts are precise already. */
        PRIVILEGED 0x02
        mb
        hw_ret  (p23)

        UNDEFINED 0x2000, 0x03, 0x08

/* cserve: a0 function. */
        PRIVILEGED 0x09
        br      zero, cserve

/* swppal: a0 variant or base, a1 new PC, a2 HWPCB, a3 VPTB. */
        PRIVILEGED 0x0a
        br      zero, swppal

        UNDEFINED 0x2000, 0x0b, 0x0c

/* wripir: a0 CPU to interrupt. */
        PRIVILEGED 0x0d
        and     a0, 3, p5
        lda     p4, 1 << MISC_V_IPREQ(zero)
        sll     p4, p5, p4
        hw_ldq/p p5, I_CCHIP(p20)
        mb                              // what was written before is there to see
        hw_stq/p p4, CCHIP_MISC(p5)
        hw_ret  (p23)

        UNDEFINED 0x2000, 0x0e, 0x0f

/* rdmces */
        PRIVILEGED 0x10
        hw_ldq/p v0, I_MCES(p20)
        hw_ret  (p23)

/* wrmces: a0 ones clear MIP, SCE and PCE and set or clear DPC and DSC. */
        PRIVILEGED 0x11
        hw_ldq/p p4, I_MCES(p20)
        and     a0, MCES_W1C, p5
        bic     p4, p5, p4
        bic     p4, MCES_DISABLE, p4
        and     a0, MCES_DISABLE, p5
        bis     p4, p5, p4
        hw_stq/p p4, I_MCES(p20)
        hw_ret  (p23)

        UNDEFINED 0x2000, 0x12, 0x2a

/* wrfen: a0<0> floating-point enable, here and in the HWPCB. */
        PRIVILEGED 0x2b
        and     a0, 1, p4
        hw_ldq/p p5, I_PCBB(p20)
        hw_ldq/p p6, PCB_FEN(p5)
        bic     p6, 1, p6
        bis     p6, p4, p6
        hw_stq/p p6, PCB_FEN(p5)
        sll     p4, 2, p4
        MTPR(p4, IPR_PCTX_FPE)
        hw_ret  (p23)

        UNDEFINED 0x2000, 0x2c, 0x2c

/* wrvptptr: a0 virtual page table base. */
        PRIVILEGED 0x2d
        WRITE_VPTB a0
        hw_ret  (p23)

        UNDEFINED 0x2000, 0x2e, 0x2f

/* swpctx: a0 physical address of the new HWPCB; v0 gets that of the old. */
        PRIVILEGED 0x30
        hw_ldq/p v0, I_PCBB(p20)
        rpcc    p5
        hw_stq/p sp, PCB_KSP(v0)
        hw_ldq/p p4, I_USP(p20)
        hw_stq/p p4, PCB_USP(v0)
        srl     p5, 32, p6
        addl    p5, p6, p5
        hw_stl/p p5, PCB_PCC(v0)
        br      zero, swpctx_load

/* wrval: a0 the value that rdval returns. */
        PRIVILEGED 0x31
        hw_stq/p a0, I_SYSVAL(p20)
        hw_ret  (p23)

/* rdval */
        PRIVILEGED 0x32
        hw_ldq/p v0, I_SYSVAL(p20)
        hw_ret  (p23)

/* tbi: a0 -2 all, -1 all of processes, 1 ITB, 2 DTB, 3 both for the address a1. */
        PRIVILEGED 0x33
        ble     a0, tbi_all
        cmpule  a0, 3, p4
        beq     p4, 2f
        and     a0, 2, p4
        beq     p4, 1f
        MTPR(a1, IPR_DTB_IS0)
        MTPR(a1, IPR_DTB_IS1)
1:      blbc    a0, 2f
        MTPR(a1, IPR_ITB_IS)
2:      hw_ret  (p23)

/* wrent: a0 entry point, a1 which (0 Int, 1 Arith, 2 MM, 3 IF, 4 Una, 5 Sys). */
        PRIVILEGED 0x34
        cmpule  a1, 5, p4
        beq     p4, 1f
        s8addq  a1, p20, p4
        bic     a0, 3, p5
        hw_stq/p p5, I_ENT(p4)
1:      hw_ret  (p23)

/* swpipl: a0<2:0> new IPL; v0 gets the old. Hot. */
        PRIVILEGED 0x35
        bis     p22, p22, v0
        and     a0, 7, p22
        SET_IPL
        hw_ret  (p23)

/* rdps */
        PRIVILEGED 0x36
        bis     p22, p22, v0
        hw_ret  (p23)

/* wrkgp: a0 what GP is in the kernel. */
        PRIVILEGED 0x37
        hw_stq/p a0, I_KGP(p20)
        hw_ret  (p23)

/* wrusp: a0 user stack pointer. */
        PRIVILEGED 0x38
        hw_stq/p a0, I_USP(p20)
        hw_ret  (p23)

/* wrperfmon: a0 function, a1 argument. */
        PRIVILEGED 0x39
        br      zero, wrperfmon

/* rdusp */
        PRIVILEGED 0x3a
        hw_ldq/p v0, I_USP(p20)
        hw_ret  (p23)

        UNDEFINED 0x2000, 0x3b, 0x3b

/* whami */
        PRIVILEGED 0x3c
        hw_ldq/p v0, I_WHAMI(p20)
        hw_ret  (p23)

/* retsys: back to user mode, IPL 0, from callsys. The frame's PS is not looked at. */
        PRIVILEGED 0x3d
        ldq     p21, FRAME_PC(sp)
        ldq     gp, FRAME_GP(sp)
        lda     sp, FRAME_SIZE(sp)
        bic     p21, 3, p21
        br      zero, return_to_user

/* wtint: stands still until an interrupt can be delivered at some IPL. v0 0: no clock interrupts
   are left out. */
        PRIVILEGED 0x3e
        hw_ldq/p p4, I_IER(p20)
        MTPR(p4, IPR_IER)
        hw_ldq/p p5, I_PLATFORM(p20)
        hw_stq/p zero, FW_PLATFORM_WAIT(p5)
        SET_IPL
        bis     zero, zero, v0
        hw_ret  (p23)

/* rti: back from any other exception or interrupt. */
        PRIVILEGED 0x3f
        br      zero, return_from_interrupt

        .org    0x3000

        .text   1

/* Pops the frame at SP. PS is loaded last: a miss on the stack would destroy p7. */
return_from_interrupt:
        ldq     p21, FRAME_PC(sp)
        ldq     gp, FRAME_GP(sp)
        ldq     a0, FRAME_A0(sp)
        ldq     a1, FRAME_A1(sp)
        ldq     a2, FRAME_A2(sp)
        ldq     p7, FRAME_PS(sp)
        lda     sp, FRAME_SIZE(sp)
        bic     p21, 3, p21
        and     p7, PS_USER, p4
        bne     p4, return_to_user
        and     p7, 7, p22
        SET_IPL
        CLEAR_FLAGS
        hw_ret  (p21)

/* In: p21 the PC, SP the kernel's with the frame popped. */
return_to_user:
        hw_stq/p sp, I_KSP(p20)
        hw_ldq/p sp, I_USP(p20)
        lda     p22, PS_USER(zero)
        hw_ldq/p p4, I_IER_CM_USER(p20)
        MTPR(p4, IPR_IER_CM)
        CLEAR_FLAGS
        hw_ret  (p21)

swpctx_load:
        LOAD_CONTEXT a0
        hw_ret  (p23)

tbi_all:
        addq    a0, 1, p4
        beq     p4, 1f
        addq    a0, 2, p4
        bne     p4, 2f
        MTPR(zero, IPR_DTB_IA)
        MTPR(zero, IPR_ITB_IA)
        hw_ret  (p23)
1:      MTPR(zero, IPR_DTB_IAP)
        MTPR(zero, IPR_ITB_IAP)
2:      hw_ret  (p23)

/* Variant 2 is this PALcode: takes the context a2, VPTB a3 and goes to a1 with v0 0. Anything else
   returns: 2 for OpenVMS (known, not loaded), 1 for what is not known. */
swppal:
        cmpeq   a0, 2, p4
        beq     p4, 1f
        bic     a1, 3, p21
        WRITE_VPTB a3
        MTPR(zero, IPR_DTB_IA)
        MTPR(zero, IPR_ITB_IA)
        LOAD_CONTEXT a2
        lda     p22, 7(zero)
        SET_IPL
        bis     zero, zero, v0
        bis     p21, p21, ra
        bis     p21, p21, pv
        hw_ret  (p21)
1:      cmpeq   a0, 1, v0
        addq    v0, 1, v0
        hw_ret  (p23)

/* The EV67's functions as the Alpha Architecture Reference Manual (appendix E) has them. v0 is 1
   for those that return nothing, and 0 for what there is not: interrupt frequencies (4), the PC of
   ProfileMe (9), unknown ones. The bits of a1 that name counters are <1:0>. */
wrperfmon:
        lda     v0, 1(zero)
        and     a1, 3, p6
        sll     p6, I_CTL_V_PCT0_EN, p6
        beq     a0, perfmon_disable
        subq    a0, 1, p4
        beq     p4, perfmon_enable
        subq    a0, 2, p4
        beq     p4, perfmon_events
        subq    a0, 3, p4
        beq     p4, perfmon_options
        subq    a0, 5, p4
        beq     p4, perfmon_read
        subq    a0, 6, p4
        beq     p4, perfmon_write
        subq    a0, 7, p4
        beq     p4, perfmon_write
        bis     zero, zero, v0
        subq    a0, 8, p4
        bne     p4, 1f
        MFPR(v0, IPR_I_STAT)
1:      hw_ret  (p23)

perfmon_read:
        MFPR(v0, IPR_PCTR_CTL)
        hw_ret  (p23)

/* 2: a1<3:2> SL1. */
perfmon_events:
        bis     zero, PCTR_SL1, p5
        and     a1, PCTR_SL1, p6
        br      zero, perfmon_update

/* 3: a1<4> SL0; a1<0> counts only processes whose HWPCB has PME set, not all. */
perfmon_options:
        bis     zero, PCTR_SL0, p5
        and     a1, PCTR_SL0, p6
        br      zero, perfmon_update

/* 6 and 7: the counters in a1<47:28> and a1<25:6> that a1<1:0> names; 7 enables them, too. */
perfmon_write:
        bis     zero, zero, p5
        blbc    a1, 1f
        LOADQ   p5, PCTR_0
1:      and     a1, 2, p4
        beq     p4, 2f
        LOADQ   p4, PCTR_1
        bis     p5, p4, p5
2:      and     a1, p5, p6

/* Replaces the bits p5 of PCTR_CTL by p6. There is one register for both counters, and a running one
   goes on between the read and the write: what it counts there is added. */
perfmon_update:
        MFPR(p7, IPR_PCTX_ALL)
        srl     p7, 1, p7               // PPCE
        MFPR(p4, IPR_I_CTL)
        bis     p7, p4, p7              // <0>: anything is counted (PPCE, SPCE)
        srl     p4, I_CTL_V_PCT0_EN, p4 // <0> counter 0, <1> counter 1 is enabled
        cmovlbc p7, zero, p4
        MFPR(p21, IPR_PCTR_CTL)
        and     p21, PCTR_SL0, v0
        cmovne  v0, zero, p4            // ProfileMe: both stand still
        and     p21, PCTR_SL1, p21
        lda     p7, PCTR_LOST_CYCLES << 6(zero)
        cmovne  p21, zero, p7           // counter 1 counts cycles or nothing
        and     p4, 2, v0
        cmoveq  v0, zero, p7
        and     p21, 4, p21             // counter 0 counts cycles, not instructions
        lda     v0, PCTR_LOST_INSTRUCTIONS(zero)
        cmovne  p21, PCTR_LOST_CYCLES, v0
        sll     v0, 28, v0
        cmovlbc p4, zero, v0
        bis     p7, v0, p7
        MFPR(p4, IPR_PCTR_CTL)
        addq    p4, p7, p4              // carries leave the counter, into bits that are not written
        bic     p4, p5, p4
        bis     p4, p6, p4
        MTPR(p4, IPR_PCTR_CTL)

        lda     v0, 1(zero)
        subq    a0, 3, p4
        beq     p4, 1f
        and     a1, 3, p6
        sll     p6, I_CTL_V_PCT0_EN, p6
        subq    a0, 7, p4
        beq     p4, perfmon_enable
        hw_ret  (p23)
1:      MFPR(p4, IPR_I_CTL)
        bic     p4, I_CTL_SPCE, p4
        and     a1, 1, p5
        xor     p5, 1, p5
        bis     p4, p5, p4
        br      zero, perfmon_i_ctl

perfmon_disable:
        MFPR(p4, IPR_I_CTL)
        bic     p4, p6, p4
        br      zero, perfmon_i_ctl

perfmon_enable:
        MFPR(p4, IPR_I_CTL)
        bis     p4, p6, p4
perfmon_i_ctl:
        sll     p4, 64 - 30, p5         // without VPTB
        srl     p5, 64 - 30, p5
        hw_stq/p p5, I_I_CTL(p20)
        MTPR(p4, IPR_I_CTL)
        hw_ret  (p23)

/* cserve: 52 enables and 53 disables the device interrupt of DRIR bit a1 on this CPU; v0 0.
   Every other function returns -1 in v0. */
cserve:
        lda     v0, -1(zero)
        subq    a0, 52, p4
        cmpule  p4, 1, p5
        beq     p5, 1f
        and     a1, 0x3f, p5
        lda     p6, 1(zero)
        sll     p6, p5, p6
        hw_ldq/p p5, I_DIR(p20)
        lda     p5, -CCHIP_DIR_DIM(p5)
        hw_ldq/p p7, 0(p5)
        bic     p7, p6, p7
        cmovne  p4, zero, p6
        bis     p7, p6, p7
        hw_stq/p p7, 0(p5)
        bis     zero, zero, v0
1:      hw_ret  (p23)
