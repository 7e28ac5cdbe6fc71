// What translated code refers to beside the CPU and its tables: it lies below 2 GiB, so that an
// absolute address is a displacement.

#ifndef ISOCHRON_JIT_FRAME_H_
#define ISOCHRON_JIT_FRAME_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "alpha/cpu.h"
#include "alpha/fpcr.h"
#include "alpha/integer.h"
#include "alpha/memory.h"
#include "alpha/translate.h"
#include "jit/cpu_tables.h"
#include "ref/operation.h"

namespace isochron::jit {

class JitEngine;

// Where a piece of translated code can be entered: at the start of a guest block.
struct Translation {
  const uint8_t* code = nullptr;
  uint64_t virtual_page = 0;  // of the block, with the PALmode bit
  uint64_t physical_page = 0;
  ref::DecodeMode mode = ref::DecodeMode::kNative;
  bool uses_float = false;  // to be entered only while floating point is enabled
  uint32_t needed = 0;      // cycles that must be left for the first block
};

// What is left of a slice, in one register: its cycles, above a count of instructions that goes
// down. A block takes its share of both at once, and what is left is negative when it takes too
// many cycles.
struct Budget {
  static constexpr int kInstructionBits = 18;
  static constexpr int64_t kInstructionMask = (int64_t{1} << kInstructionBits) - 1;
  // Every instruction costs a cycle or more: a longer slice could retire more than fit.
  static constexpr uint64_t kMaxCycles = uint64_t{1} << (kInstructionBits - 1);

  static constexpr int64_t Of(int64_t cycles, int64_t instructions) {
    return (cycles << kInstructionBits) + instructions;
  }
  // That of a slice of so many cycles when it starts.
  static constexpr int64_t Whole(uint64_t cycles) {
    return Of(static_cast<int64_t>(cycles), kInstructionMask);
  }
  static constexpr int64_t CyclesLeft(int64_t budget) { return budget >> kInstructionBits; }
};

struct Frame {
  // MXCSR: everything masked, nearest even, no flag set.
  static constexpr uint32_t kCleanMxcsr = 0x1f80;
  static constexpr uint32_t kChoppedMxcsr = kCleanMxcsr | 0x6000;
  // Its flags: "inexact", and all others.
  static constexpr uint32_t kMxcsrInexact = 0x20;
  static constexpr uint32_t kMxcsrErrors = 0x1f;

  // Numbers of one sign and format between two that are left out, as register images, doubled.
  struct Range {
    constexpr Range(uint64_t low, uint64_t high) : above(2 * low + 2), span(2 * high - above) {}
    uint64_t above;  // the first
    uint64_t span;   // what is beyond the last, minus that
  };

  static constexpr std::array<uint64_t, 256> ByteMasks() {
    std::array<uint64_t, 256> masks = {};
    for (size_t i = 0; i < masks.size(); ++i) masks[i] = alpha::ByteMask(i);
    return masks;
  }

  // By bits, the bytes that they stand for.
  std::array<uint64_t, 256> byte_masks = ByteMasks();

  // Constants for SSE instructions.
  alignas(16) uint64_t sign_mask[2] = {uint64_t{1} << 63, uint64_t{1} << 63};
  alignas(16) uint64_t byte_signs[2] = {0x8080'8080'8080'8080, 0x8080'8080'8080'8080};
  alignas(16) uint64_t compare_true[2] = {uint64_t{1} << 62, uint64_t{1} << 62};  // 2.0

  // The numbers that a result can be without any flag but inexact. What is rounded to the smallest
  // normal number may be an underflow, to the largest an overflow.
  Range double_range{0x0010'0000'0000'0000, 0x7fef'ffff'ffff'ffff};
  Range single_range{0x3810'0000'0000'0000, 0x47ef'ffff'e000'0000};

  uint64_t fpcr_writable = alpha::fpcr::kImplementedMask & ~alpha::fpcr::kSummary;
  uint64_t fpcr_status = alpha::fpcr::kStatusMask;
  uint64_t physical_mask = alpha::kPhysicalMask;

  uint64_t memory_base = 0;   // host address of physical address 0
  uint64_t memory_size = 0;   // bytes that physical references may be to without being told of
  uint64_t memory_marks = 0;  // Memory::marks()

  // The superpage of data that operating systems use: its first address, how much of it is RAM that
  // may be referred to now (all but the last page), the same in kernel mode, and what to add to an
  // address.
  uint64_t kseg_base = 0xffff'fc00'0000'0000;
  uint64_t kseg_size = 0;
  uint64_t kseg_limit = 0;
  uint64_t kseg_addend = 0;

  uint64_t slice_end = 0;  // the cycle at which this run of translated code ends
  // Instructions retired when it began, and Budget::kInstructionMask.
  uint64_t instruction_base = 0;
  // By FetchClass, what instruction fetches depend on: of mapped ones address space and mode, as in
  // DataContext(); of others a number that no mapped one has: with CpuTables::generation and mode.
  uint64_t fetch_context[kFetchClasses] = {};
  uint64_t& FetchContext(FetchClass fetch) { return fetch_context[static_cast<int>(fetch)]; }

  // Context::data_context as it would be in kernel mode.
  uint64_t kernel_context = 0;

  uint32_t clean_mxcsr = kCleanMxcsr;
  uint32_t chopped_mxcsr = kChoppedMxcsr;
  uint32_t mxcsr = 0;            // scratch
  uint8_t look_for_inexact = 0;  // whether the FPCR does not have the bit for inexact

  uint64_t* stack = nullptr;  // CpuTables::bases of the CPU that runs
  uint64_t host_stack = 0;    // stack pointer of who has called translated code

  int64_t budget = 0;  // see `run_golden`

  // Where the next note for Deadline::sink goes, while translated code does not run that makes
  // some.
  uint32_t* next_note = nullptr;

  // Code that every translation shares; see jit/thunks.h.
  const uint8_t* exit = nullptr;
  const uint8_t* exit_synced = nullptr;
  const uint8_t* golden = nullptr;
  // C++ that this code calls. Gives what is to happen next: kGoOn behind the instruction, kLeave
  // translated code, or, when an exception has been entered that is translated, where its code is:
  // `budget` is then what is left.
  uint64_t (*run_golden)(JitEngine* engine, alpha::Cpu* cpu, const Translation* place,
                         uint32_t offset, int64_t budget) = nullptr;
  static constexpr uint64_t kGoOn = 0;
  static constexpr uint64_t kLeave = 1;
};

// Translated code addresses the CPU relative to this member, so that all integer registers
// are within the reach of a byte.
inline constexpr size_t kCpuBias = offsetof(alpha::Cpu, r) + 16 * sizeof(uint64_t);

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_FRAME_H_
