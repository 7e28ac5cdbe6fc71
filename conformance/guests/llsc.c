/* LDx_L and STx_C. */
#include "board.h"

static u64 cell[8] __attribute__((aligned(64)));

#define LOCKED(load_lock, between, store_conditional, address, value)                         \
  ({                                                                                          \
    u64 loaded_, status_ = (value);                                                           \
    __asm__ volatile(load_lock " %0, 0(%2)\n\t" between "\n\t" store_conditional " %1, 0(%2)" \
                     : "=&r"(loaded_), "+r"(status_)                                          \
                     : "r"(address)                                                           \
                     : "memory");                                                             \
    old = loaded_;                                                                            \
    status_;                                                                                  \
  })

static u64 old;

static u64 store_conditional(u64* address, u64 value) {
  __asm__ volatile("stq_c %0, 0(%1)" : "+r"(value) : "r"(address) : "memory");
  return value;
}

static void test_success(void) {
  cell[0] = 0x1111111122222222UL;
  ok_eq(LOCKED("ldq_l", "", "stq_c", cell, 5), 1, "ldq_l and stq_c succeed");
  ok_eq(old, 0x1111111122222222UL, "ldq_l loads");
  ok_eq(cell[0], 5, "stq_c stores");
  ok_eq(store_conditional(cell, 6), 0, "a second stq_c fails");
  ok_eq(cell[0], 5, "and stores nothing");
  cell[0] = 0x1111111182222222UL;
  ok_eq(LOCKED("ldl_l", "", "stl_c", cell, 7), 1, "ldl_l and stl_c succeed");
  ok_eq(old, 0xffffffff82222222UL, "ldl_l sign-extends");
  ok_eq(cell[0], 0x1111111100000007UL, "stl_c stores four bytes");
  ok_eq(LOCKED("ldq_l", "mb", "stq_c", cell, 8), 1, "mb keeps the lock");
  ok_eq(LOCKED("ldq_l", "addq %1, 1, %1", "stq_c", cell, 8), 1, "arithmetic keeps the lock");
  ok_eq(cell[0], 9, "and its result is stored");
}

static void test_failure(void) {
  trap_expect();
  cell[0] = 3;
  ok_eq(LOCKED("ldq_l", "call_pal 0x80", "stq_c", cell, 9), 0, "rti from a trap clears the lock");
  ok_eq(cell[0], 3, "nothing is stored");
  ok_eq(LOCKED("ldl_l", "call_pal 0x80", "stl_c", cell, 9), 0, "stl_c fails behind rti");
  ok_eq(trap_end(), 2, "two traps");
  LOCKED("ldq_l", "", "stq_c", cell, 10);
  ok_eq(store_conditional(cell + 1, 11), 0, "no lock, other address: fails");
}

/* A handler that changes the cell between load and store must make the store fail. */
static int change_cell(u64 kind, u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  (void)kind, (void)a0, (void)a1, (void)a2, (void)frame;
  LOCKED("ldq_l", "addq %0, 100, %1", "stq_c", cell, 0);
  return 1;
}

static void test_handler(void) {
  cell[0] = 1;
  trap_hook = change_cell;
  trap_expect();
  ok_eq(LOCKED("ldq_l", "call_pal 0x80", "stq_c", cell, 2), 0,
        "fails when a handler used the lock");
  trap_end();
  trap_hook = 0;
  ok_eq(cell[0], 101, "the handler's update stays");
}

static u64 atomic_add(u64* address, u64 amount) {
  u64 value, failed = 0, status;
  do {
    __asm__ volatile("ldq_l %0, 0(%2)\n\taddq %0, %3, %1\n\tstq_c %1, 0(%2)"
                     : "=&r"(value), "=&r"(status)
                     : "r"(address), "r"(amount)
                     : "memory");
    failed += status == 0;
  } while (status == 0);
  return failed;
}

static volatile u64 ticks;
static void tick(u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  (void)a0, (void)a1, (void)a2, (void)frame;
  rtc_read(RTC_C);
  atomic_add(cell, 1UL << 32);
  ++ticks;
}

static void test_interrupted(void) {
  cell[0] = 0;
  u64 rounds = 0;
  interrupt_hook = tick;
  rtc_periodic(1);
  pal_swpipl(0);
  for (; rounds < 100000000 && (ticks < 40 || rounds < 10000); ++rounds) atomic_add(cell, 1);
  pal_swpipl(7);
  rtc_periodic(0);
  ok(ticks >= 40, "the clock interrupted");
  ok_eq(cell[0] & 0xffffffff, rounds, "no update of the loop is lost");
  ok_eq(cell[0] >> 32, ticks, "no update of the handler is lost");
}

void guest_main(void) {
  test_success();
  test_failure();
  test_handler();
  test_interrupted();
}
