#include "jit/thunks.h"

#include "jit/assembler.h"
// Behind it, which says that there are no exceptions.
#include <xbyak/xbyak_util.h>

namespace isochron::jit {
namespace {

using alpha::Cpu;

class Thunks : public Assembler {
 public:
  static constexpr size_t kMaxBytes = 512;

  explicit Thunks(uint8_t* buffer) : Assembler(kMaxBytes, buffer) {}

  // The System V calling convention: arguments in RDI, RSI and RDX.
  void EmitEnter(const Frame& frame) {
    for (const Xbyak::Reg64& reg : {rbx, rbp, r12, r13, r14, r15}) push(reg);
    sub(rsp, 8);  // so that it is aligned where C++ is called
    mov(qword[At(&frame.host_stack)], rsp);
    ldmxcsr(dword[At(&frame.clean_mxcsr)]);
    // Upper halves that others have left in use (the hashing of pages does) make each SSE
    // instruction wait for the last one of its register.
    if (has_avx_) vzeroupper();
    lea(r13, ptr[rsi + static_cast<int>(kCpuBias)]);
    mov(r15, rdx);
    mov(r14, qword[At(&frame.next_note)]);
    mov(rsp, qword[At(&frame.stack)]);
    jmp(rdi);
  }

  // RAX: the slot. R15 is the budget at the boundary.
  void EmitExit(const Frame& frame) {
    mov(rcx, qword[At(&frame.slice_end)]);
    mov(rdx, r15);
    sar(rdx, Budget::kInstructionBits);
    sub(rcx, rdx);
    mov(qword[Field(offsetof(Cpu, cycle))], rcx);
    mov(rcx, qword[At(&frame.instruction_base)]);
    and_(r15d, static_cast<uint32_t>(Budget::kInstructionMask));
    sub(rcx, r15);
    mov(qword[Field(offsetof(Cpu, instructions))], rcx);
    EmitReturn(frame);
  }

  void EmitExitSynced(const Frame& frame) {
    xor_(eax, eax);
    EmitReturn(frame);
  }

  // For Emitter::EmitGoldenCall(). RDX: the Translation, ECX: offset in the page, R8: the budget.
  // Comes back with the flag NZ when the region must be left; or goes to the handler of an
  // exception instead.
  void EmitGolden(const Frame& frame, JitEngine* engine) {
    ldmxcsr(dword[At(&frame.clean_mxcsr)]);  // C++ rounds to nearest
    mov(edi, static_cast<uint32_t>(reinterpret_cast<size_t>(engine)));
    lea(rsi, ptr[r13 - static_cast<int>(kCpuBias)]);
    mov(rbx, rsp);  // the region loads anew what RBX has held
    mov(rsp, qword[At(&frame.host_stack)]);
    call(qword[At(reinterpret_cast<const void*>(&frame.run_golden))]);
    mov(rsp, rbx);
    ldmxcsr(dword[At(&frame.clean_mxcsr)]);
    Label handler;
    cmp(rax, static_cast<int>(Frame::kLeave));
    ja(handler);
    test(rax, rax);
    ret();
    L(handler);
    mov(r15, qword[At(&frame.budget)]);
    add(rsp, 16);  // what would lead back here and to the slow path
    jmp(rax);
  }

 private:
  const bool has_avx_ = Xbyak::util::Cpu().has(Xbyak::util::Cpu::tAVX);

  static Xbyak::RegExp At(const void* address) {
    return Xbyak::RegExp(reinterpret_cast<size_t>(address));
  }
  Xbyak::RegExp Field(size_t offset) const {
    return r13 + static_cast<int>(static_cast<int64_t>(offset) - static_cast<int64_t>(kCpuBias));
  }
  void EmitReturn(const Frame& frame) {
    mov(qword[At(&frame.next_note)], r14);
    mov(rsp, qword[At(&frame.host_stack)]);
    add(rsp, 8);
    for (const Xbyak::Reg64& reg : {r15, r14, r13, r12, rbp, rbx}) pop(reg);
    ret();
  }
};

}  // namespace

EnterFunction EmitThunks(CodeMemory& memory, Frame& frame, JitEngine* engine) {
  Xbyak::ClearError();
  Thunks thunks(memory.write_cursor());
  const uint8_t* base = memory.execute_cursor();
  const auto enter = reinterpret_cast<EnterFunction>(reinterpret_cast<uintptr_t>(base));
  thunks.EmitEnter(frame);
  frame.exit = base + thunks.getSize();
  thunks.EmitExit(frame);
  frame.exit_synced = base + thunks.getSize();
  thunks.EmitExitSynced(frame);
  frame.golden = base + thunks.getSize();
  thunks.EmitGolden(frame, engine);
  memory.Advance(thunks.getSize());
  return Xbyak::GetError() == Xbyak::ERR_NONE ? enter : nullptr;
}

}  // namespace isochron::jit
