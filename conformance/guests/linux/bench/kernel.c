// Programs that ask the kernel for one kind of thing each: names, pipes, processes, mappings, signals, and switches
// from one process to another.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { kFolders = 8, kFiles = 12 };
static const char kTree[] = "bench-tree";  // where it is called

static void NameIn(char *name, size_t size, int folder, int file) {
  snprintf(name, size, "%s/folder-%d/deeper/file-%d", kTree, folder, file);
}

static void MakeTree(void) {
  char name[128];
  if (mkdir(kTree, 0700) != 0) Die(kTree);
  for (int folder = 0; folder < kFolders; ++folder) {
    snprintf(name, sizeof(name), "%s/folder-%d", kTree, folder);
    if (mkdir(name, 0700) != 0) Die(name);
    strcat(name, "/deeper");
    if (mkdir(name, 0700) != 0) Die(name);
    for (int file = 0; file < kFiles; ++file) {
      NameIn(name, sizeof(name), folder, file);
      const int made = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
      if (made < 0 || write(made, name, (size_t)(folder + file)) != folder + file) Die(name);
      close(made);
    }
  }
}

static void RemoveTree(void) {
  char name[128];
  for (int folder = 0; folder < kFolders; ++folder) {
    for (int file = 0; file < kFiles; ++file) {
      NameIn(name, sizeof(name), folder, file);
      unlink(name);
    }
    snprintf(name, sizeof(name), "%s/folder-%d/deeper", kTree, folder);
    rmdir(name);
    *strrchr(name, '/') = 0;
    rmdir(name);
  }
  rmdir(kTree);
}

static uint64_t CountEntries(const char *name) {
  DIR *directory = opendir(name);
  if (!directory) Die(name);
  uint64_t count = 0;
  for (const struct dirent *entry; (entry = readdir(directory));) count += strlen(entry->d_name);
  closedir(directory);
  return count;
}

// What looks for files does: stat by names of four parts, names that are not there, and lists of folders.
uint64_t Stats(unsigned rounds) {
  uint64_t checksum = 0;
  char name[128];
  struct stat info;
  RemoveTree();  // of a run that was ended
  MakeTree();
  for (unsigned round = 0; round < rounds; ++round) {
    for (int folder = 0; folder < kFolders; ++folder) {
      for (int file = 0; file < kFiles; ++file) {
        NameIn(name, sizeof(name), folder, file);
        if (stat(name, &info) != 0) Die(name);
        checksum += (uint64_t)info.st_size;
        if (access(name, R_OK) != 0) Die(name);
        strcat(name, ".c");
        checksum += lstat(name, &info) != 0 && errno == ENOENT;
      }
      snprintf(name, sizeof(name), "%s/folder-%d/deeper", kTree, folder);
      checksum = Fold(checksum, CountEntries(name));
    }
  }
  RemoveTree();
  return checksum;
}

static void ReadAll(int file, void *to, size_t size) {
  for (size_t at = 0; at < size;) {
    const ssize_t got = read(file, (char *)to + at, size - at);
    if (got <= 0) Die("read");
    at += (size_t)got;
  }
}

static void WriteAll(int file, const void *from, size_t size) {
  for (size_t at = 0; at < size;) {
    const ssize_t put = write(file, (const char *)from + at, size - at);
    if (put <= 0) Die("write");
    at += (size_t)put;
  }
}

// What the other end of Pipes does: sends back words one by one, then what it has got of each large block.
static void Answer(int from, int to, unsigned rounds, int words, size_t block) {
  char *bytes = Allocate(block);
  for (unsigned round = 0; round < rounds; ++round) {
    uint64_t word;
    for (int i = 0; i < words; ++i) {
      ReadAll(from, &word, sizeof(word));
      word = Fold(word, (uint64_t)i);
      WriteAll(to, &word, sizeof(word));
    }
    ReadAll(from, bytes, block);
    word = FoldBytes(0, bytes + block - 64, 64);
    WriteAll(to, &word, sizeof(word));
  }
  free(bytes);
}

