// What translated code refers to that each CPU has of its own.

#ifndef ISOCHRON_JIT_CPU_TABLES_H_
#define ISOCHRON_JIT_CPU_TABLES_H_

#include <cstddef>
#include <cstdint>

#include "alpha/translate.h"
#include "ref/cpu_view.h"

namespace isochron::jit {

// What a guest PC is translated by when instructions are fetched.
enum class FetchClass : uint8_t {
  kMapped,     // the ITB
  kPal,        // nothing
  kSuperpage,  // SPE[1] of I_CTL, which is all that operating systems for Alpha enable; if it is
               // not, then the ITB
};
inline constexpr int kFetchClasses = 3;

constexpr FetchClass FetchClassOf(uint64_t pc) {
  if ((pc & 1) != 0) return FetchClass::kPal;
  return alpha::InSuperpage1(pc) ? FetchClass::kSuperpage : FetchClass::kMapped;
}

// How code that leads to another place knows that it still may. Translated code follows a
//   - mapped place while FetchLookaside has for its page the key `key | Frame::fetch_context`: it
//     names page, virtual address, address space and mode. So links outlast context switches and
//     what happens to other pages in the ITB;
//   - place in a superpage or in PALmode while `key` is Frame::fetch_context.
//
// Where Frame::fetch_context has the mode of superpages.
inline constexpr int kSuperpageModeShift = 4;
// The lowest bits of a mapped key, below those that name the page.
inline constexpr int kFetchKeyShift = alpha::kPageShift;

// How a direct branch leaves translated code. Unlinked, it goes back to the engine.
struct ExitSlot {
  const uint8_t* code = nullptr;  // where the branch jumps to
  uint64_t key = 0;               // kSamePage: it may at any time, it does not leave the page
  uint64_t target = 0;            // guest PC

  static constexpr uint64_t kSamePage = 1;
};

// A guest PC that has been entered, for indirect jumps.
struct JumpEntry {
  static constexpr uint64_t kNoKey = 0;

  uint64_t pc = 2;  // which none is
  uint64_t key = 0;
  const uint8_t* code = nullptr;
  // For a mapped place, where FetchLookaside has the key of its page.
  const uint64_t* page_key = &kNoKey;
};

// Code is shared, where it leads to is not: each CPU has its own ITB. While translated code runs,
// the stack pointer is in the tables of its CPU, at `bases`: code for several CPUs finds them by
// it. Code for one CPU alone has the addresses of that CPU's tables in it, which are below 2 GiB:
// it is a hundredth faster.
struct CpuTables final : ref::CpuView {
  static constexpr uint32_t kJumpEntries = 16384;
  static constexpr uint32_t kExitSlots = 1 << 16;
  // The bits that choose an entry of `jumps`, of a PC combined with the same shifted right by so
  // much: places of a kernel are a multiple of a power of two apart more often than not.
  static constexpr uint32_t kJumpMask = (kJumpEntries - 1) << 2;
  static constexpr int kJumpShift = 11;

  using ref::CpuView::CpuView;

  // Where a jump to `pc` is, if it is there.
  JumpEntry& JumpTo(uint64_t pc) { return jumps[((pc >> kJumpShift ^ pc) & kJumpMask) >> 2]; }

  // Changes with I_CTL and with the code that there is: all that fetches in PALmode and superpages
  // depend on, beside the mode.
  uint64_t generation = 1;
  // PC at which the CPU's last turn ended.
  uint64_t left_at = ~uint64_t{0};
  // How many turns the CPU may have before somebody looks whether it only waits.
  uint32_t turns_before_look = 0;
  JumpEntry jumps[kJumpEntries] = {};
  ExitSlot slots[kExitSlots] = {};

  // The stack of translated code, for its own few calls and for signals of the host that come
  // meanwhile. Not for C++, which runs on that of who has called the engine.
  static constexpr size_t kStackBytes = 64 << 10;
  alignas(16) uint8_t stack[kStackBytes];
  // Right behind it: the slots of AccessGroups.
  static constexpr int kBases = 16;
  uint64_t bases[kBases];
};

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_CPU_TABLES_H_
