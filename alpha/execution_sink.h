// Who is told of everything that a CPU executes.

#ifndef ISOCHRON_ALPHA_EXECUTION_SINK_H_
#define ISOCHRON_ALPHA_EXECUTION_SINK_H_

#include <cstdint>
#include <span>

#include "alpha/cpu.h"
#include "alpha/decode.h"

namespace isochron::alpha {

// R30, by convention.
inline constexpr int kStackPointer = 30;

// Whether an instruction may go elsewhere and leaves no trace of the kind that a branch leaves, so
// that the stack pointer tells what it was: a subroutine's call or return, or a jump.
constexpr bool NotesStackPointer(Op op) {
  return op == Op::kBsr || op == Op::kJmp || op == Op::kJsr || op == Op::kRet ||
         op == Op::kJsrCoroutine;
}

// Is told by an engine of every instruction, by pieces of code: instructions at consecutive
// addresses, of which the last may go elsewhere. How an engine cuts a run into pieces is its own
// affair; what they add up to is the same on every engine.
class ExecutionSink {
 public:
  virtual ~ExecutionSink() = default;

  // The number by which Executed() is told of a piece that begins at `pc`, which is as in Cpu::pc.
  // There is at least one word. Asked again for the same piece it may give the same number.
  virtual uint32_t Number(uint64_t pc, std::span<const uint32_t> words) = 0;

  // The CPU has come to this boundary. `notes` are the numbers of the pieces that it has executed
  // since the boundary before; behind the number of one that NotesStackPointer() holds of its last
  // instruction, once that has retired, are the low and the high half of the stack
  // pointer as it left it. Of the
  // last piece a part may not have been executed: cpu.instructions tells. After the last piece, or
  // without one, an exception may have been entered; before the first boundary of a run of the
  // engine other things may have happened to the CPU.
  //
  // No other piece ends with a CALL_PAL or HW_RET that retires, or with an exception.
  virtual void Executed(const Cpu& cpu, std::span<const uint32_t> notes) = 0;

  // After that, what the CPU has executed last, `instructions` of them, which all pieces had a call
  // of Executed() of their own for, it has executed `turns` times more, and stands at the same PC.
  virtual void Repeated(const Cpu& cpu, uint64_t turns, uint64_t instructions) = 0;
};

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_EXECUTION_SINK_H_
