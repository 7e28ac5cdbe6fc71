#include "cli/host/sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/host/terminal.h"
#include "cli/text/exit_code.h"
#include "hostio/sanitizers.h"

namespace isochron::cli {
namespace {

constexpr unsigned kRun = 1 << static_cast<int>(SandboxMode::kRun);
constexpr unsigned kRecord = 1 << static_cast<int>(SandboxMode::kRecord);
constexpr unsigned kReplay = 1 << static_cast<int>(SandboxMode::kReplay);
constexpr unsigned kConform = 1 << static_cast<int>(SandboxMode::kConform);
constexpr unsigned kWriters = kRecord | kReplay | kConform;
constexpr unsigned kNetwork = 1 << static_cast<int>(SandboxMode::kNetwork);
constexpr unsigned kGuests = kRun | kWriters;
constexpr unsigned kAll = kGuests | kNetwork;

// What a system call may be given.
enum class Limit : uint8_t {
  kNone,
  kRefused,     // nothing: it fails with `error`, and the caller does without
  kNoCode,      // memory that is not executable
  kReadOnly,    // a file, to be read
  kThread,      // a thread of this process
  kThisProcess  // a signal to this process
};

struct Rule {
  const char* name;
  unsigned modes;
  Limit limit = Limit::kNone;
  int error = 0;
};

// A call may have several rules. What the C library does by more than one call, depending on
// version and architecture, is here with all of them.
constexpr Rule kRules[] = {
    // Memory. A translator has its code memory already; those of conform are made anew.
    {"brk", kAll},
    {"madvise", kAll},
    {"mincore", kGuests},
    {"mmap", kRun | kRecord | kReplay | kNetwork, Limit::kNoCode},
    {"mmap", kConform},
    {"mprotect", kRun | kRecord | kReplay | kNetwork, Limit::kNoCode},
    {"mprotect", kConform},
    {"mremap", kAll},
    {"munmap", kAll},
    // Threads, signals and the end.
    {"clone", kRun | kRecord | kReplay, Limit::kThread},
    {"clone", kConform},
    {"clone3", kAll, Limit::kRefused, ENOSYS},  // its arguments cannot be seen; clone is tried then
    {"exit", kAll},
    {"exit_group", kAll},
    {"futex", kAll},
    {"getpid", kAll},
    {"getppid", kGuests},
    {"getpgrp", kGuests},
    {"getpgid", kGuests},
    {"gettid", kAll},
    {"kill", kGuests, Limit::kThisProcess},
    {"membarrier", kGuests},
    {"restart_syscall", kAll},
    {"rseq", kAll},
    {"rt_sigaction", kAll},
    {"rt_sigprocmask", kAll},
    {"rt_sigreturn", kAll},
    {"rt_sigtimedwait", kGuests},
    {"sched_getaffinity", kGuests},
    {"sched_yield", kGuests},
    {"set_robust_list", kGuests},
    {"set_tid_address", kGuests},
    {"sigaltstack", kGuests},
    {"tgkill", kRun | kRecord | kReplay, Limit::kThisProcess},
    {"tgkill", kConform},
    {"tkill", kConform},
    // Time, and what the host is.
    {"clock_getres", kGuests},
    {"clock_gettime", kAll},
    {"clock_nanosleep", kGuests},
    {"getrandom", kAll},
    {"getrlimit", kGuests},
    {"getrusage", kGuests},
    {"gettimeofday", kAll},
    {"nanosleep", kGuests},
    {"prlimit64", kGuests},
    {"sysinfo", kGuests},
    {"time", kAll},
    {"times", kGuests},
    {"uname", kGuests},
    // What is open: console, log, disks, terminal, events, the control channel.
    {"close", kAll},
    {"dup", kGuests},
    {"dup2", kGuests},
    {"dup3", kGuests},
    {"eventfd2", kGuests},
    {"fallocate", kGuests},
    {"fcntl", kAll},
    {"fdatasync", kGuests},
    {"flock", kGuests},
    {"fstat", kAll},
    {"fsync", kGuests},
    {"ftruncate", kGuests},
    {"getsockopt", kAll},
    {"ioctl", kAll},
    {"lseek", kAll},
    {"poll", kAll},
    {"ppoll", kAll},
    {"pread64", kGuests},
    {"pwrite64", kGuests},
    {"read", kAll},
    {"readv", kAll},
    {"recvfrom", kAll},
    {"recvmsg", kAll},
    {"select", kGuests},
    {"pselect6", kGuests},
    {"sendmsg", kAll},
    {"sendto", kAll},
    {"shutdown", kAll},
    {"signalfd4", kGuests},
    {"sync_file_range", kGuests},
    {"write", kAll},
    {"writev", kAll},
    {"accept", kAll},
    {"accept4", kAll},
    // Names. The C library looks for this and that, and does without; our own socket is unlinked.
    {"access", kGuests},
    {"faccessat", kGuests},
    {"faccessat2", kGuests},
    {"getcwd", kGuests},
    {"lstat", kGuests},
    {"newfstatat", kAll},
    {"fstatat64", kAll},
    {"readlink", kGuests},
    {"readlinkat", kGuests},
    {"stat", kAll},
    {"statx", kAll},
    {"unlink", kGuests},
    {"unlinkat", kGuests},
    {"open", kRun, Limit::kRefused, EACCES},
    {"openat", kRun, Limit::kRefused, EACCES},
    // A log and what stands beside it are written under other names, locked and renamed.
    {"fchmod", kWriters},
    {"getdents64", kWriters},
    {"link", kWriters},
    {"linkat", kWriters},
    {"open", kWriters},
    {"openat", kWriters},
    {"rename", kWriters},
    {"renameat", kWriters},
    {"renameat2", kWriters},
    {"umask", kWriters},
    {"fstatfs", kWriters},
    {"statfs", kWriters},
    // The first difference is looked for in children that have their own copies of memory.
    {"fork", kConform},
    {"memfd_create", kConform},
    {"pipe", kConform},
    {"pipe2", kConform},
    {"vfork", kConform},
    {"wait4", kConform},
    // libslirp's sockets, and the host's name servers, which it looks up in /etc/resolv.conf.
    {"bind", kNetwork},
    {"connect", kNetwork},
    {"getpeername", kNetwork},
    {"getsockname", kNetwork},
    {"listen", kNetwork},
    {"open", kNetwork, Limit::kReadOnly},
    {"openat", kNetwork, Limit::kReadOnly},
    {"close_range", kNetwork},
    {"setsockopt", kNetwork},
    {"socket", kNetwork},
};

std::string_view LimitText(const Rule& rule) {
  switch (rule.limit) {
    case Limit::kNone: return "";
    case Limit::kRefused: return rule.error == ENOSYS ? " (fails: ENOSYS)" : " (fails: EACCES)";
    case Limit::kNoCode: return " (not executable)";
    case Limit::kReadOnly: return " (for reading)";
    case Limit::kThread: return " (threads)";
    case Limit::kThisProcess: return " (to itself)";
  }
  return "";
}

// A signal handler reaches nothing but globals, and may not ask libseccomp for a name.
struct Names {
  std::array<char[24], 512> of = {};
};
Names g_names;

void LearnNames() {
  for (size_t number = 0; number < g_names.of.size(); ++number) {
    const std::unique_ptr<char, decltype(&free)> name(
        seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number)), free);
    if (name != nullptr) strncpy(g_names.of[number], name.get(), sizeof g_names.of[number] - 1);
  }
}

