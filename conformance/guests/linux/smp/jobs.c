// What make -jN does: a tree of files, each made out of others by a shell with a pipe, a redirection and a rename, as soon
// as those are there, and so many at a time.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

enum {
  kUnits = 20,       // files that are made of a source each, and of what all share
  kLibraries = 4,    // made of some of those each
  kTargets = kUnits + kLibraries + 1,
  kProgram = kTargets - 1,
  kSourceSize = 2048,
  kPasses = 40,      // over the input: what a compiler does
  kMostInput = 16384,
};

static const char kFolder[] = "/tmp/smp-load-jobs";

size_t Translate(const char *input, size_t size, char output[kTranslatedSize]) {
  enum { kWords = kTranslatedSize / 17 };  // 16 digits and a blank
  uint64_t words[kWords], state = size + 1;
  for (int i = 0; i < kWords; ++i) words[i] = NextRandom(&state);
  for (int pass = 0; pass < kPasses; ++pass) {
    for (size_t i = 0; i < size; ++i) {
      state = (state ^ (unsigned char)input[i]) * 0x9e3779b97f4a7c15;
      state ^= state >> 32;
    }
    words[pass % kWords] ^= state;
  }
  size_t at = 0;
  for (int i = 0; i < kWords; ++i) at += (size_t)sprintf(output + at, "%016lx ", words[i] ^ state);
  return at;
}

void TranslateInput(void) {
  char input[kMostInput], output[kTranslatedSize + 1];
  size_t size = 0;
  ssize_t got;
  while ((got = read(STDIN_FILENO, input + size, sizeof(input) - size)) > 0) size += (size_t)got;
  if (got < 0 || size == sizeof(input)) Fail("a job's input");
  WriteAll(STDOUT_FILENO, output, Translate(input, size, output));
}

typedef struct {
  char bytes[kMostInput];
  size_t size;
} Text;

static void Append(Text *text, const char *bytes, size_t size) {
  memcpy(text->bytes + text->size, bytes, size);
  text->size += size;
}

static void MakeSource(Text *text, uint64_t seed) {
  text->size = 0;
  while (text->size < kSourceSize) {
    const uint64_t word = NextRandom(&seed);
    text->size += (size_t)sprintf(text->bytes + text->size, "%lx%c", word >> (word & 31), word & 7 ? ' ' : '\n');
  }
}

static void Keep(const char *name, const Text *text) {
  const int file = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (file < 0) Fail("%s", name);
  WriteAll(file, text->bytes, text->size);
  close(file);
}

// The targets of which a library is made, and which library a unit goes into.
static int LibraryOf(int unit) { return kUnits + unit % kLibraries; }

static int IsMadeOf(int target, int part) {
  if (target == kProgram) return part >= kUnits && part < kProgram;
  return part < kUnits && target == LibraryOf(part);
}

// What a target must become, without files and processes.
static Text *Expected(int target) {
  Text *input = calloc(1, sizeof(*input)), *output = calloc(1, sizeof(*output));
  if (target < kUnits) {
    MakeSource(input, 1);
    Text source;
    MakeSource(&source, (uint64_t)target + 2);
    Append(input, source.bytes, source.size);
  }
  for (int part = 0; part < kTargets; ++part) {
    if (!IsMadeOf(target, part)) continue;
    Text *made = Expected(part);
    Append(input, made->bytes, made->size);
    free(made);
  }
  char bytes[kTranslatedSize + 1];
  Append(output, bytes, Translate(input->bytes, input->size, bytes));
  free(input);
  return output;
}

static void StartJob(int target, pid_t *job) {
  char command[1024];
  size_t at = (size_t)sprintf(command, "cat");
  if (target < kUnits) at += (size_t)sprintf(command + at, " shared source-%d", target);
  for (int part = 0; part < kTargets; ++part) {
    if (IsMadeOf(target, part)) at += (size_t)sprintf(command + at, " made-%d", part);
  }
  sprintf(command + at, " | /bin/smp-load translate >new-%d && mv new-%d made-%d", target, target, target);
  *job = Fork();
  if (*job != 0) return;
  execl("/bin/sh", "sh", "-c", command, (char *)NULL);
  Fail("/bin/sh");
}

static void AwaitJob(const pid_t *jobs, int *made) {
  int status;
  const pid_t ended = wait(&status);
  for (int target = 0; target < kTargets; ++target) {
    if (jobs[target] != ended) continue;
    errno = 0;
    if (status != 0) Fail("the job for target %d ended with status %x", target, (unsigned)status);
    made[target] = 1;
    return;
  }
  Fail("wait gave %d, which is no job", (int)ended);
}

static void CheckFile(int target) {
  char name[32], bytes[kMostInput];
  sprintf(name, "made-%d", target);
  const int file = open(name, O_RDONLY);
  if (file < 0) Fail("%s", name);
  const ssize_t size = read(file, bytes, sizeof(bytes));
  close(file);
  Text *expected = Expected(target);
  errno = 0;
  if (size != (ssize_t)expected->size || memcmp(bytes, expected->bytes, expected->size) != 0) {
    Fail("%s is not what it is made of", name);
  }
  free(expected);
}

void Jobs(void) {
  pid_t jobs[kTargets] = {0};
  int made[kTargets] = {0}, running = 0, ended = 0, most = 0;
  const int slots = CpuCount() + 1;
  if (mkdir(kFolder, 0700) != 0 || chdir(kFolder) != 0) Fail("%s", kFolder);
  for (int i = 0; i <= kUnits; ++i) {
    char name[32];
    Text text;
    sprintf(name, i == 0 ? "shared" : "source-%d", i - 1);
    MakeSource(&text, (uint64_t)i + 1);
    Keep(name, &text);
  }
  while (ended < kTargets) {
    for (int target = 0; target < kTargets && running < slots; ++target) {
      int ready = jobs[target] == 0;
      for (int part = 0; part < kTargets; ++part) ready = ready && (made[part] || !IsMadeOf(target, part));
      if (!ready) continue;
      StartJob(target, &jobs[target]);
      ++running;
    }
    most = running > most ? running : most;
    AwaitJob(jobs, made);
    --running;
    ++ended;
  }
  for (int target = 0; target < kTargets; ++target) CheckFile(target);
  if (chdir("/") != 0 || system("rm -r /tmp/smp-load-jobs") != 0) Fail("rm -r %s", kFolder);
  Report("%d targets, up to %d jobs at a time", kTargets, most);
}
