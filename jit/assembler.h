// xbyak with labels that cost little.

#ifndef ISOCHRON_JIT_ASSEMBLER_H_
#define ISOCHRON_JIT_ASSEMBLER_H_

#include <cstdint>
#include <cstring>

#define XBYAK_NO_EXCEPTION
#include <xbyak/xbyak.h>

namespace isochron::jit {

// A place in code that jumps lead to, before or after it has been bound.
class Label {
 public:
  Label() = default;
  Label(const Label&) = delete;
  Label& operator=(const Label&) = delete;
  Label(Label&&) = default;

 private:
  friend class Assembler;
  static constexpr uint32_t kNone = 0;  // no displacement is at the start of code

  uint32_t place_ = 0;  // offset, when `bound_`
  bool bound_ = false;
  // Offset of the displacement of the last jump here that waits for the label to be bound. That
  // displacement is the offset of the one before it.
  uint32_t waiting_ = kNone;
};

// Emits into a buffer, with jumps of 32 bits. xbyak's own labels are entries of several hash tables
// each, which made up a third of the time of a translation.
class Assembler : public Xbyak::CodeGenerator {
 public:
  Assembler(size_t size, uint8_t* buffer) : CodeGenerator(size, buffer) {}

  // Binds a label to the place where code is emitted next.
  void L(Label& label) {
    label.place_ = static_cast<uint32_t>(getSize());
    label.bound_ = true;
    for (uint32_t at = label.waiting_; at != Label::kNone;) {
      uint32_t before = 0;
      std::memcpy(&before, getCode() + at, sizeof before);
      rewrite(at, label.place_ - (at + uint32_t{sizeof before}), sizeof before);
      at = before;
    }
  }

  using CodeGenerator::call;
  using CodeGenerator::jmp;
  void jmp(Label& label) { Jump(0xe9, label); }
  void call(Label& label) { Jump(0xe8, label); }

  // Conditional jumps, by the number of the condition in their opcodes (Intel SDM volume 2, Jcc).
#define ISOCHRON_JUMP(name, condition) \
  void name(Label& label) {            \
    db(0x0f);                          \
    Jump(0x80 | (condition), label);   \
  }
  ISOCHRON_JUMP(jo, 0x0)
  ISOCHRON_JUMP(jb, 0x2)
  ISOCHRON_JUMP(jc, 0x2)
  ISOCHRON_JUMP(jae, 0x3)
  ISOCHRON_JUMP(je, 0x4)
  ISOCHRON_JUMP(jz, 0x4)
  ISOCHRON_JUMP(jne, 0x5)
  ISOCHRON_JUMP(jnz, 0x5)
  ISOCHRON_JUMP(jbe, 0x6)
  ISOCHRON_JUMP(ja, 0x7)
  ISOCHRON_JUMP(js, 0x8)
  ISOCHRON_JUMP(jl, 0xc)
  ISOCHRON_JUMP(jge, 0xd)
  ISOCHRON_JUMP(jle, 0xe)
  ISOCHRON_JUMP(jg, 0xf)
#undef ISOCHRON_JUMP

 private:
  void Jump(uint8_t opcode, Label& label) {
    db(opcode);
    const auto at = static_cast<uint32_t>(getSize());
    constexpr uint32_t kSize = sizeof(uint32_t);
    if (label.bound_) return dd(label.place_ - (at + kSize));
    dd(label.waiting_);
    const bool written = getSize() == at + kSize;  // else the buffer is full
    if (written) label.waiting_ = at;
  }
};

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_ASSEMBLER_H_
