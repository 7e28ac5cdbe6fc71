// Guest code and the host code made of it, for people.

#ifndef ISOCHRON_JIT_LIST_CODE_H_
#define ISOCHRON_JIT_LIST_CODE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "jit/region.h"
#include "jit/register_map.h"

namespace isochron::jit {

// Where the host code of something in a block begins, in bytes from the start of the region's.
struct CodeMark {
  enum class Kind : uint8_t {
    kBlock,        // what every block does first
    kInstruction,  // an instruction
    kEnd,  // what follows the last instruction of a block without a branch, and other blocks
  };
  Kind kind = Kind::kBlock;
  uint64_t pc = 0;
  uint32_t word = 0;
  size_t host = 0;
};

// Lines: which registers live where, and each guest instruction of a block followed by its host
// code. `marks` are those of one block, kEnd last; `code` is the host code of the region. A build
// without capstone lists bytes.
std::string ListCode(const RegisterMap& map, std::span<const CodeMark> marks,
                     std::span<const uint8_t> code);

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_LIST_CODE_H_
