// The code that every translation shares: the way in from C++ and the ways out.

#ifndef ISOCHRON_JIT_THUNKS_H_
#define ISOCHRON_JIT_THUNKS_H_

#include <cstdint>

#include "alpha/cpu.h"
#include "jit/code_memory.h"
#include "jit/frame.h"

namespace isochron::jit {

// Runs translated code from `code` on until it leaves, with the Budget `budget`. Gives the slot of
// the exit that was taken, nullptr when it had none.
using EnterFunction = ExitSlot* (*)(const uint8_t* code, alpha::Cpu* cpu, int64_t budget);

// Writes the shared code into `memory`, notes it in the frame, and gives the way in. nullptr
// when the assembler failed.
EnterFunction EmitThunks(CodeMemory& memory, Frame& frame, JitEngine* engine);

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_THUNKS_H_