// Two processes and two pipes: a word there and back, and a large block, which a pipe does not hold at once.
uint64_t Pipes(unsigned rounds) {
  enum { kWords = 200, kBlock = 256 << 10 };
  char *block = Allocate(kBlock);
  uint64_t checksum = 0;
  int there[2], back[2];
  if (pipe(there) != 0 || pipe(back) != 0) Die("pipe");
  memset(block, 'x', kBlock);
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    close(there[1]);
    close(back[0]);
    Answer(there[0], back[1], rounds, kWords, kBlock);
    _exit(0);
  }
  close(there[0]);
  close(back[1]);
  for (unsigned round = 0; round < rounds; ++round) {
    for (int i = 0; i < kWords; ++i) {
      WriteAll(there[1], &checksum, sizeof(checksum));
      ReadAll(back[0], &checksum, sizeof(checksum));
    }
    memcpy(block + kBlock - sizeof(checksum), &checksum, sizeof(checksum));
    WriteAll(there[1], block, kBlock);
    ReadAll(back[0], &checksum, sizeof(checksum));
  }
  close(there[1]);
  close(back[0]);
  free(block);
  return Fold(checksum, (uint64_t)WaitFor(child));
}

// Eight processes at a time, each of which has children of its own, and pages that only some of them write.
uint64_t Forks(unsigned rounds) {
  enum { kChildren = 8, kPages = 64 };
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *memory = Allocate(kPages * page);
  uint64_t checksum = 0;
  memset(memory, 1, kPages * page);
  for (unsigned round = 0; round < rounds; ++round) {
    pid_t children[kChildren];
    fflush(stdout);
    for (int i = 0; i < kChildren; ++i) {
      children[i] = fork();
      if (children[i] != 0) continue;
      for (int j = 0; j < 2 * i; ++j) ++memory[(size_t)(j + i) * page];
      const pid_t grandchild = fork();
      if (grandchild == 0) _exit(memory[(size_t)i * page] + i);
      _exit(WEXITSTATUS(WaitFor(grandchild)) + memory[(size_t)(2 * i) * page]);
    }
    for (int i = 0; i < kChildren; ++i) checksum = Fold(checksum + round, (uint64_t)WaitFor(children[i]));
  }
  free(memory);
  return checksum;
}

// Maps, protects, moves and unmaps a few pages at a time, of memory and of a file.
uint64_t Maps(unsigned rounds) {
  static const char kFile[] = "bench-mapped";
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const int file = open(kFile, O_RDWR | O_CREAT | O_TRUNC, 0600);
  uint64_t checksum = 0;
  if (file < 0 || ftruncate(file, (off_t)(4 * page)) != 0) Die(kFile);
  for (unsigned round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < 100; ++i) {
      char *memory = mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      char *shared = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
      if (memory == MAP_FAILED || shared == MAP_FAILED) Die("mmap");
      memory[i] = (char)i;
      memory[3 * page] = (char)round;
      if (mprotect(memory, 4 * page, PROT_READ) != 0) Die("mprotect");
      shared[i % 4 * page + i] = (char)(shared[(i + 1) % 4 * page] + memory[i] + memory[3 * page]);
      if (munmap(memory + 2 * page, page) != 0) Die("munmap");
      if (mprotect(memory, 2 * page, PROT_READ | PROT_WRITE) != 0) Die("mprotect");
      memory[0] = shared[i];
      checksum += (unsigned char)memory[0];
      if (munmap(memory, 8 * page) != 0 || munmap(shared, 4 * page) != 0) Die("munmap");
    }
    checksum = Fold(checksum, round);
  }
  close(file);
  unlink(kFile);
  return checksum;
}

static volatile uint64_t g_signals;
static char *g_guarded;
static size_t g_guarded_size;

static void OnSignal(int number) { g_signals += (uint64_t)number; }

static void OnFault(int number, siginfo_t *info, void *context) {
  (void)context;
  g_signals += (uint64_t)number + (uint64_t)((char *)info->si_addr - g_guarded);
  if (mprotect(g_guarded, g_guarded_size, PROT_READ | PROT_WRITE) != 0) _exit(1);
}

static void Handle(int number, struct sigaction action) {
  sigemptyset(&action.sa_mask);
  if (sigaction(number, &action, NULL) != 0) Die("sigaction");
}

