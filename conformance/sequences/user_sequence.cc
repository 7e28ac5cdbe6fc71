#include "conformance/sequences/user_sequence.h"

#include <algorithm>
#include <utility>

#include "alpha/decode.h"
#include "alpha/encode.h"
#include "conformance/sequences/sequence_operands.h"

namespace isochron::conformance {
namespace {

using alpha::Extension;
using alpha::Format;
using alpha::Op;
using alpha::Shape;

// The program's memory window, 128 quadwords around a page boundary, and the registers that point
// to things.
constexpr int kWindowBytes = 1024;
constexpr uint32_t kWindow = 10;    // the middle of the window: a page boundary
constexpr uint32_t kCode = 12;      // the first instruction
constexpr uint32_t kReadOnly = 14;  // a page that may be read, filled with zeros
constexpr uint32_t kUnmapped = 15;  // a page that does not exist
constexpr uint32_t kLink = 26;
constexpr uint32_t kScratch = 28;

constexpr uint32_t kSingleRegisters = 10;  // F0 to F9
constexpr uint32_t kFloatRegisters = 20;   // F0 to F19

// S_floating numbers as a register holds them.
bool IsSingle(uint64_t image) {
  const uint64_t exponent = image >> 52 & 0x7ff;
  if ((image & 0x1fff'ffff) != 0) return false;
  return exponent == 0 || exponent == 0x7ff || (exponent > 0x380 && exponent < 0x47f);
}

bool IsSingleArithmetic(Op op) {
  return op == Op::kAdds || op == Op::kSubs || op == Op::kMuls || op == Op::kDivs ||
         op == Op::kSqrts;
}

// Operations on S_floating registers; all others take any contents.
bool ReadsSingles(Op op) { return IsSingleArithmetic(op) || op == Op::kCvtst; }
bool WritesSingle(Op op) {
  return IsSingleArithmetic(op) || op == Op::kCvtts || op == Op::kCvtqs || op == Op::kItofs ||
         op == Op::kLds;
}

bool IsVax(const alpha::InstructionInfo& info) {
  return info.extension == Extension::kVaxFloat || info.mnemonic == "sqrtf" ||
         info.mnemonic == "sqrtg" || info.mnemonic == "itoff";
}

class UserGenerator {
 public:
  explicit UserGenerator(uint64_t seed) : random_(seed * 0x9e37'79b9'7f4a'7c15 + 2) {
    sequence_.seed = seed;
  }

  UserSequence Generate() {
    InitialState();
    const size_t length = 12 + Below(kUserSequenceWords - 12);
    const uint64_t flavour = Below(4);
    while (sequence_.words.size() + 8 < length) {
      switch (flavour == 3 ? Below(3) : flavour) {
        case 0: Integer(); break;
        case 1: Float(); break;
        default: Mixed(); break;
      }
    }
    if (sequence_.words.size() > kUserSequenceWords) sequence_.words.resize(kUserSequenceWords);
    Aim();
    return std::move(sequence_);
  }

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  void Emit(uint32_t word) { sequence_.words.push_back(word); }

  uint64_t RandomSingle() {
    for (;;) {
      const uint64_t image = RandomFloat(random_);
      if (IsSingle(image)) return image;
    }
  }

  void InitialState() {
    for (uint64_t& r : sequence_.r) r = RandomInteger(random_);
    for (size_t i = 0; i < 32; ++i) {
      sequence_.f[i] = i < kSingleRegisters ? RandomSingle() : RandomFloat(random_);
    }
    if (OneIn(2)) sequence_.control = random_() & 0x7e;
    if (OneIn(4)) sequence_.control |= (random_() & 3) << 12;
    sequence_.fpcr = Below(4) << 58;
    sequence_.fpcr |= (random_() & 0x3f) << 52;
  }

  uint32_t FloatSource(Op op) {
    if (OneIn(24)) return 31;
    return static_cast<uint32_t>(Below(ReadsSingles(op) ? kSingleRegisters : kFloatRegisters));
  }
  uint32_t FloatTarget(Op op) {
    if (OneIn(24)) return 31;
    return static_cast<uint32_t>(WritesSingle(op) ? Below(kSingleRegisters)
                                                  : kSingleRegisters +
                                                        Below(kFloatRegisters - kSingleRegisters));
  }

  // A table row of the given format, without what is left out.
  Op RandomOp(Format format) {
    for (;;) {
      const Op op = static_cast<Op>(Below(alpha::kOpCount - 1));
      const alpha::InstructionInfo& info = alpha::Info(op);
      if (info.format != format || IsVax(info) || op == Op::kRpcc || op == Op::kMtFpcr ||
          op == Op::kMfFpcr) {
        continue;
      }
      return op;
    }
  }

  void FloatOperate() {
    const Op op = RandomOp(Format::kFloatOperate);
    const alpha::OperandRoles roles = alpha::RolesOf(alpha::Info(op).shape);
    uint32_t word = RandomInstruction(random_, op);
    using enum alpha::RegisterRole;
    if (roles.ra == kFloatRead) word = alpha::WithRa(word, FloatSource(op));
    if (roles.rb == kFloatRead) word = alpha::WithRb(word, FloatSource(op));
    if (roles.rc == kFloatWrite || roles.rc == kFloatReadWrite) {
      word = alpha::WithRc(word, FloatTarget(op));
    }
    Emit(word);
  }

  // An access to the window, now and then one that faults. LDQ_U and the byte instructions take any
  // address; of the others those that Linux puts right are misaligned now and then.
  void Access(Op op) {
    const alpha::InstructionInfo& info = alpha::Info(op);
    const bool is_float = info.shape == Shape::kFloatLoad || info.shape == Shape::kFloatStore;
    const bool locked = op == Op::kLdlL || op == Op::kLdqL || op == Op::kStlC || op == Op::kStqC;
    uint32_t pointer = kWindow;
    if (!locked && OneIn(40)) pointer = OneIn(2) ? kReadOnly : kUnmapped;
    int displacement = static_cast<int>(Below(OneIn(3) ? 32 : kWindowBytes - 16));
    displacement -= displacement < 32 ? 16 : kWindowBytes / 2;
    if (locked || pointer != kWindow || !OneIn(6)) displacement &= ~7;
    if (pointer != kWindow) displacement &= 0xff;
    uint32_t reg = is_float ? FloatSource(Op::kCpys) : RandomTarget(random_);
    if (info.shape == Shape::kFloatLoad) reg = FloatTarget(op);
    // To R31 and F31 loads are prefetches, whose faults nobody sees.
    if (reg == 31 && info.shape == Shape::kLoad) reg = 1;
    if (reg == 31 && info.shape == Shape::kFloatLoad) {
      reg = op == Op::kLds ? 1 : kSingleRegisters;
    }
    Emit(alpha::WithRb(alpha::WithRa(alpha::Skeleton(op), reg), pointer) |
         (static_cast<uint32_t>(displacement) & 0xffff));
  }

  void Memory() {
    const Op op = RandomOp(Format::kMemory);
    if (alpha::Info(op).shape == Shape::kAddress) {
      Emit(RandomInstruction(random_, op));
    } else if (op != Op::kLdlL && op != Op::kLdqL) {
      // STx_C without LDx_L fails.
      Access(op);
    } else {
      LoadLocked();
    }
  }

  // LDx_L and STx_C to the same place, nothing between them that may trap.
  void LoadLocked() {
    const bool quad = OneIn(2);
    const uint32_t place = static_cast<uint32_t>(8 * Below(kWindowBytes / 8)) - kWindowBytes / 2;
    const uint32_t address = kWindow << 16 | (place & 0xffff);
    Emit(alpha::WithRa(alpha::Skeleton(quad ? Op::kLdqL : Op::kLdlL), 1) | address);
    for (uint64_t i = Below(3); i != 0; --i) {
      const auto target = static_cast<uint32_t>(1 + Below(4));
      Emit(alpha::WithRc(RandomInstruction(random_, Op::kAddq), target));
    }
    Emit(alpha::WithRa(alpha::Skeleton(quad ? Op::kStqC : Op::kStlC), 2) | address);
  }

  void Branch() {
    const Op op = RandomOp(Format::kBranch);
    uint32_t word = RandomInstruction(random_, op);
    if (alpha::Info(op).shape == Shape::kFloatBranch) word = alpha::WithRa(word, FloatSource(op));
    Emit(word);
  }

  // Through R28, to an instruction a little ahead; the low two bits of the address are ignored.
  void Jump() {
    const uint64_t index = sequence_.words.size() + 2 + Below(4);
    const auto target = static_cast<uint32_t>(4 * index + Below(4));
    jumps_.push_back(sequence_.words.size());
    Emit(alpha::WithRb(alpha::WithRa(alpha::Skeleton(Op::kLda), kScratch), kCode) | target);
    const uint32_t link = OneIn(2) ? kLink : OneIn(2) ? 31 : 27;
    const uint32_t jump = alpha::WithRa(alpha::Skeleton(RandomOp(Format::kJump)), link);
    Emit(alpha::WithRb(jump, kScratch) | static_cast<uint32_t>(random_() & 0x3fff));
  }

  // BPT, BUGCHK, IMB, RDUNIQUE, WRUNIQUE, GENTRAP, a privileged CALL_PAL and unassigned ones;
  // reserved opcodes.
  void System() {
    constexpr uint32_t kCallPals[] = {0x80, 0x81, 0x86, 0x9e, 0x9f, 0xaa, 0x35, 0xa0, 0xbf};
    if (!OneIn(3)) return Emit(kCallPals[Below(std::size(kCallPals))]);
    const auto opcode = static_cast<uint32_t>(1 + Below(7));
    Emit(opcode << 26 | static_cast<uint32_t>(random_() & 0x3ff'ffff));
  }

  void Integer() {
    for (uint64_t i = 2 + Below(5); i != 0; --i)
      Emit(RandomInstruction(random_, RandomOp(Format::kOperate)));
    if (OneIn(3)) Memory();
    if (OneIn(6)) Branch();
  }
  void Float() {
    for (uint64_t i = 1 + Below(4); i != 0; --i) FloatOperate();
    if (OneIn(4)) Memory();
    if (OneIn(12)) Branch();
  }
  void Mixed() {
    switch (Below(9)) {
      case 0: Branch(); break;
      case 1: Jump(); break;
      case 2: Emit(RandomInstruction(random_, RandomOp(Format::kMisc))); break;
      case 3: FloatOperate(); break;
      case 4:
      case 5:
      case 6: Memory(); break;
      case 7:
        if (OneIn(4)) System();
        break;
      default: Emit(RandomInstruction(random_, RandomOp(Format::kOperate))); break;
    }
  }

  // Nothing may reach a jump but by the LDA before it, which makes it go forward. The end is where
  // the words that return from the sequence begin.
  size_t Landing(size_t target) const {
    if (std::find(jumps_.begin(), jumps_.end(), target - 1) != jumps_.end()) ++target;
    return std::min(target, sequence_.words.size());
  }
  void Aim() {
    for (size_t i = 0; i < sequence_.words.size(); ++i) {
      uint32_t& word = sequence_.words[i];
      if (alpha::Info(alpha::Decode(word).op).format == Format::kBranch) {
        word = (word & ~0x1f'ffffu) |
               static_cast<uint32_t>(Landing(i + 1 + (word & 0x1f'ffff)) - i - 1);
      }
    }
    for (const size_t at : jumps_) {
      uint32_t& lda = sequence_.words[at];
      lda = (lda & ~0xfffcu) | static_cast<uint32_t>(4 * Landing((lda & 0xffff) / 4));
    }
  }

  Random random_;
  UserSequence sequence_;
  std::vector<size_t> jumps_;
};

void Append(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> 8 * i));
}

}  // namespace

UserSequence GenerateUserSequence(uint64_t seed) { return UserGenerator(seed).Generate(); }

std::string FormatUserSequences(const std::vector<UserSequence>& sequences) {
  std::string out = "isousr01";
  Append(out, sequences.size(), 8);
  Append(out, kWindowBytes / 8, 8);
  Random random(1);
  for (int i = 0; i < kWindowBytes / 8; ++i) {
    Append(out, random() % 2 == 0 ? RandomFloat(random) : RandomInteger(random), 8);
  }
  uint64_t slot = 0;
  for (const UserSequence& sequence : sequences) {
    for (const uint64_t value : {sequence.seed, sequence.control, sequence.fpcr,
                                 uint64_t{sequence.words.size()}, slot++}) {
      Append(out, value, 8);
    }
    for (const uint64_t value : sequence.r) Append(out, value, 8);
    for (const uint64_t value : sequence.f) Append(out, value, 8);
    for (size_t i = 0; i < kUserSequenceWords; ++i) {
      Append(out, i < sequence.words.size() ? sequence.words[i] : 0, 4);
    }
  }
  return out;
}

}  // namespace isochron::conformance
