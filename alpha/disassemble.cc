#include "alpha/disassemble.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/str_format.h"
#include "alpha/decode.h"
#include "alpha/instruction.h"
#include "alpha/qualifiers.h"

namespace isochron::alpha {
namespace {

constexpr std::array<std::string_view, 32> kRegisterNames = {
    "v0", "t0", "t1",  "t2",  "t3", "t4",  "t5", "t6", "t7", "s0",  "s1",
    "s2", "s3", "s4",  "s5",  "fp", "a0",  "a1", "a2", "a3", "a4",  "a5",
    "t8", "t9", "t10", "t11", "ra", "t12", "at", "gp", "sp", "zero"};

struct PalFunction {
  uint32_t code;
  std::string_view name;
  bool in_objdump;
};

// OSF/1 functions: Alpha Architecture Handbook appendix C.
constexpr PalFunction kPalFunctions[] = {
    {0x00, "halt", true},      {0x01, "cflush", false},    {0x02, "draina", true},
    {0x09, "cserve", false},   {0x0A, "swppal", false},    {0x0D, "wripir", false},
    {0x10, "rdmces", false},   {0x11, "wrmces", false},    {0x2B, "wrfen", false},
    {0x2D, "wrvptptr", false}, {0x30, "swpctx", false},    {0x31, "wrval", false},
    {0x32, "rdval", false},    {0x33, "tbi", false},       {0x34, "wrent", false},
    {0x35, "swpipl", false},   {0x36, "rdps", false},      {0x37, "wrkgp", false},
    {0x38, "wrusp", false},    {0x39, "wrperfmon", false}, {0x3A, "rdusp", false},
    {0x3C, "whami", false},    {0x3D, "retsys", false},    {0x3E, "wtint", false},
    {0x3F, "rti", false},      {0x80, "bpt", true},        {0x81, "bugchk", true},
    {0x83, "callsys", true},   {0x86, "imb", true},        {0x92, "urti", false},
    {0x9E, "rduniq", true},    {0x9F, "wruniq", true},     {0xAA, "gentrap", true},
    {0xAE, "clrfen", false},
};

const PalFunction* FindPalFunction(uint32_t code) {
  for (const PalFunction& function : kPalFunctions) {
    if (function.code == code) return &function;
  }
  return nullptr;
}

std::string Integer(int n) { return std::string(kRegisterNames[n]); }
std::string Float(int n) { return absl::StrFormat("$f%d", n); }
// Unlike %#x of an address, zero has no prefix here.
std::string Number(uint64_t value) { return absl::StrFormat("%#x", value); }
std::string Address(uint64_t pc) { return absl::StrFormat("0x%x", pc); }

std::string Line(std::string_view mnemonic, std::string_view operands = "") {
  std::string line(mnemonic);
  if (!operands.empty()) {
    line += '\t';
    line += operands;
  }
  return line;
}

std::string Join(std::string a, std::string_view b) {
  a += ',';
  a += b;
  return a;
}

std::string Join(std::string a, std::string_view b, std::string_view c) {
  return Join(Join(std::move(a), b), c);
}

std::string Unknown(uint32_t word) { return absl::StrFormat(".long 0x%x", word); }

// Rb of an integer operate.
std::string RbOrLiteral(const Instruction& i) {
  return i.literal ? Number(static_cast<uint64_t>(i.immediate)) : Integer(i.rb);
}

std::string_view Suffix(const Instruction& i) {
  const QualifierSet set = Info(i.op).qualifiers;
  if (set == QualifierSet::kNone) return "";
  const uint32_t code = i.word >> 11 & 0x1F;
  for (const QualifierVariant& variant : VariantsOf(set)) {
    if (variant.code == code) return variant.suffix;
  }
  return "";
}

// Integer operates that objdump shows under another name when Ra is R31.
std::string_view ZeroRaAlias(Op op) {
  switch (op) {
    case Op::kAddl: return "sextl";
    case Op::kSubl: return "negl";
    case Op::kSublV: return "negl/v";
    case Op::kSubq: return "negq";
    case Op::kSubqV: return "negq/v";
    case Op::kBis: return "mov";
    case Op::kOrnot: return "not";
    default: return "";
  }
}

// Floating subtractions from F31 that objdump shows as negations, by the qualifiers it does so for.
std::string_view FloatNegation(const Instruction& i) {
  const std::string_view suffix = Suffix(i);
  const bool ieee = suffix.empty() || suffix == "/su" || suffix == "/sui";
  const bool vax = suffix.empty() || suffix == "/s";
  switch (i.op) {
    case Op::kSubs: return ieee ? "negs" : "";
    case Op::kSubt: return ieee ? "negt" : "";
    case Op::kSubf: return vax ? "negf" : "";
    case Op::kSubg: return vax ? "negg" : "";
    default: return "";
  }
}

std::string IntegerOperate(const Instruction& i) {
  const std::string rc = Integer(i.rc);
  if (i.op == Op::kBis && !i.literal && i.ra == i.rb) {
    if (i.ra != 31) return Line("mov", Join(Integer(i.rb), rc));
    return i.rc == 31 ? Line("nop") : Line("clr", rc);
  }
  if (i.ra == 31) {
    const std::string_view alias = ZeroRaAlias(i.op);
    if (!alias.empty()) return Line(alias, Join(RbOrLiteral(i), rc));
  }
  return Line(Info(i.op).mnemonic, Join(Integer(i.ra), RbOrLiteral(i), rc));
}

std::string IntegerUnary(const Instruction& i) {
  if (i.literal && i.op != Op::kAmask) return Unknown(i.word);
  return Line(Info(i.op).mnemonic, Join(RbOrLiteral(i), Integer(i.rc)));
}

std::string FloatOperate(const Instruction& i) {
  const std::string fb = Float(i.rb);
  const std::string fc = Float(i.rc);
  if (i.op == Op::kCpys && i.ra == 31 && i.rb == 31) {
    return i.rc == 31 ? Line("fnop") : Line("fclr", fc);
  }
  if (i.op == Op::kCpys && i.ra == i.rb) return Line("fmov", Join(fb, fc));
  if (i.op == Op::kCpys && i.ra == 31) return Line("fabs", Join(fb, fc));
  if (i.op == Op::kCpysn && i.ra == i.rb) return Line("fneg", Join(fb, fc));
  std::string mnemonic(Info(i.op).mnemonic);
  if (i.ra == 31) {
    const std::string_view negation = FloatNegation(i);
    if (!negation.empty())
      return Line(std::string(negation) + std::string(Suffix(i)), Join(fb, fc));
  }
  mnemonic += Suffix(i);
  return Line(mnemonic, Join(Float(i.ra), fb, fc));
}

std::string MemoryOperands(const Instruction& i, const std::string& ra) {
  const int64_t displacement = i.op == Op::kLdah ? i.immediate / 65536 : i.immediate;
  const bool address = i.op == Op::kLda || i.op == Op::kLdah;
  if (i.op == Op::kLdqU && i.ra == 31) return Line("unop");
  if (address && i.rb == 31) {
    return Line(Info(i.op).mnemonic, Join(ra, absl::StrFormat("%d", displacement)));
  }
  return Line(Info(i.op).mnemonic,
              Join(ra, absl::StrFormat("%d(%s)", displacement, Integer(i.rb))));
}

std::string Branch(const Instruction& i, const std::string& ra, uint64_t pc) {
  const std::string target = Address(pc + 4 + static_cast<uint64_t>(i.immediate));
  if (i.op == Op::kBr && i.ra == 31) return Line("br", target);
  return Line(Info(i.op).mnemonic, Join(ra, target));
}

// The target that a signed hint of `width` bits predicts.
std::string HintTarget(int64_t hint, int width, uint64_t pc) {
  const int64_t sign = int64_t{1} << (width - 1);
  return Address(pc + 4 + static_cast<uint64_t>(((hint ^ sign) - sign) * 4));
}

std::string Jump(const Instruction& i, uint64_t pc) {
  const std::string_view mnemonic = Info(i.op).mnemonic;
  const std::string target = "(" + Integer(i.rb) + ")";
  if (i.op == Op::kRet && i.ra == 31 && i.rb == 26 && i.immediate == 1) return Line("ret");
  if (i.op == Op::kJmp && i.ra == 31 && i.immediate == 0) return Line(mnemonic, target);
  const bool hint_is_target = i.op == Op::kJmp || i.op == Op::kJsr;
  const std::string hint =
      hint_is_target ? HintTarget(i.immediate, 14, pc) : Number(static_cast<uint64_t>(i.immediate));
  return Line(mnemonic, Join(Integer(i.ra), target, hint));
}

std::string CallPal(const Instruction& i) {
  const PalFunction* function = FindPalFunction(static_cast<uint32_t>(i.immediate));
  if (function != nullptr && function->in_objdump) return Line(function->name);
  return Line("call_pal", Number(static_cast<uint64_t>(i.immediate)));
}

std::string GenericPal(uint32_t word) {
  return Line(absl::StrFormat("pal%x", word >> 26), Number(word & 0x3FFFFFF));
}

std::string HwMemory(const Instruction& i) {
  constexpr std::array<std::string_view, 8> kLoads = {"/p", "_l/p", "/v", "",
                                                      "",   "/w",   "/a", "/wa"};
  constexpr std::array<std::string_view, 8> kStores = {"/p", "_c/p", "", "", "", "", "/a", ""};
  const bool load = i.op == Op::kHwLd;
  std::string mnemonic = load ? "hw_ld" : "hw_st";
  mnemonic += (i.pal_type & kHwQuadword) != 0 ? 'q' : 'l';
  mnemonic += (load ? kLoads : kStores)[i.pal_type >> 1];
  return Line(mnemonic, Join(Integer(i.ra), absl::StrFormat("%d(%s)", i.immediate, Integer(i.rb))));
}

std::string HwReturn(const Instruction& i, uint64_t pc) {
  constexpr std::array<std::string_view, 4> kKinds = {"hw_jmp", "hw_jsr", "hw_ret", "hw_jcr"};
  const int kind = i.pal_type >> 1;
  std::string mnemonic(kKinds[kind]);
  if ((i.pal_type & kHwStall) != 0) mnemonic += "/stall";
  const std::string target = "(" + Integer(i.rb) + ")";
  if (kind >= 2) return Line(mnemonic, target);
  return Line(mnemonic, Join(target, HintTarget(i.immediate, 13, pc)));
}

// The opcodes reserved for PALcode. Where a field that the instruction does not use is not 31,
// objdump falls back to the generic form.
std::string Pal(const Instruction& i, uint64_t pc) {
  switch (i.op) {
    case Op::kHwLd:
    case Op::kHwSt: return HwMemory(i);
    case Op::kHwMfpr:
      if (i.rb != 31) break;
      return Line("hw_mfpr", Join(Integer(i.ra), Number(static_cast<uint64_t>(i.immediate))));
    case Op::kHwMtpr:
      if (i.ra != 31) break;
      return Line("hw_mtpr", Join(Integer(i.rb), Number(static_cast<uint64_t>(i.immediate))));
    case Op::kHwRet:
      if (i.ra != 31) break;
      return HwReturn(i, pc);
    default: break;
  }
  return GenericPal(i.word);
}

bool ReservedForPal(uint32_t word) {
  const uint32_t opcode = word >> 26;
  return opcode == 0x19 || opcode == 0x1B || opcode == 0x1D || opcode == 0x1E || opcode == 0x1F;
}

std::string Misc(const Instruction& i) {
  const std::string_view mnemonic = Info(i.op).mnemonic;
  switch (Info(i.op).shape) {
    case Shape::kMemoryHint: return Line(mnemonic, "(" + Integer(i.rb) + ")");
    case Shape::kReadCounter:
      if (i.rb != 31) return Line(mnemonic, Join(Integer(i.ra), Integer(i.rb)));
      return Line(mnemonic, Integer(i.ra));
    case Shape::kReadFlag: return Line(mnemonic, Integer(i.ra));
    default: return Line(mnemonic);
  }
}

}  // namespace

std::string Disassemble(uint32_t word, uint64_t pc, Dialect dialect) {
  const Instruction i = Decode(word);
  if (ReservedForPal(word)) return dialect == Dialect::kEv6 ? Pal(i, pc) : GenericPal(word);
  if (i.op == Op::kReserved) return Unknown(word);
  const InstructionInfo& info = Info(i.op);
  switch (info.shape) {
    case Shape::kNone: return i.op == Op::kCallPal ? CallPal(i) : Misc(i);
    case Shape::kAddress:
    case Shape::kLoad:
    case Shape::kStore:
    case Shape::kStoreConditional: return MemoryOperands(i, Integer(i.ra));
    case Shape::kFloatLoad:
    case Shape::kFloatStore: return MemoryOperands(i, Float(i.ra));
    case Shape::kBranch:
    case Shape::kBranchLink: return Branch(i, Integer(i.ra), pc);
    case Shape::kFloatBranch: return Branch(i, Float(i.ra), pc);
    case Shape::kJump: return Jump(i, pc);
    case Shape::kIntegerOperate:
    case Shape::kIntegerOperateRegister:
    case Shape::kConditionalMove: return IntegerOperate(i);
    case Shape::kIntegerUnary:
    case Shape::kIntegerUnaryRegister: return IntegerUnary(i);
    case Shape::kImplver: return Line(info.mnemonic, Integer(i.rc));
    case Shape::kIntegerToFloat: return Line(info.mnemonic, Join(Integer(i.ra), Float(i.rc)));
    case Shape::kFloatToInteger: return Line(info.mnemonic, Join(Float(i.ra), Integer(i.rc)));
    case Shape::kFloatOperate:
    case Shape::kFloatConditionalMove: return FloatOperate(i);
    case Shape::kFloatUnary:
      return Line(std::string(info.mnemonic) + std::string(Suffix(i)),
                  Join(Float(i.rb), Float(i.rc)));
    case Shape::kFpcrRead:
    case Shape::kFpcrWrite:
      if (i.rb != i.ra || i.rc != i.ra) return Unknown(word);
      return Line(info.mnemonic, Float(i.ra));
    case Shape::kMemoryHint:
    case Shape::kReadCounter:
    case Shape::kReadFlag: return Misc(i);
    case Shape::kHwMfpr:
    case Shape::kHwMtpr:
    case Shape::kHwLoad:
    case Shape::kHwStore:
    case Shape::kHwReturn: return Pal(i, pc);
  }
  return Unknown(word);
}

std::string_view IntegerRegisterName(int n) { return kRegisterNames[n & 31]; }

std::string_view CallPalName(uint32_t function) {
  const PalFunction* found = FindPalFunction(function);
  return found == nullptr ? std::string_view() : found->name;
}

std::string DisassembleInColumns(uint32_t word, uint64_t pc, int mnemonic_width) {
  const std::string text = Disassemble(word, pc);
  const size_t tab = text.find('\t');
  if (tab == std::string::npos) return text;
  return absl::StrFormat("%-*s %s", mnemonic_width, text.substr(0, tab), text.substr(tab + 1));
}

std::string ListedInstruction(uint64_t pc, uint32_t word) {
  const uint64_t address = pc & ~uint64_t{3};
  return absl::StrFormat("%016x  %08x  %s", address, word, DisassembleInColumns(word, address, 9));
}

}  // namespace isochron::alpha
