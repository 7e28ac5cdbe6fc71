/* What the console leaves at entry: PS, HWRPB, page tables with the self map, a valid HWPCB in the
 * CPU's slot. */
#include "runtime.h"

#define HWRPB_VA 0x10000000UL
enum {
  PHYS_ADDR = 0,
  ID = 1,
  SIZE = 3,
  PAGE_SIZE = 5,
  PA_BITS = 6,
  MAX_ASN = 7,
  SYS_TYPE = 10,
  INTR_FREQ = 13,
  CYCLE_FREQ = 14,
  VPTB_FIELD = 15,
  NR_PROCESSORS = 18,
  SLOT_SIZE = 19,
  SLOT_OFFSET = 20,
  MDDT_OFFSET = 25,
  CHECKSUM = 36
};
enum { SLOT_PTBR = 2, SLOT_FLAGS = 16, SLOT_TYPE = 22 };
#define SYS_TYPE_TSUNAMI 34
#define SLOT_AVAILABLE \
  0x1ccUL /* PALcode valid, memory valid and loaded, processor present and available */

static void test_hwrpb(void) {
  const volatile u64* mapped = (const volatile u64*)HWRPB_VA;
  ok_eq(mapped[ID], 0x0000004250525748UL, "HWRPB signature at virtual 0x10000000");
  ok_eq(((u64*)kseg(mapped[PHYS_ADDR]))[ID], mapped[ID], "its physical address leads to the same");
  ok_eq(mapped[PAGE_SIZE], PAGE_BYTES, "page size");
  ok(mapped[PA_BITS] >= 40, "at least 40 physical address bits");
  ok_eq(mapped[SYS_TYPE], SYS_TYPE_TSUNAMI, "system type is Tsunami");
  ok_eq(mapped[INTR_FREQ], 1024UL * 4096, "interval clock of 1024 Hz");
  ok(mapped[CYCLE_FREQ] >= 100000000 && mapped[CYCLE_FREQ] <= 2000000000,
     "a plausible cycle frequency");
  ok(mapped[NR_PROCESSORS] >= 1, "at least one processor slot");
  u64 sum = 0;
  for (u64 i = 0; i < CHECKSUM; ++i) sum += mapped[i];
  ok_eq(mapped[CHECKSUM], sum, "checksum");
}

static void test_slot(void) {
  const u64* slot = (u64*)((u64)hwrpb + hwrpb[SLOT_OFFSET] + hwrpb[SLOT_SIZE] * pal_whami());
  ok_eq(slot[SLOT_FLAGS] & SLOT_AVAILABLE, SLOT_AVAILABLE, "the slot says available");
  ok_eq(slot[SLOT_TYPE] & 0xffffffff, 11, "processor type is 21264A");
}

static void test_memory(void) {
  const u64* table = (u64*)((u64)hwrpb + hwrpb[MDDT_OFFSET]);
  const u64 clusters = table[2];
  ok(clusters >= 1 && clusters < 32, "memory clusters");
  u64 next = 0, usable = 0, ordered = 1;
  for (u64 i = 0; i < clusters; ++i) {
    const u64* cluster = table + 3 + 7 * i;
    ordered &= cluster[0] >= next;
    next = cluster[0] + cluster[1];
    if ((cluster[6] & 3) == 0) usable += cluster[1];
  }
  ok(ordered, "clusters ascend and do not overlap");
  ok(usable >= 64UL * 1048576 / PAGE_BYTES, "at least 64 MiB for the system");
  const u64 probe = next * PAGE_BYTES - 8;
  *(volatile u64*)kseg(probe) = 0x5eed5eed5eed5eedUL;
  mb();
  ok_eq(*(volatile u64*)kseg(probe), 0x5eed5eed5eed5eedUL, "the last quadword of memory works");
}

static void test_page_tables(void) {
  const u64 vptb = hwrpb[VPTB_FIELD];
  ok_eq(vptb, 0xfffffffe00000000UL, "VPTB where Linux wants it");
  const u64 pte = *(volatile u64*)(vptb + (HWRPB_VA >> 10));
  ok_eq(pte & 1, 1, "the self map shows a valid entry for the HWRPB");
  ok_eq((pte >> 32) * PAGE_BYTES, hwrpb[0] & ~(PAGE_BYTES - 1), "with its page frame");
}

void guest_main(void) {
  ok_eq(pal_rdps(), 7, "entry in kernel mode at IPL 7");
  ok_eq(pal_whami(), 0, "on processor 0");
  test_hwrpb();
  test_slot();
  test_memory();
  test_page_tables();
}
