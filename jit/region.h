// Which guest code is translated together.

#ifndef ISOCHRON_JIT_REGION_H_
#define ISOCHRON_JIT_REGION_H_

#include <cstdint>
#include <vector>

#include "alpha/decode.h"
#include "alpha/memory.h"
#include "jit/frame.h"
#include "ref/code_page.h"
#include "ref/operation.h"

namespace isochron::jit {

// An instruction with its registers resolved to places in Cpu::r or Cpu::f. R31 and F31 keep
// their number: the place that reads as zero and is not written.
struct GuestInstruction {
  alpha::Instruction word;
  uint8_t ra = 31;
  uint8_t rb = 31;
  uint8_t rc = 31;
  uint16_t cost_before = 0;  // cycles of the instructions before it in its block
  // Places in Cpu::r, a bit each, without R31.
  uint64_t reads = 0;
  uint64_t writes = 0;
  uint32_t float_writes = 0;  // places in Cpu::f, without F31
  // Whether it can do nothing but go on: no exception, no golden function, no branch.
  bool plain = false;
};

// A run of instructions with one entry and one end.
struct GuestBlock {
  static constexpr int kNoBlock = -1;

  uint32_t start = 0;  // offset in the page, bytes
  std::vector<GuestInstruction> code;
  uint32_t cost = 0;  // cycles
  // The blocks of the region behind a direct branch that is taken, and behind the last
  // instruction; kNoBlock: not in the region.
  int taken = kNoBlock;
  int next = kNoBlock;
  uint32_t depth = 0;  // how many loops of the region it is in

  // How many cycles must be left for the block to be run: its last boundary, too, must lie
  // before the deadline.
  uint32_t needed() const;
  // What it takes of the budget, and what the instructions from `index` on take of that.
  int64_t budget() const { return budget_from(0); }
  int64_t budget_from(size_t index) const {
    return Budget::Of(needed() - code[index].cost_before,
                      static_cast<int64_t>(code.size() - index));
  }
  uint32_t end() const { return start + 4 * static_cast<uint32_t>(code.size()); }
  const alpha::Instruction& last() const { return code.back().word; }
};

// The blocks of one page that are reached from an entry by direct branches, as far as they
// have been executed before. `blocks` is in the order of addresses.
struct Region {
  std::vector<GuestBlock> blocks;
  int entry = 0;  // index of the entry
  uint32_t instructions = 0;
  bool uses_float = false;

  static constexpr uint32_t kMaxInstructions = 512;
  static constexpr uint32_t kMaxBlocks = 64;
};

// Collects the region that is entered at `offset` of `page`, whose bytes are at `code`. With a
// `limit` it is one block of at most so many instructions.
Region FormRegion(const ref::CodePage& page, const uint8_t* code, uint32_t offset,
                  uint32_t limit = 0);

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_REGION_H_
