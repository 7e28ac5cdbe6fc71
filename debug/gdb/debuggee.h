// What a gdb stub needs of the machine that it shows.

#ifndef ISOCHRON_DEBUG_GDB_DEBUGGEE_H_
#define ISOCHRON_DEBUG_GDB_DEBUGGEE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace isochron::debug {

// Registers as gdb numbers them on Alpha, each a quadword.
inline constexpr int kGdbRegisters = 67;
inline constexpr int kGdbZero = 31;
inline constexpr int kGdbFloat = 32;  // F0; up to F30
inline constexpr int kGdbFpcr = 63;
inline constexpr int kGdbPc = 64;
inline constexpr int kGdbUnnamed = 65;
inline constexpr int kGdbUnique = 66;
inline constexpr int kGdbSp = 30;

// A place at which a run is to stop. Two are the same when all of it is.
struct Stoppoint {
  // The numbers of the protocol.
  enum class Kind : uint8_t {
    kSoftwareBreakpoint,
    kHardwareBreakpoint,
    kWrite,
    kRead,
    kAccess,
  };
  Kind kind = Kind::kSoftwareBreakpoint;
  uint64_t address = 0;
  uint64_t size = 0;  // bytes; of a breakpoint that of an instruction

  friend bool operator==(const Stoppoint&, const Stoppoint&) = default;
};

// How the machine is to go on.
struct Resume {
  enum class Kind : uint8_t {
    kContinue,
    kStep,
    kRange,  // by steps while the PC is from `begin` to before `end`
  };
  Kind kind = Kind::kContinue;
  bool backward = false;
  int cpu = 0;  // the one that steps, or that the client looks at
  uint64_t begin = 0;
  uint64_t end = 0;

  friend bool operator==(const Resume&, const Resume&) = default;
};

// Why it stands where it does.
struct StopReport {
  enum class Reason : uint8_t {
    kStepped,      // as asked for, or nothing special
    kStoppoint,    // at `stoppoint`; a watchpoint was referred to at `address`
    kBegin,        // of the recording: there is nothing before it
    kEnd,          // of the recording
    kInterrupted,  // the client has asked for it
  };
  Reason reason = Reason::kStepped;
  int cpu = 0;
  std::optional<Stoppoint> stoppoint;
  uint64_t address = 0;
  std::string message;  // for the person at gdb, in lines; may be empty
};

// The machine that a stub shows to gdb. It stands still but in Go() and Restart().
class Debuggee {
 public:
  virtual ~Debuggee() = default;

  // CPUs are numbered from 0; gdb sees a thread for each.
  virtual int cpus() const = 0;

  // `number` is one of gdb's. Nothing when the register has no value that could be known.
  virtual std::optional<uint64_t> ReadRegister(int cpu, int number) = 0;
  // As many of the bytes from the virtual address on as can be read: none when the first cannot.
  virtual std::string ReadMemory(int cpu, uint64_t address, uint64_t size) = 0;
  // OK: it may be changed, and was. Otherwise why it may not, for a person.
  virtual absl::Status WriteRegister(int cpu, int number, uint64_t value) = 0;
  virtual absl::Status WriteMemory(int cpu, uint64_t address, std::string_view bytes) = 0;

  // A stoppoint that is there already, or is not there, is no error.
  virtual absl::Status Insert(const Stoppoint& stoppoint) = 0;
  virtual absl::Status Remove(const Stoppoint& stoppoint) = 0;

  // Runs. `interrupted` is to be asked now and then: true ends the run, wherever that is.
  virtual StopReport Go(const Resume& resume, const std::function<bool()>& interrupted) = 0;
  // Whether a client that kills the machine ends it for good, also one that could run it again.
  virtual bool ends_when_killed() const { return false; }
  // Begins anew.
  virtual StopReport Restart(const std::function<bool()>& interrupted) = 0;

  // What a command of gdb's `monitor` answers, in lines, also when it is wrong. `cpu` is the one
  // that the client looks at.
  virtual std::string Monitor(int cpu, std::string_view command,
                              const std::function<bool()>& interrupted) = 0;
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_GDB_DEBUGGEE_H_
