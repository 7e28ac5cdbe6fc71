// What translated code refers to that each CPU has of its own.

#ifndef ISOCHRON_JIT_CPU_TABLES_H_
#define ISOCHRON_JIT_CPU_TABLES_H_

#include <cstdint>

#include "ref/cpu_view.h"

namespace isochron::jit {

// How a direct branch leaves translated code. Unlinked, it goes back to the engine.
struct ExitSlot {
  const uint8_t* code;     // where the branch jumps to
  uint64_t fetch_context;  // while which it may; kSamePage: at any time, it does not leave the page
  uint64_t target;         // guest PC

  static constexpr uint64_t kSamePage = 1;
};

// A guest PC that has been entered, for indirect jumps.
struct JumpEntry {
  uint64_t pc;
  uint64_t fetch_context;
  const uint8_t* code;
  uint64_t unused;
};

// Code is shared, where it leads to is not: each CPU has its own ITB. Code for one CPU alone has
// the addresses of that CPU's tables in it; code for several finds those of the CPU that runs by a
// register (Emitter). The tables of one CPU alone lie below 2 GiB.
struct CpuTables final : ref::CpuView {
  static constexpr uint32_t kJumpEntries = 4096;
  static constexpr uint32_t kExitSlots = 1 << 16;
  // The lowest bits of a PC that choose an entry of `jumps`.
  static constexpr uint32_t kJumpMask = (kJumpEntries - 1) << 2;

  using ref::CpuView::CpuView;

  // Of all that instruction fetches depend on.
  uint64_t generation = 1;
  // PC at which the CPU's last turn ended.
  uint64_t left_at = ~uint64_t{0};
  // How many turns the CPU may have before somebody looks whether it only waits.
  uint32_t turns_before_look = 0;
  JumpEntry jumps[kJumpEntries] = {};
  ExitSlot slots[kExitSlots] = {};
};

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_CPU_TABLES_H_
