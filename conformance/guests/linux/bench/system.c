// Programs whose work is the kernel's: system calls, processes, page faults.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

// Small calls: nothing at all, files on tmpfs, a pipe.
uint64_t SystemCalls(unsigned rounds) {
  static const char kFile[] = "/tmp/bench-file";
  char buffer[256];
  uint64_t checksum = 0;
  int ends[2];
  if (pipe(ends) != 0) Die("pipe");
  memset(buffer, 'x', sizeof(buffer));
  for (unsigned round = 0; round < rounds; ++round) {
    for (int i = 0; i < 1000; ++i) {
      checksum += (uint64_t)syscall(SYS_umask, 022);
      if (write(ends[1], buffer, 64) != 64 || read(ends[0], buffer + 64, 64) != 64) Die("pipe");
      const int file = open(kFile, O_RDWR | O_CREAT | O_TRUNC, 0600);
      if (file < 0) Die(kFile);
      if (write(file, buffer, sizeof(buffer)) != sizeof(buffer)) Die(kFile);
      checksum += (uint64_t)lseek(file, i % 200, SEEK_SET);
      if (read(file, buffer, 16) != 16) Die(kFile);
      struct stat info;
      if (fstat(file, &info) != 0 || stat(kFile, &info) != 0) Die(kFile);
      checksum += (uint64_t)info.st_size;
      close(file);
    }
    checksum = Fold(checksum, round);
  }
  unlink(kFile);
  close(ends[0]);
  close(ends[1]);
  return checksum;
}

int WaitFor(pid_t child) {
  int status;
  if (child < 0) Die("fork");
  if (waitpid(child, &status, 0) != child) Die("waitpid");
  return status;
}

// Half of the children execute this program again, to do nothing; the others end at once.
uint64_t ForkExec(unsigned rounds) {
  uint64_t checksum = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      if (round & 1) _exit((int)(round % 100));
      execl("/proc/self/exe", "bench", kNothing, (char *)NULL);
      _exit(127);
    }
    checksum = Fold(checksum + round + 1, (uint64_t)WaitFor(child));
  }
  return checksum;
}

uint64_t FoldOutput(uint64_t checksum, const char *const arguments[], int *status) {
  char buffer[4096];
  int ends[2];
  ssize_t size;
  if (pipe(ends) != 0) Die("pipe");
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execvp(arguments[0], (char *const *)arguments);
    _exit(127);
  }
  close(ends[1]);
  while ((size = read(ends[0], buffer, sizeof(buffer))) > 0) checksum = FoldBytes(checksum, buffer, (size_t)size);
  close(ends[0]);
  *status = WaitFor(child);
  return Fold(checksum, (uint64_t)*status);
}

// A shell script (bench-shell) of pipes, substitutions and small commands; the checksum is that of what it prints.
uint64_t Shell(unsigned rounds) {
  char count[16];
  snprintf(count, sizeof(count), "%u", rounds);
  const char *const arguments[] = {"bench-shell", count, NULL};
  int status = 0;
  return FoldOutput(0, arguments, &status);
}

// Fresh pages by mmap, and pages that a child must copy.
uint64_t PageFaults(unsigned rounds) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = 1024;
  uint64_t checksum = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    char *memory = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) Die("mmap");
    for (size_t i = 0; i < pages; ++i) {
      checksum += (uint64_t)memory[i * page];
      memory[i * page + i % page] = (char)i;
    }
    const pid_t child = fork();
    if (child == 0) {
      for (size_t i = 0; i < pages; i += 2) memory[i * page] = 1;
      _exit(memory[page + 1]);
    }
    checksum = Fold(checksum + round, (uint64_t)WaitFor(child));
    munmap(memory, pages * page);
  }
  return checksum;
}
