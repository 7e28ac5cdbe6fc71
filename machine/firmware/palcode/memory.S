/* Memory management faults: what the miss handlers in entries.S cannot do in a few instructions.
   Rules of precedence (Alpha ARM, OSF/1 memory management): access violation, then translation not
   valid, then fault on read, write or execute; at levels 1 and 2 KRE decides on access. */

        .text   1

/* A reference of DTBM_SINGLE whose level 3 PTE is not valid.
   In: p4 the PTE, p5 EXC_SUM, p6 VA, p23 the PC. */
data_pte_invalid:
        blbs    p23, data_pte_invalid_in_pal
        MFPR(p7, IPR_MM_STAT)
        hw_stq/p p6, I_ARG0(p20)
        bis     p4, p4, p6              // DISMISS_PREFETCH needs p4
        DISMISS_PREFETCH
        and     p7, 1, p7               // write
        sll     p7, 2, p5
        addq    p5, PTE_V_KRE, p5       // KRE or KWE
        CHECK_PROTECTION p6, p5, p4
        and     p4, 1, p4
        xor     p4, 1, p4               // MM_TNV where access is allowed, else MM_ACV
        br      zero, memory_fault_stored_va

/* A level 1 or 2 PTE is not valid. In: p7 that PTE, p5 and p23 of the miss handler, whose fetch
   EXC_ADDR names. */
upper_level_invalid:
        srl     p7, PTE_V_KRE, p4
        and     p4, 1, p4
        xor     p4, 1, p4               // MM_TNV or MM_ACV
        MFPR(p6, IPR_EXC_ADDR)
        srl     p6, 7, p6
        blbs    p6, fetch_fault         // bit 7 is set for itb_fetch, clear for dtb_fetch

/* In: p4 code, p5 EXC_SUM, p23 the PC. */
data_fault_code:
        blbs    p23, data_fault_code_in_pal
        hw_stq/p p4, I_ARG1(p20)
        MFPR(p6, IPR_VA)
        hw_stq/p p6, I_ARG0(p20)
        MFPR(p7, IPR_MM_STAT)
        DISMISS_PREFETCH
        and     p7, 1, p7
        br      zero, memory_fault_stored_code

/* DFAULT from native mode. In: p5 EXC_SUM, p6 VA, p7 MM_STAT, p23 the PC. */
data_fault:
        hw_stq/p p6, I_ARG0(p20)
        DISMISS_PREFETCH
        lda     p4, MM_ACV(zero)
        srl     p7, 1, p6
        blbs    p6, 1f                  // MM_STAT<ACV>
        lda     p4, MM_FOR(zero)
        srl     p7, 2, p6
        blbs    p6, 1f                  // MM_STAT<FOR>
        lda     p4, MM_FOW(zero)
1:      and     p7, 1, p7
        hw_ldq/p p6, I_ARG0(p20)
        // The entry that forbids is forgotten: the operating system may change its PTE and return.
        MTPR(p6, IPR_DTB_IS0)
        MTPR(p6, IPR_DTB_IS1)

/* In: I_ARG0 the address, p4 code, p7 0 for a load, 1 for a store, p23 the PC. */
memory_fault_stored_va:
        hw_stq/p p4, I_ARG1(p20)
memory_fault_stored_code:
        hw_stq/p p7, I_ARG2(p20)
        bis     p23, p23, p21

/* In: I_ARG0 to I_ARG2 the arguments of entMM, p21 the PC. */
memory_fault:
        PUSH_FRAME
        hw_ldq/p a0, I_ARG0(p20)
        hw_ldq/p a1, I_ARG1(p20)
        hw_ldq/p a2, I_ARG2(p20)
        DISPATCH I_ENT_MM

/* DFAULT in PALmode: a fetch from the virtual page table whose page-table page kernel mode may not
   read, or an access of PALmode's own. In: p7 EXC_ADDR; p5 and p23 of the handler that fetched,
   p21 as for data_pte_invalid_in_pal. */
dfault_in_pal:
        sll     p7, 49, p6              // offset from PAL_BASE
        srl     p6, 49, p6
        lda     p4, MM_ACV(zero)
        lda     p7, -(dtb_fetch - pal_start + 1)(p6)
        beq     p7, data_fault_code
        lda     p7, -(itb_fetch - pal_start + 1)(p6)
        beq     p7, fetch_fault
        MFPR(p7, IPR_IER_CM)
        and     p7, PS_USER, p7
        beq     p7, stack_not_valid
        bis     p21, p21, p23
        MFPR(p5, IPR_EXC_SUM)
        MFPR(p7, IPR_MM_STAT)
        MFPR(p6, IPR_VA)
        br      zero, data_fault

/* The same for accesses that miss. PALmode touches virtual memory in kernel mode, on the kernel
   stack, and in user mode, for urti; that one faults like the program's own, at the PC in p21. */
data_pte_invalid_in_pal:
        MFPR(p7, IPR_IER_CM)
        and     p7, PS_USER, p7
        beq     p7, stack_not_valid
        bis     p21, p21, p23
        br      zero, data_pte_invalid
data_fault_code_in_pal:
        MFPR(p7, IPR_IER_CM)
        and     p7, PS_USER, p7
        beq     p7, stack_not_valid
        bis     p21, p21, p23
        br      zero, data_fault_code

/* ITB_MISS: the PTE is not valid or has FOE. In: p4 the PTE, p23 the PC. */
fetch_pte_invalid:
        bis     p4, p4, p6
        CHECK_PROTECTION p6, PTE_V_KRE, p5
        lda     p4, MM_ACV(zero)
        blbc    p5, fetch_fault
        lda     p4, MM_TNV(zero)
        blbc    p6, fetch_fault
        lda     p4, MM_FOE(zero)

/* In: p4 code, p23 the PC, which is also the address. */
fetch_fault:
        hw_stq/p p4, I_ARG1(p20)
        hw_stq/p p23, I_ARG0(p20)
        lda     p4, -1(zero)
        hw_stq/p p4, I_ARG2(p20)
        bis     p23, p23, p21
        br      zero, memory_fault

/* IACV. In: p5 EXC_SUM, p6 VA, p21 EXC_ADDR. EXC_SUM<BAD_IVA> says that VA holds the address. */
fetch_violation:
        srl     p5, 13, p5
        blbs    p5, 1f
        bis     p21, p21, p6
1:      MTPR(p6, IPR_ITB_IS)            // forgotten, as in data_fault
        hw_stq/p p6, I_ARG0(p20)
        lda     p4, MM_ACV(zero)
        hw_stq/p p4, I_ARG1(p20)
        lda     p4, -1(zero)
        hw_stq/p p4, I_ARG2(p20)
        br      zero, memory_fault

/* A prefetch is dropped: execution goes on behind it. In: p23 its PC. */
dismiss:
        addq    p23, 4, p23
        hw_ret  (p23)