// Signals that a process sends itself, some of them while they are blocked, and faults that a handler puts right.
uint64_t Signals(unsigned rounds) {
  g_guarded_size = (size_t)sysconf(_SC_PAGESIZE);
  g_guarded = mmap(NULL, g_guarded_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (g_guarded == MAP_FAILED) Die("mmap");
  Handle(SIGHUP, (struct sigaction){.sa_handler = OnSignal});
  Handle(SIGTERM, (struct sigaction){.sa_handler = OnSignal, .sa_flags = SA_RESTART});
  Handle(SIGSEGV, (struct sigaction){.sa_sigaction = OnFault, .sa_flags = SA_SIGINFO});
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  uint64_t checksum = 0;
  const pid_t self = getpid();
  g_signals = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < 100; ++i) {
      kill(self, SIGHUP);
      sigprocmask(SIG_BLOCK, &blocked, &before);
      kill(self, SIGTERM);
      const uint64_t seen = g_signals;
      sigprocmask(SIG_SETMASK, &before, NULL);
      checksum += g_signals - seen;
      if (mprotect(g_guarded, g_guarded_size, PROT_READ) != 0) Die("mprotect");
      *(volatile char *)(g_guarded + i) = 1;
    }
    checksum = Fold(checksum, g_signals);
  }
  Handle(SIGHUP, (struct sigaction){.sa_handler = SIG_DFL});
  Handle(SIGTERM, (struct sigaction){.sa_handler = SIG_DFL});
  Handle(SIGSEGV, (struct sigaction){.sa_handler = SIG_DFL});
  munmap(g_guarded, g_guarded_size);
  return checksum;
}

enum { kRings = 6, kMembers = 10 };

// A member of a ring: takes its token, makes system calls with it and hands it on. Every other time it drops a page that
// it has written, for which Linux takes another address-space number; there are 255 of them until all are void.
static void GoRound(int from, int to, int member, unsigned laps) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (unsigned lap = 0; lap < laps; ++lap) {
    uint64_t token;
    ReadAll(from, &token, sizeof(token));
    token = Fold(token, (uint64_t)member) + (uint64_t)(getppid() > 0);
    if ((lap + (unsigned)member) % 2 == 0) {
      volatile char *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) Die("mmap");
      memory[token % page] = 1;
      token += (uint64_t)memory[token % page] + (uint64_t)memory[(token + 1) % page];
      munmap((void *)memory, page);
    }
    WriteAll(to, &token, sizeof(token));
  }
}

typedef int RingPipes[kRings][kMembers][2];

static void ClosePipes(RingPipes pipes) {
  for (int ring = 0; ring < kRings; ++ring) {
    for (int member = 0; member < kMembers; ++member) {
      close(pipes[ring][member][0]);
      close(pipes[ring][member][1]);
    }
  }
}

// The life of a member. It has no other end of a pipe than its two: when one dies, those behind it read the end of theirs.
static void BeMember(RingPipes pipes, int ring, int member, unsigned laps) {
  const int from = dup(pipes[ring][member][0]);
  const int to = dup(pipes[ring][(member + 1) % kMembers][1]);
  if (from < 0 || to < 0) Die("dup");
  ClosePipes(pipes);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  GoRound(from, to, member, laps);
  _exit(ring + member);
}

// A storm of context switches: six rings of ten processes with a pipe between each two, and a token in each ring.
uint64_t Storm(unsigned rounds) {
  enum { kLaps = 50 };
  RingPipes pipes;
  pid_t children[kRings][kMembers];
  uint64_t checksum = 0;
  for (int ring = 0; ring < kRings; ++ring) {
    for (int member = 0; member < kMembers; ++member) {
      if (pipe(pipes[ring][member]) != 0) Die("pipe");
    }
  }
  fflush(stdout);
  for (int ring = 0; ring < kRings; ++ring) {
    for (int member = 0; member < kMembers; ++member) {
      children[ring][member] = fork();
      if (children[ring][member] < 0) Die("fork");
      if (children[ring][member] == 0) BeMember(pipes, ring, member, rounds * kLaps);
    }
  }
  int last[kRings];
  for (int ring = 0; ring < kRings; ++ring) {
    const uint64_t token = (uint64_t)ring;
    WriteAll(pipes[ring][0][1], &token, sizeof(token));
    last[ring] = dup(pipes[ring][0][0]);
    if (last[ring] < 0) Die("dup");
  }
  ClosePipes(pipes);
  for (int ring = 0; ring < kRings; ++ring) {
    for (int member = 0; member < kMembers; ++member) {
      checksum = Fold(checksum, (uint64_t)WaitFor(children[ring][member]));
    }
  }
  // The last member of a ring has handed its token on to nobody.
  for (int ring = 0; ring < kRings; ++ring) {
    uint64_t token;
    ReadAll(last[ring], &token, sizeof(token));
    checksum = Fold(checksum, token);
    close(last[ring]);
  }
  return checksum;
}
