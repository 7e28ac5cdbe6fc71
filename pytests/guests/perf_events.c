// What a program of the guest counts with perf_event_open(): retired instructions and cycles of code whose counts are
// known, samples at overflows, and what must not be counted. Prints; judges nothing.
//
// The kernel's part of a measurement is the same around every piece of code (its driver has no exclude_kernel), but for
// what comes between: a timer interrupt, a first touch of a page. So of several tries the least counts, less the least
// of no code at all.

#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kTries = 8, kInstructions = 0, kCycles = 1, kRpcc = 2, kCounts = 3 };

// Functions without a frame; they destroy $1 and $2.
#define CODE(name, body) \
  void name(void);       \
  __asm__(".text\n\t.align 4\n\t.globl " #name "\n" #name ":\n" body "\tret $31,($26),1\n" #name "_end:\n")
CODE(nothing, "");
CODE(additions, "\t.rept 1000\n\taddq $1,1,$1\n\t.endr\n");
CODE(multiplications, "\t.rept 100\n\tmulq $1,$1,$1\n\t.endr\n");
CODE(loads, "\t.rept 500\n\tldq $1,0($30)\n\t.endr\n");
CODE(short_loop, "\tlda $1,30000($31)\n1:\tsubq $1,1,$1\n\tbne $1,1b\n");
// More than 2^20 and less than 2^21 of either: each counter overflows once.
CODE(long_loop, "\tldah $1,9($31)\n1:\tsubq $1,1,$1\n\tbne $1,1b\n");
CODE(longer_loop, "\tldah $1,10($31)\n1:\tsubq $1,1,$1\n\tbne $1,1b\n");
extern const char longer_loop_end[];

static int Open(struct perf_event_attr attr, uint64_t event, int group) {
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_HARDWARE;
  attr.config = event;
  return (int)syscall(SYS_perf_event_open, &attr, 0, -1, group, 0);
}

static uint64_t Rpcc(void) {
  uint64_t value;
  __asm__ volatile("rpcc %0" : "=r"(value) : : "memory");
  return value & 0xffffffff;
}

// One try: both counters from 0, around `code`.
static void Try(void (*code)(void), uint64_t counts[kCounts]) {
  const struct perf_event_attr attr = {.disabled = 1, .read_format = PERF_FORMAT_GROUP};
  const struct perf_event_attr member = {.read_format = PERF_FORMAT_GROUP};
  const int leader = Open(attr, PERF_COUNT_HW_INSTRUCTIONS, -1);
  const int other = Open(member, PERF_COUNT_HW_CPU_CYCLES, leader);
  struct {
    uint64_t number, value[2];
  } read_out = {0};
  ioctl(leader, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
  const uint64_t start = Rpcc();
  code();
  const uint64_t end = Rpcc();
  ioctl(leader, PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
  if (read(leader, &read_out, sizeof read_out) != sizeof read_out || read_out.number != 2) perror("read");
  close(other);
  close(leader);
  counts[kInstructions] = read_out.value[0];
  counts[kCycles] = read_out.value[1];
  counts[kRpcc] = (end - start) & 0xffffffff;
}

static void Least(void (*code)(void), uint64_t least[kCounts]) {
  memset(least, 0xff, kCounts * sizeof *least);
  for (int i = 0; i < kTries; ++i) {
    uint64_t counts[kCounts];
    Try(code, counts);
    for (int j = 0; j < kCounts; ++j) {
      if (counts[j] < least[j]) least[j] = counts[j];
    }
  }
}

static void Compare(const char* name, void (*code)(void), void (*other)(void)) {
  uint64_t more[kCounts], less[kCounts];
  Least(other, less);
  Least(code, more);
  printf("%s: %lu instructions, %lu cycles, %lu by rpcc\n", name, more[kInstructions] - less[kInstructions],
         more[kCycles] - less[kCycles], more[kRpcc] - less[kRpcc]);
}

// Each counter alone: the cycles are then counted by the other counter, without company.
static void CountAlone(const char* name, uint64_t event) {
  const int fd = Open((struct perf_event_attr){0}, event, -1);
  uint64_t least[2] = {~0ul, ~0ul};
  for (int i = 0; i < 2 * kTries; ++i) {
    uint64_t before, after;
    if (read(fd, &before, sizeof before) < 0) perror("read");
    (i % 2 ? additions : nothing)();
    if (read(fd, &after, sizeof after) < 0) perror("read");
    if (after - before < least[i % 2]) least[i % 2] = after - before;
  }
  printf("%s alone: %lu\n", name, least[1] - least[0]);
  close(fd);
}

// What another process does meanwhile does not count.
static void CountOthers(void) {
  const int fd = Open((struct perf_event_attr){0}, PERF_COUNT_HW_INSTRUCTIONS, -1);
  uint64_t before, after;
  if (read(fd, &before, sizeof before) < 0) perror("read");
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 10; ++i) longer_loop();
    _exit(0);
  }
  waitpid(child, NULL, 0);
  if (read(fd, &after, sizeof after) < 0) perror("read");
  printf("13 million instructions of a child: %s\n", after - before < 2000000 ? "not counted" : "counted");
  close(fd);
}

// A sample each 10007 instructions.
static void Sample(void) {
  enum { kPeriod = 10007 };
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const struct perf_event_attr attr = {.disabled = 1, .sample_period = kPeriod, .sample_type = PERF_SAMPLE_IP};
  const int fd = Open(attr, PERF_COUNT_HW_INSTRUCTIONS, -1);
  struct perf_event_mmap_page* head = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (head == MAP_FAILED) {
    perror("mmap");
    return;
  }
  ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
  longer_loop();
  ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
  uint64_t count = 0;
  if (read(fd, &count, sizeof count) < 0) perror("read");
  const char* data = (const char*)head + page;
  unsigned samples = 0, in_loop = 0, others = 0;
  for (uint64_t at = 0; at < head->data_head;) {
    const struct perf_event_header* record = (const void*)(data + at);
    const uint64_t ip = *(const uint64_t*)(record + 1);
    at += record->size;
    if (record->type != PERF_RECORD_SAMPLE) {
      ++others;
      continue;
    }
    ++samples;
    in_loop += ip > (uintptr_t)longer_loop && ip < (uintptr_t)longer_loop_end;
  }
  printf("a sample each %d of %lu instructions: %u, %u in the loop, %u other records\n", kPeriod, count, samples,
         in_loop, others);
}

static void Refused(void) {
  const struct perf_event_attr attr = {.exclude_kernel = 1};
  const int fd = Open(attr, PERF_COUNT_HW_INSTRUCTIONS, -1);
  printf("without the kernel: %s\n", fd < 0 ? strerror(errno) : "opened");
}

int main(void) {
  Refused();
  Compare("nothing", nothing, nothing);
  Compare("1000 additions", additions, nothing);
  Compare("100 multiplications", multiplications, nothing);
  Compare("500 loads", loads, nothing);
  Compare("30000 turns", short_loop, nothing);
  Compare("65536 turns more, across an overflow", longer_loop, long_loop);
  CountAlone("instructions", PERF_COUNT_HW_INSTRUCTIONS);
  CountAlone("cycles", PERF_COUNT_HW_CPU_CYCLES);
  CountOthers();
  Sample();
  return 0;
}
