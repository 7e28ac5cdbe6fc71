// Runs random user-mode sequences (conformance/sequences/user_sequence.h) as a Linux process and prints what each leaves: for
// scripts/compare-qemu-user, which runs it in our guest and under qemu-alpha.
//
//   run_sequences FILE [REPEAT]           a line a sequence
//   run_sequences FILE --trace OUT        the state after each instruction, as digests, to the file OUT
//   run_sequences FILE --expected IN      a line a sequence, and where a state differs from that file the first that does
//   run_sequences FILE --states LIST      the states "SEQUENCE INSTRUCTIONS" that LIST names, in full
//
// As first process of a guest it takes /sequences, and /expected if there is one, and powers off.
//
// The state after k instructions is the end of the same sequence cut off behind them. Lines:
//
//   q SEQUENCE DIGEST FPCR SIGNALS ODD     ODD: how many of the repetitions ended otherwise
//   d SEQUENCE K VALUE...                  what instruction K - 1 changed, where the state after K differs
//   s SEQUENCE K VALUE...                  a whole state
//
// VALUE is rN=, fN=, u= (unique value), p= (FPCR), mN= (quadword N of the window), or N=SIGNAL:CODE:OFFSET:ADDRESS, the
// Nth signal: the offset of its PC in the sequence, and si_addr, which is an offset too if it lies in the sequence.

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <termios.h>
#include <ucontext.h>

#include "context.h"
#include "guest.h"

enum {
  kWords = 64,
  kSlotWords = 128,
  kSlotsARegion = 4096,
  kMaxSignals = 64,
  kWindowQuads = 128,
  kHostPage = 8192,
  kRepeat = 40,
};

// Addresses, the same in every run. Regions are near enough for a branch from each slot to the copy of kLeave at the start.
#define CODE 0x200000000ul
#define REGION (kSlotsARegion * kSlotWords * 4ul + kHostPage)
#define CONTEXT 0x280000000ul
#define WINDOW 0x280010000ul  // its middle; a page before and after
#define READ_ONLY 0x280020000ul
#define UNMAPPED 0x280030000ul

#define DYNAMIC_MODE (3ul << 58)
#define STATUS (0x3ful << 52)

struct Record {
  uint64_t seed, control, fpcr, count, slot;
  uint64_t r[32], f[32];
  uint32_t words[kWords];
};

struct Signal {
  uint64_t number, code, offset, address;
};

struct State {
  uint64_t r[32], f[32];
  uint64_t unique, fpcr;
  uint64_t window[kWindowQuads];
  uint64_t signal_count;
  struct Signal signals[kMaxSignals];
};

struct Step {
  uint64_t digest, fpcr;
};

static const uint64_t *g_window;  // its initial contents
static struct Record *g_records;
static uint64_t g_count;
static struct State g_state;  // of the run at hand; the handler adds signals
static uint32_t *g_slot;
static bool g_first_process;

static struct Context *const kContext = (struct Context *)CONTEXT;

static void Finish(int status) {
  fflush(stdout);
  if (g_first_process) {
    tcdrain(STDOUT_FILENO);
    reboot(RB_POWER_OFF);
  }
  exit(status);
}

static void Fail(const char *what) {
  printf("run_sequences: %s: %s\n", what, strerror(errno));
  Finish(1);
}

