/* Address spaces: three-level page tables of 8 KiB pages with the self map at the VPTB that the
   console uses, and process control blocks to switch between them. */
#ifndef ISOCHRON_CONFORMANCE_GUESTS_VM_H_
#define ISOCHRON_CONFORMANCE_GUESTS_VM_H_

#include "runtime.h"

#define PTE_V 0x0001UL
#define PTE_FOR 0x0002UL
#define PTE_FOW 0x0004UL
#define PTE_FOE 0x0008UL
#define PTE_ASM 0x0010UL
#define PTE_GH(n) ((u64)(n) << 5)
#define PTE_KRE 0x0100UL
#define PTE_URE 0x0200UL
#define PTE_KWE 0x1000UL
#define PTE_UWE 0x2000UL
#define PTE_KERNEL (PTE_V | PTE_KRE | PTE_KWE)
#define PTE_USER (PTE_KERNEL | PTE_URE | PTE_UWE)
#define VPTB 0xfffffffe00000000UL

struct pcb {
  u64 ksp, usp, ptbr;
  u32 cc, asn;
  u64 unique, flags, reserved[2];
} __attribute__((aligned(128)));

/* Zeroed physical pages, contiguous, from behind the guest's image; kseg addresses. */
void* vm_pages(u64 count);
/* Fills a PCB with a fresh address space. */
void vm_new_space(struct pcb* pcb, u32 asn);
/* The entry of `va`, making lower tables as needed. */
volatile u64* vm_pte(const struct pcb* pcb, u64 va);
/* Writes an entry; a VA mapped before still needs a tbi. */
void vm_map(const struct pcb* pcb, u64 va, const void* page, u64 bits);
/* swpctx on the present kernel stack; returns the physical address of the old PCB. */
u64 vm_switch(struct pcb* pcb);
/* Makes and enters a first space with VPTB set; the console's HWRPB mapping is gone then. */
void vm_start(struct pcb* pcb);
/* Copies code into a fresh page mapped at `va` with `bits`; returns the page. */
void* vm_map_code(const struct pcb* pcb, u64 va, const void* start, const void* end, u64 bits);

static inline void vm_invalidate(u64 va) { pal_tbi(TBIS, va); }

#endif /* ISOCHRON_CONFORMANCE_GUESTS_VM_H_ */