void WriteText(const char* text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, strlen(text));
}

// Async-signal-safe.
void OnRefusedCall(int, siginfo_t* info, void*) {
  RawTerminal::LeaveNow();
  unsigned number = static_cast<unsigned>(info->si_syscall);
  char digits[12] = {};
  char* first = digits + sizeof digits - 1;
  for (unsigned rest = number; first == digits + sizeof digits - 1 || rest != 0; rest /= 10) {
    *--first = static_cast<char>('0' + rest % 10);
  }
  WriteText("isochron: the sandbox refused system call ");
  WriteText(first);
  WriteText(" (");
  WriteText(number < g_names.of.size() && g_names.of[number][0] != '\0' ? g_names.of[number]
                                                                        : "unknown");
  WriteText("): a fault of isochron; --sandbox off does without it\n");
  _exit(ToInt(ExitCode::kInternal));
}

absl::Status HostRefuses(std::string_view what, int error) {
  return absl::UnavailableError(
      absl::StrCat(absl::string_view(what.data(), what.size()), ": ", strerror(error)));
}

int AddRule(scmp_filter_ctx filter, const Rule& rule) {
  const int number = seccomp_syscall_resolve_name(rule.name);
  if (number < 0) return 0;  // this architecture has no such call
  switch (rule.limit) {
    case Limit::kNone: return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
    case Limit::kRefused:
      return seccomp_rule_add(filter, SCMP_ACT_ERRNO(static_cast<uint32_t>(rule.error)), number, 0);
    case Limit::kNoCode:
      return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
                              SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    case Limit::kReadOnly: {
      // Its flags, which follow the name.
      const unsigned flags = number == SCMP_SYS(openat) ? 2 : 1;
      return seccomp_rule_add(
          filter, SCMP_ACT_ALLOW, number, 1,
          SCMP_CMP64(flags, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
    }
    case Limit::kThread:
      return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
                              SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    case Limit::kThisProcess:
      return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
                              SCMP_A0_64(SCMP_CMP_EQ, static_cast<uint64_t>(getpid())));
  }
  return 0;
}

}  // namespace

