/* Three races of two CPUs, for who hunts them (docs/hunt.md). The first letter of the command line
   says which:

     l   a lost update: what lies between an atomic load and an atomic store is not atomic
     a   an ABBA deadlock: two locks that are taken in both orders
     u   a use after free: a list whose reader has no lock, and whose writer frees at once what it
   took out

   A number behind it is how often CPU 0 waits before it begins. A guest says what has gone wrong
   ("BUG: ..."), or that all is well. */
#include "cpus.h"

#define TIMES 30
#define PATIENCE 4000000u /* cycles, far more than others can be away for */
#define POISON 0x6b6b6b6b6b6b6b6bUL

static u64 began[MAX_CPUS][8] __attribute__((aligned(64)));
static u64 ended[MAX_CPUS][8] __attribute__((aligned(64)));

/* Takes its time, in few instructions. */
static void pause(void) { (void)inb(0x61); }

/* Says that this CPU has come here, and waits for the other one. */
static void come_to(u64 (*place)[8], u64 cpu) {
  mb();
  store(&place[cpu][0], 1);
  while (load(&place[1 - cpu][0]) == 0) pause();
  mb();
}

/* A lost update. */

static u64 counter __attribute__((aligned(64)));

static __attribute__((noinline)) void count_up(void) {
  const u64 value = fetch_add(&counter, 0);
  exchange(&counter, value + 1);
}

static void lose_updates(u64 cpu) {
  (void)cpu;
  for (int i = 0; i < TIMES; ++i) count_up();
}

static const char* check_updates(void) { return load(&counter) == 2 * TIMES ? 0 : "lost update"; }

/* An ABBA deadlock. */

static u64 lock_a __attribute__((aligned(64)));
static u64 lock_b __attribute__((aligned(64)));
static u64 stuck;

/* False after too long a time. */
static int try_for_long(u64* lock) {
  const u32 begin = (u32)rpcc();
  while (load(lock) != 0) {
    if ((u32)rpcc() - begin > PATIENCE) return 0;
    pause();
  }
  take_lock(lock);
  return 1;
}

static __attribute__((noinline)) int take_both(u64* first, u64* second) {
  take_lock(first);
  const int taken = try_for_long(second);
  if (taken) drop_lock(second);
  drop_lock(first);
  return taken;
}

static void embrace(u64 cpu) {
  for (int i = 0; i < TIMES && load(&stuck) == 0; ++i) {
    if (!take_both(cpu == 0 ? &lock_a : &lock_b, cpu == 0 ? &lock_b : &lock_a)) store(&stuck, 1);
  }
}

static const char* check_locks(void) { return load(&stuck) == 0 ? 0 : "deadlock"; }

/* A use after free. */

struct node {
  u64 value;
  struct node* next;
};
static struct node nodes[TIMES + 1];
static struct node* volatile head;
static u64 poisoned;

static __attribute__((noinline)) u64 sum_up(void) {
  u64 sum = 0;
  for (struct node* at = head; at != 0; at = (struct node*)load((u64*)&at->next)) {
    const u64 value = load(&at->value);
    if (value == POISON) {
      store(&poisoned, 1);
      break;
    }
    sum += value;
  }
  return sum;
}

/* Puts another node in the place of the first. */
static __attribute__((noinline)) void replace(struct node* added) {
  struct node* const old = head;
  added->value = 1;
  added->next = 0;
  mb();
  head = added;
  store(&old->value, POISON); /* too early: somebody may still have it */
}

static void change_list(u64 cpu) {
  for (int i = 1; i <= TIMES; ++i) {
    if (cpu == 0) {
      replace(&nodes[i]);
    } else {
      (void)sum_up();
    }
  }
}

static const char* check_list(void) { return load(&poisoned) == 0 ? 0 : "use after free"; }

static void run_race(u64 cpu) {
  const char race = *COMMAND_LINE;
  come_to(began, cpu);
  if (race == 'l') lose_updates(cpu);
  if (race == 'a') embrace(cpu);
  if (race == 'u') change_list(cpu);
  come_to(ended, cpu);
}

static void other_cpu(u64 cpu) {
  if (cpu == 1) run_race(cpu);
  for (;;) pause();
}

void guest_main(void) {
  u64 waits = 0;
  for (const char* digit = COMMAND_LINE + 1; *digit >= '0' && *digit <= '9'; ++digit) {
    waits = waits * 10 + (u64)(*digit - '0');
  }
  head = &nodes[0];
  start_cpus(other_cpu);
  while (waits-- != 0) pause();
  run_race(0);
  const char* const updates = *COMMAND_LINE == 'l' ? check_updates() : 0;
  const char* const what = updates != 0         ? updates
                           : check_locks() != 0 ? check_locks()
                                                : check_list();
  if (what != 0) {
    print("BUG: %s\n", what);
  } else {
    print("all is well\n");
  }
  guest_exit();
}
