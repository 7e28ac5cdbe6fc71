#include "vm.h"

extern char _end[];
void* memcpy(void* to, const void* from, u64 size);

static u8* next_page;

void* vm_pages(u64 count) {
  if (next_page == 0) next_page = (u8*)(((u64)_end + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1));
  u64* page = (u64*)next_page;
  next_page += count * PAGE_BYTES;
  for (u64 i = 0; i < count * PAGE_BYTES / 8; ++i) page[i] = 0;
  return page;
}

static u64 pte_of(const void* page, u64 bits) { return physical(page) / PAGE_BYTES << 32 | bits; }

static u64 level_index(u64 va, int level) { return va >> (13 + 10 * level) & 1023; }

void vm_new_space(struct pcb* pcb, u32 asn) {
  u64* root = vm_pages(1);
  root[level_index(VPTB, 2)] = pte_of(root, PTE_KERNEL);
  *pcb = (struct pcb){.ptbr = physical(root) / PAGE_BYTES, .asn = asn, .flags = 1};
}

volatile u64* vm_pte(const struct pcb* pcb, u64 va) {
  volatile u64* table = kseg(pcb->ptbr * PAGE_BYTES);
  for (int level = 2; level > 0; --level) {
    volatile u64* entry = &table[level_index(va, level)];
    if (*entry == 0) *entry = pte_of(vm_pages(1), PTE_KERNEL);
    table = kseg((*entry >> 32) * PAGE_BYTES);
  }
  return &table[level_index(va, 0)];
}

void vm_map(const struct pcb* pcb, u64 va, const void* page, u64 bits) {
  *vm_pte(pcb, va) = pte_of(page, bits);
  mb();
}

u64 vm_switch(struct pcb* pcb) {
  register u64 a0 __asm__("$16") = physical(pcb);
  register u64 v0 __asm__("$0");
  __asm__ volatile("stq $30, 0(%2)\n\tcall_pal " PAL_STRING(PAL_SWPCTX)
                   : "=r"(v0), "+r"(a0)
                   : "r"(pcb)
                   : PAL_CLOBBERS);
  return v0;
}

void vm_start(struct pcb* pcb) {
  vm_new_space(pcb, 1);
  vm_switch(pcb);
  pal_wrvptptr(VPTB);
  pal_tbi(TBIA, 0);
}

void* vm_map_code(const struct pcb* pcb, u64 va, const void* start, const void* end, u64 bits) {
  void* page = vm_pages(1);
  memcpy(page, start, (u64)((const u8*)end - (const u8*)start));
  vm_map(pcb, va, page, bits);
  pal_imb();
  return page;
}
