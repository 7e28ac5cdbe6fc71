// What CPUs that share memory do to one another, as pieces of programs: for tests and generators of
// random programs.

#ifndef ISOCHRON_REF_CPU_DEEDS_H_
#define ISOCHRON_REF_CPU_DEEDS_H_

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "alpha/encode.h"
#include "alpha/memory.h"

namespace isochron::ref {

// What a program is made of.
enum class Deed : uint8_t {
  kLoad,         // of the page of data that all CPUs share
  kStore,        // to it
  kLoadMapped,   // of a page that each CPU maps in its own way
  kStoreMapped,  // to it
  kCount,        // up, under a lock, in the shared page
  kWrite,        // an instruction of the shared subroutines
  kCall,         // one of them, by a jump
  kBranch,       // to one of them
  kCallMapped,   // a subroutine that each CPU maps in its own way
  kMapData,      // the other of two pages
  kMapCode,      // the same for subroutines
};

inline constexpr std::array<Deed, 11> kAllDeeds = {
    Deed::kLoad, Deed::kStore,  Deed::kLoadMapped, Deed::kStoreMapped, Deed::kCount,  Deed::kWrite,
    Deed::kCall, Deed::kBranch, Deed::kCallMapped, Deed::kMapData,     Deed::kMapCode};

// The pages that deeds use, by physical address. Subroutines are in `subroutines` and in both pages
// of `mapped_code`.
struct DeedPages {
  uint64_t subroutines = 0;
  uint64_t mapped_code = 0;  // two pages
  uint64_t data = 0;
  uint64_t mapped_data = 0;  // two pages

  static constexpr uint64_t kKseg = 0xffff'fc00'0000'0000;
  // Where a CPU maps one page of the two.
  uint64_t virtual_data() const { return 0x4000'0000 + mapped_data; }
  uint64_t virtual_code() const { return 0x5000'0000 + mapped_code; }
  // What changes one page of the two to the other in DTB_PTE and ITB_PTE.
  uint64_t data_toggle() const {
    return (mapped_data ^ (mapped_data + alpha::kPageSize)) >> alpha::kPageShift << 32;
  }
  uint64_t code_toggle() const { return mapped_code ^ (mapped_code + alpha::kPageSize); }
};

// What deeds expect in registers when they begin, on the CPU of that number: not all begin with the
// same page of two. R1 to R4 have what is loaded and stored; R5 what subroutines make; R6 and R7
// how many conditional stores have succeeded and failed; R8, R21 and R26 are written; R27 counts
// kWrite.
inline std::vector<std::pair<uint32_t, uint64_t>> DeedRegisters(const DeedPages& pages,
                                                                uint32_t cpu) {
  namespace words = alpha::words;
  const uint64_t other = cpu % 2 * alpha::kPageSize;
  return {{16, DeedPages::kKseg + pages.data},
          {17, pages.virtual_data()},
          {18, DeedPages::kKseg + pages.subroutines},
          {19, pages.virtual_code()},
          {20, words::MemoryOp(alpha::Op::kLda, 5, 1, 5)},
          {22, (pages.mapped_data + other) >> alpha::kPageShift << 32 | words::kAllRead |
                   words::kAllWrite},
          {23, pages.data_toggle()},
          {24, (pages.mapped_code + other) | words::kAllRead},
          {25, pages.code_toggle()}};
}

inline constexpr uint32_t kSubroutines = 8;  // in a page, from its beginning

// A page of subroutines: each adds another multiple of `step` to R5 and changes R1.
inline std::vector<uint32_t> SubroutineWords(int step) {
  namespace words = alpha::words;
  using alpha::Op;
  std::vector<uint32_t> code;
  for (int i = 0; i < static_cast<int>(kSubroutines); ++i) {
    for (const uint32_t word :
         {words::MemoryOp(Op::kLda, 5, step * (i + 1), 5), words::Operate(Op::kXor, 5, 1, 1),
          words::JumpOp(Op::kRet, 31, 26), words::Nop()}) {
      code.push_back(word);
    }
  }
  return code;
}

// Appends a deed to code that begins at physical address `start`; `draw` says which register, which
// number in a page and which subroutine. It runs in kernel mode with
// superpages and, for kMapData and kMapCode, I_CTL<HWE>; nothing traps.
inline void AppendDeed(Deed deed, uint64_t start, const DeedPages& pages, uint64_t draw,
                       std::vector<uint32_t>& code) {
  namespace words = alpha::words;
  using alpha::Ipr;
  using alpha::Op;
  const auto reg = static_cast<uint32_t>(1 + draw % 4);
  const int quad = 8 * static_cast<int>((draw >> 8) % 32);
  const int subroutine = 16 * static_cast<int>((draw >> 16) % kSubroutines);
  const auto add = [&](std::vector<uint32_t> more) {
    code.insert(code.end(), more.begin(), more.end());
  };
  switch (deed) {
    case Deed::kLoad: return add({words::MemoryOp(Op::kLdq, reg, quad, 16)});
    case Deed::kStore:
      return add({words::MemoryOp(Op::kStq, reg, quad, 16),
                  words::MemoryOp(Op::kLda, reg, quad + 1, reg)});
    case Deed::kLoadMapped: return add({words::MemoryOp(Op::kLdq, reg, quad, 17)});
    case Deed::kStoreMapped: return add({words::MemoryOp(Op::kStq, reg, quad, 17)});
    case Deed::kCount:
      return add({words::MemoryOp(Op::kLdqL, 8, quad, 16),
                  words::OperateLiteral(Op::kAddq, 8, 1, 8), words::Operate(Op::kAddq, 1, 2, 2),
                  words::MemoryOp(Op::kStqC, 8, quad, 16), words::Operate(Op::kAddq, 6, 8, 6),
                  words::OperateLiteral(Op::kXor, 8, 1, 8), words::Operate(Op::kAddq, 7, 8, 7)});
    case Deed::kWrite:
      return add({words::OperateLiteral(Op::kAddq, 27, 1, 27),
                  words::OperateLiteral(Op::kAnd, 27, 0x7f, 21),
                  words::Operate(Op::kAddq, 20, 21, 21),
                  words::MemoryOp(Op::kStl, 21, subroutine, 18)});
    case Deed::kCall:
      return add({words::MemoryOp(Op::kLda, 21, subroutine, 18), words::JumpOp(Op::kJsr, 26, 21)});
    case Deed::kBranch: {
      const auto next = static_cast<int64_t>(start + 4 * (code.size() + 1));
      const int64_t distance = static_cast<int64_t>(pages.subroutines) + subroutine - next;
      return add({words::BranchOp(Op::kBsr, 26, static_cast<int>(distance / 4))});
    }
    case Deed::kCallMapped:
      return add({words::MemoryOp(Op::kLda, 21, subroutine, 19), words::JumpOp(Op::kJsr, 26, 21)});
    case Deed::kMapData:
      return add({words::Operate(Op::kXor, 22, 23, 22), words::Mtpr(17, Ipr::kDtbTag0),
                  words::Mtpr(22, Ipr::kDtbPte0)});
    case Deed::kMapCode:
      return add({words::Operate(Op::kXor, 24, 25, 24), words::Mtpr(19, Ipr::kItbTag),
                  words::Mtpr(24, Ipr::kItbPte)});
  }
}

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_CPU_DEEDS_H_
