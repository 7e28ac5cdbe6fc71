// Reading an instruction as the CPU would fetch it, with nothing noticed by anybody.

#ifndef ISOCHRON_ALPHA_FETCH_WORD_H_
#define ISOCHRON_ALPHA_FETCH_WORD_H_

#include <cstdint>
#include <optional>

#include "alpha/cpu.h"
#include "alpha/memory.h"

namespace isochron::alpha {

// The physical address that an instruction is fetched from at `pc`, whose bit 0 says whether in
// PALmode, in the state of `cpu`. Nothing when it cannot be fetched.
std::optional<uint64_t> FetchAddress(const Cpu& cpu, const Memory& memory, uint64_t pc);

// The word that is there.
std::optional<uint32_t> FetchWord(const Cpu& cpu, const Memory& memory, uint64_t pc);

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_FETCH_WORD_H_