static void *MapAt(uint64_t address, size_t size, int protection) {
  void *got = mmap((void *)address, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (got != (void *)address) Fail("mmap");
  return got;
}

static void *ReadFile(const char *path, size_t *size) {
  int file = open(path, O_RDONLY);
  if (file < 0) Fail(path);
  *size = lseek(file, 0, SEEK_END);
  void *contents = mmap(NULL, *size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (contents == MAP_FAILED) Fail(path);
  for (size_t done = 0; done < *size;) {
    ssize_t got = pread(file, (char *)contents + done, *size - done, done);
    if (got <= 0) Fail(path);
    done += got;
  }
  close(file);
  return contents;
}

// Notes the signal and goes on behind the instruction. No library function: the thread pointer is the sequence's.
static void OnFault(int number, siginfo_t *info, void *context) {
  struct sigcontext *machine = (struct sigcontext *)&((ucontext_t *)context)->uc_mcontext;
  const uint64_t start = (uint64_t)g_slot;
  const uint64_t address = (uint64_t)info->si_addr;
  const uint64_t pc = machine->sc_pc;
  if (g_state.signal_count < kMaxSignals) {
    struct Signal *signal = &g_state.signals[g_state.signal_count++];
    signal->number = number;
    signal->code = info->si_code;
    signal->offset = pc - start;
    signal->address = address - start < kSlotWords * 4 ? address - start : address;
  }
  // Memory faults leave the PC at the instruction, all others behind it.
  if (number == SIGSEGV || number == SIGBUS) machine->sc_pc = pc + 4;
}

static uint32_t *Slot(uint64_t index) {
  const uint64_t slot = g_records[index].slot;
  return (uint32_t *)(CODE + slot / kSlotsARegion * REGION + kHostPage) + slot % kSlotsARegion * kSlotWords;
}

static void Barrier(void) { asm volatile("call_pal 0x86" : : : "memory"); }

// The first `count` instructions of a sequence, then nothing but ways out.
static void Install(uint64_t index, uint64_t count) {
  uint32_t *slot = Slot(index);
  const uint32_t *leave = (const uint32_t *)(CODE + g_records[index].slot / kSlotsARegion * REGION);
  for (uint64_t i = 0; i < kWords + 8; ++i) {
    const uint32_t way_out = 0xc3e00000 | ((leave - (slot + i + 1)) & 0x1fffff);
    slot[i] = i < count ? g_records[index].words[i] : way_out;
  }
}

static void Run(uint64_t index) {
  const struct Record *record = &g_records[index];
  uint64_t *window = (uint64_t *)WINDOW - kWindowQuads / 2;
  SetFpControl(record->control);
  memcpy(window, g_window, sizeof(g_state.window));
  memcpy(kContext->r, record->r, sizeof(kContext->r));
  memcpy(kContext->f, record->f, sizeof(kContext->f));
  g_slot = Slot(index);
  kContext->r[10] = WINDOW;
  kContext->r[12] = (uint64_t)g_slot;
  kContext->r[14] = READ_ONLY;
  kContext->r[15] = UNMAPPED;
  kContext->r[28] = (uint64_t)g_slot;
  kContext->unique = record->seed;
  uint64_t fpcr;
  asm volatile("excb; mf_fpcr $f0; excb; stt $f0,%0" : "=m"(fpcr) : : "$f0");
  kContext->fpcr = (fpcr & ~(DYNAMIC_MODE | STATUS)) | record->fpcr;
  g_state.signal_count = 0;
  Enter(kContext);
  memcpy(g_state.r, kContext->r, sizeof(g_state.r));
  memcpy(g_state.f, kContext->f, sizeof(g_state.f));
  g_state.unique = kContext->unique;
  g_state.fpcr = kContext->fpcr;
  memcpy(g_state.window, window, sizeof(g_state.window));
}

static uint64_t Mix(uint64_t digest, const uint64_t *words, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    digest = (digest ^ words[i]) * 0x9e3779b97f4a7c15;
    digest ^= digest >> 29;
  }
  return digest;
}

// Everything but the FPCR.
static uint64_t Digest(const struct State *state) {
  uint64_t digest = Mix(1, state->r, 31);
  digest = Mix(digest, state->f, 31);
  digest = Mix(digest, &state->unique, 1);
  digest = Mix(digest, state->window, kWindowQuads);
  digest = Mix(digest, &state->signal_count, 1);
  return Mix(digest, (const uint64_t *)state->signals, 4 * state->signal_count);
}

// What differs from `before`, or everything.
static void PrintValues(const struct State *state, const struct State *before) {
  for (int i = 0; i < 31; ++i) {
    if (!before || state->r[i] != before->r[i]) printf(" r%d=%016lx", i, state->r[i]);
  }
  for (int i = 0; i < 31; ++i) {
    if (!before || state->f[i] != before->f[i]) printf(" f%d=%016lx", i, state->f[i]);
  }
  if (!before || state->unique != before->unique) printf(" u=%016lx", state->unique);
  printf(" p=%016lx", state->fpcr);
  for (int i = 0; i < kWindowQuads; ++i) {
    if (!before || state->window[i] != before->window[i]) printf(" m%d=%016lx", i, state->window[i]);
  }
  for (uint64_t i = before ? before->signal_count : 0; i < state->signal_count; ++i) {
    const struct Signal *signal = &state->signals[i];
    printf(" %lu=%lu:%ld:%lx:%lx", i, signal->number, (long)signal->code, signal->offset, signal->address);
  }
  printf("\n");
}

// An interrupt between LDx_L and STx_C makes a run odd: the state is one that comes twice.
static void RunPrefix(uint64_t index, uint64_t count) {
  Install(index, count);
  Barrier();
  Run(index);
  for (uint64_t last = Digest(&g_state), next;; last = next) {
    Run(index);
    next = Digest(&g_state);
    if (next == last) return;
  }
}

static void PrintWhole(uint64_t index, int repeat) {
  Install(index, g_records[index].count);
  Barrier();
  struct Step steps[2] = {};
  int votes[2] = {};
  for (int i = 0; i < repeat; ++i) {
    Run(index);
    const struct Step step = {Digest(&g_state), g_state.fpcr};
    const bool same = votes[0] == 0 || !memcmp(&steps[0], &step, sizeof(step));
    steps[!same] = step;
    ++votes[!same];
  }
  const int usual = votes[1] > votes[0];
  printf("q %lu %016lx %016lx %lu %d\n", index, steps[usual].digest, steps[usual].fpcr, g_state.signal_count,
         votes[!usual]);
}

static void Trace(const char *path) {
  FILE *out = fopen(path, "wb");
  if (!out) Fail(path);
  for (uint64_t i = 0; i < g_count; ++i) {
    struct Step steps[kWords + 1] = {};
    for (uint64_t k = 0; k <= g_records[i].count; ++k) {
      RunPrefix(i, k);
      steps[k] = (struct Step){Digest(&g_state), g_state.fpcr};
    }
    fwrite(steps, sizeof(steps), 1, out);
  }
  if (fclose(out)) Fail(path);
}

// Of the FPCR the rounding mode and the status bits, <59:52>: the others are a function of these and of the control word.
static bool SameStep(const struct Step *a, const struct Step *b) {
  return a->digest == b->digest && (a->fpcr ^ b->fpcr) << 4 >> 56 == 0;
}

static void Compare(uint64_t index, const struct Step *expected) {
  static struct State before;
  for (uint64_t k = 0; k <= g_records[index].count; ++k) {
    RunPrefix(index, k);
    const struct Step step = {Digest(&g_state), g_state.fpcr};
    if (!SameStep(&step, &expected[k])) {
      printf("d %lu %lu", index, k);
      PrintValues(&g_state, k ? &before : NULL);
      return;
    }
    before = g_state;
  }
}

static void States(const char *path) {
  FILE *list = fopen(path, "r");
  if (!list) Fail(path);
  uint64_t index, count;
  while (fscanf(list, "%lu %lu", &index, &count) == 2) {
    RunPrefix(index, count);
    printf("s %lu %lu", index, count);
    PrintValues(&g_state, NULL);
  }
  fclose(list);
}

static void Load(const char *path) {
  size_t size;
  uint64_t *file = ReadFile(path, &size);
  errno = EINVAL;
  if (size < 24 || memcmp(file, "isousr01", 8) || file[2] != kWindowQuads ||
      size != 8 * (3 + kWindowQuads) + file[1] * sizeof(struct Record)) {
    Fail(path);
  }
  g_count = file[1];
  g_window = file + 3;
  g_records = (struct Record *)(file + 3 + kWindowQuads);
}

static void Prepare(void) {
  CatchFaults();
  static const int kSignals[] = {SIGFPE, SIGSEGV, SIGBUS, SIGILL, SIGTRAP};
  for (size_t i = 0; i < sizeof(kSignals) / sizeof(kSignals[0]); ++i) {
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    action.sa_sigaction = OnFault;
    sigaction(kSignals[i], &action, NULL);
  }
  SetUnalignedControl(kUacNoPrint);
  MapAt(CONTEXT, kHostPage, PROT_READ | PROT_WRITE);
  MapAt(WINDOW - kHostPage, 2 * kHostPage, PROT_READ | PROT_WRITE);
  MapAt(READ_ONLY, kHostPage, PROT_READ);
  uint64_t regions = 0;
  for (uint64_t i = 0; i < g_count; ++i) {
    if (g_records[i].slot / kSlotsARegion >= regions) regions = g_records[i].slot / kSlotsARegion + 1;
  }
  MapAt(CODE, regions * REGION + kHostPage, PROT_READ | PROT_WRITE | PROT_EXEC);
  for (uint64_t i = 0; i < regions; ++i) {
    memcpy((void *)(CODE + i * REGION), kLeave, (kLeaveEnd - kLeave) * sizeof(kLeave[0]));
  }
}

int main(int argc, char **argv) {
  g_first_process = getpid() == 1;
  static char buffer[1 << 16];
  setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
  const char *mode = argc > 2 ? argv[2] : "";
  const char *operand = argc > 3 ? argv[3] : NULL;
  if (g_first_process) {
    mode = access("/expected", R_OK) ? "" : "--expected";
    operand = "/expected";
  } else if (argc < 2) {
    printf("usage: run_sequences FILE [REPEAT | --trace OUT | --expected IN | --states LIST]\n");
    return 2;
  }
  Load(g_first_process ? "/sequences" : argv[1]);
  Prepare();
  if (!strcmp(mode, "--trace")) {
    Trace(operand);
  } else if (!strcmp(mode, "--states")) {
    States(operand);
  } else {
    const struct Step *expected = NULL;
    size_t size;
    if (!strcmp(mode, "--expected")) expected = ReadFile(operand, &size);
    for (uint64_t i = 0; i < g_count; ++i) {
      PrintWhole(i, *mode && !expected ? atoi(mode) : kRepeat);
      if (expected) Compare(i, expected + i * (kWords + 1));
    }
  }
  printf("end %lu\n", g_count);
  Finish(0);
}