const char* SandboxModeName(SandboxMode mode) {
  switch (mode) {
    case SandboxMode::kRun: return "run";
    case SandboxMode::kRecord: return "record";
    case SandboxMode::kReplay: return "replay";
    case SandboxMode::kConform: return "conform";
    case SandboxMode::kNetwork: return "network";
  }
  return "";
}

std::string WhyNoSandbox() {
  if (hostio::kAddressSanitizer || hostio::kThreadSanitizer) {
    return "a sanitizer's run-time library makes system calls of its own";
  }
  const char* const preload = getenv("LD_PRELOAD");
  if (preload != nullptr && strstr(preload, "/vgpreload_") != nullptr) {
    return "valgrind makes system calls of its own";
  }
  return "";
}

absl::Status EnterSandbox(SandboxMode mode) {
  LearnNames();
  struct sigaction action = {};
  action.sa_sigaction = OnRefusedCall;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  if (sigaction(SIGSYS, &action, nullptr) != 0) return HostRefuses("SIGSYS", errno);

  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return HostRefuses("no_new_privs", errno);
  const std::unique_ptr<void, decltype(&seccomp_release)> filter(seccomp_init(SCMP_ACT_TRAP),
                                                                 seccomp_release);
  if (filter == nullptr) return absl::UnavailableError("libseccomp has no memory");
  int result = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  // Their order is that of the table, most used last; a tree finds any in a few steps.
  if (result == 0) result = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  for (const Rule& rule : kRules) {
    if (result != 0) break;
    if ((rule.modes & 1u << static_cast<int>(mode)) != 0) result = AddRule(filter.get(), rule);
  }
  if (result == 0) result = seccomp_load(filter.get());
  return result == 0 ? absl::OkStatus() : HostRefuses("seccomp", -result);
}

std::string SandboxTable() {
  std::string table =
      "| call | run | record | replay | conform | network |\n|---|---|---|---|---|---|\n";
  std::vector<std::string_view> done;
  for (const Rule& first : kRules) {
    const std::string_view name = first.name;
    bool again = false;
    for (std::string_view other : done) again = again || other == name;
    if (again) continue;
    done.push_back(name);
    absl::StrAppend(&table, "| ", first.name, " |");
    for (unsigned mode = 0; mode < kSandboxModes; ++mode) {
      std::string cell;
      for (const Rule& rule : kRules) {
        if (rule.name != name || (rule.modes & 1u << mode) == 0) continue;
        cell = rule.limit == Limit::kRefused ? "no" : "yes";
        cell += LimitText(rule);
      }
      absl::StrAppend(&table, " ", cell, cell.empty() ? "|" : " |");
    }
    table += "\n";
  }
  return table;
}

}  // namespace isochron::cli
