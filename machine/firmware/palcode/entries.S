/* Hardware entry points (HRM section 6.8.2), in the order of their offsets from PAL_BASE. */

        .text   0

/* ---- DTBM_DOUBLE_3: the fetch of a PTE through the virtual page table missed the DTB.
   In: p4 the PTE's virtual address; p5 and p23 live (of the DTB or ITB miss handler).
   Walks levels 1 and 2 with physical loads, enters the translation of the page-table page and
   repeats the fetch. Destroys p6, p7. */
        .org    0x100
dtbm_double_3:
        hw_ldq/p p7, I_PTBR(p20)
        sll     p4, 31, p6              // VA<32:23>: index into level 1
        srl     p6, 54, p6
        s8addq  p6, p7, p6
        hw_ldq/p p7, 0(p6)
        blbc    p7, upper_level_invalid
        srl     p7, 32, p7
        sll     p7, 13, p7
        sll     p4, 41, p6              // VA<22:13>: index into level 2
        srl     p6, 54, p6
        s8addq  p6, p7, p6
        hw_ldq/p p7, 0(p6)
        blbc    p7, upper_level_invalid
        MTPR(p4, IPR_DTB_TAG0)
        MTPR(p7, IPR_DTB_PTE0)
        MFPR(p6, IPR_EXC_ADDR)
        hw_ret  (p6)

/* ---- DTBM_DOUBLE_4: for four-level page tables, which this PALcode never enables. */
        .org    0x180
dtbm_double_4:
        MFPR(p21, IPR_EXC_ADDR)
        br      zero, halt_pal

/* ---- FEN: floating-point instruction while FEN is clear. The PC pushed is the instruction's. */
        .org    0x200
fen:
        MFPR(p21, IPR_EXC_ADDR)
        blbs    p21, halt_pal
        lda     p4, IF_FEN(zero)
        br      zero, instruction_fault

/* ---- UNALIGN: the address is no multiple of the operand's size. The PC pushed is the next. */
        .org    0x280
unalign:
        MFPR(p23, IPR_EXC_ADDR)
        blbs    p23, stack_not_valid
        MFPR(p5, IPR_EXC_SUM)
        MFPR(p7, IPR_MM_STAT)
        MFPR(p6, IPR_VA)
        br      zero, unaligned

/* ---- DTBM_SINGLE: a load or store missed the DTB. Hot.
   Destroys p4 to p7 and p23 only, so that PALmode's own stack accesses may miss. */
        .org    0x300
dtbm_single:
        MFPR(p23, IPR_EXC_ADDR)
        MFPR(p4, IPR_VA_FORM)
        MFPR(p5, IPR_EXC_SUM)           // the fetch below may miss and change it
        .globl  dtb_fetch
dtb_fetch:
        hw_ldq/v p4, 0(p4)
        MFPR(p6, IPR_VA)
        blbc    p4, data_pte_invalid
        MTPR(p6, IPR_DTB_TAG0)
        MTPR(p4, IPR_DTB_PTE0)
        hw_ret  (p23)

/* ---- DFAULT: a translation forbids the access, or the address is no sign-extended one. */
        .org    0x380
dfault:
        MFPR(p7, IPR_EXC_ADDR)
        blbs    p7, dfault_in_pal
        bis     p7, p7, p23
        MFPR(p5, IPR_EXC_SUM)
        MFPR(p7, IPR_MM_STAT)
        MFPR(p6, IPR_VA)
        br      zero, data_fault

/* ---- OPCDEC: illegal or privileged instruction. The PC pushed is the next. */
        .org    0x400
opcdec:
        MFPR(p21, IPR_EXC_ADDR)
        blbs    p21, halt_pal
        addq    p21, 4, p21
        lda     p4, IF_OPDEC(zero)
        br      zero, instruction_fault

/* ---- IACV: instruction fetch that the mode may not do, or from an address that is no
   sign-extended one. */
        .org    0x480
iacv:
        MFPR(p21, IPR_EXC_ADDR)
        MFPR(p5, IPR_EXC_SUM)
        MFPR(p6, IPR_VA)
        br      zero, fetch_violation

/* ---- MCHK: the board answered an access with an error. */
        .org    0x500
mchk:
        MFPR(p21, IPR_EXC_ADDR)
        blbs    p21, halt_pal
        br      zero, machine_check

/* ---- ITB_MISS. Hot. Destroys p4 to p7 and p23. */
        .org    0x580
itb_miss:
        MFPR(p4, IPR_IVA_FORM)
        MFPR(p23, IPR_EXC_ADDR)
        .globl  itb_fetch
itb_fetch:
        hw_ldq/v p4, 0(p4)
        lda     p7, 0xf70(zero)         // protection, GH and ASM
        and     p4, PTE_M_FOE | 1, p5
        xor     p5, 1, p5
        bne     p5, fetch_pte_invalid
        srl     p4, 32, p6
        sll     p6, 13, p6
        and     p4, p7, p4
        bis     p4, p6, p4
        MTPR(p23, IPR_ITB_TAG)
        MTPR(p4, IPR_ITB_PTE)
        hw_ret  (p23)

/* ---- ARITH: arithmetic trap. The PC pushed is the next. */
        .org    0x600
arith:
        MFPR(p21, IPR_EXC_ADDR)
        MFPR(p5, IPR_EXC_SUM)
        blbs    p21, halt_pal
        br      zero, arithmetic_trap

/* ---- INTERRUPT. */
        .org    0x680
interrupt:
        MFPR(p21, IPR_EXC_ADDR)
        br      zero, take_interrupt

/* ---- MT_FPCR_TRAP: MT_FPCR has executed; nothing is left to do. */
        .org    0x700
mt_fpcr_trap:
        MFPR(p23, IPR_EXC_ADDR)
        addq    p23, 4, p23
        hw_ret  (p23)

/* ---- RESET: power-on. */
        .org    0x780
reset:
        br      zero, cold_start

        .org    0x800
