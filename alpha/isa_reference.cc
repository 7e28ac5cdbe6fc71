#include "alpha/isa_reference.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "alpha/cost.h"
#include "alpha/disassemble.h"
#include "alpha/instruction.h"
#include "alpha/qualifiers.h"

namespace isochron::alpha {
namespace {

constexpr std::string_view kIntroduction = R"(# The instruction set

Generated from alpha/instructions.inc, alpha/qualifiers.h and alpha/cost.h by the program
isa_reference. Do not edit: change the table, then run

    isa_reference > docs/isa.md

The CPU is a 21264A (EV67). One table row is one instruction here; the decoder, the disassembler,
the engines, the random generator and this page read the same rows. "Handbook" is the Alpha
Architecture Handbook version 4, "HRM" the 21264/EV67 Hardware Reference Manual. What an instruction
computes is in the Handbook; this page says what exists, how it is coded, what it can raise
and what it costs.

## Formats

| format | fields |
|---|---|
| Memory | opcode<31:26> Ra<25:21> Rb<20:16> displacement<15:0> |
| Misc | opcode<31:26> Ra<25:21> Rb<20:16> function<15:0> |
| Branch | opcode<31:26> Ra<25:21> displacement<20:0>, in instructions |
| Jump | opcode<31:26> Ra<25:21> Rb<20:16> function<15:14> hint<13:0> |
| Operate | opcode<31:26> Ra<25:21> Rb<20:16> 0<12> function<11:5> Rc<4:0>; literal<20:13> 1<12> |
| FloatOperate | opcode<31:26> Fa<25:21> Fb<20:16> function<15:5> Fc<4:0> |
| Pal | opcode<31:26> function<25:0> |
| HwMemory | opcode<31:26> Ra<25:21> Rb<20:16> type<15:13> quadword<12> displacement<11:0> |
| HwMxpr | opcode<31:26> Ra<25:21> Rb<20:16> index<15:8> scoreboard<7:0> |
| HwReturn | opcode<31:26> Ra<25:21> Rb<20:16> type<15:14> stall<13> displacement<12:0> |

## Reading the tables

- **mnemonic**: as objdump prints it, without its aliases. The architecture's name follows in
  parentheses where it is another one.
- **code**: opcode and function, hexadecimal. With qualifiers, the code without any.
- **operands**: what is written `:=` what is read. `#` is an 8-bit literal, 0 to 255. R31 and F31
  read as zero and ignore what is written to them.
- **raises**: IOV and arithmetic: ARITH; memory: DTB miss, access violation, fault on read or write,
  nonexistent memory; unaligned: UNALIGN; FEN: floating point disabled; OPCDEC: not allowed in this
  mode. Every fetch can raise an ITB miss or an instruction access violation as well.
- **cycles**: see the cost table at the end.

## Words that the architecture leaves open

- An opcode or function that no row lists raises OPCDEC.
- A field that must be R31 or F31 and is not (Ra of SEXTx, CTPOP, CTLZ, CTTZ, PKxB, UNPKBx, AMASK,
  IMPLVER, CVTxx, SQRTx, FETCH, FETCH_M, ECB, WH64; Rb of ITOFx and FTOIx) raises OPCDEC, as does
  IMPLVER without the literal 1, and a literal given to CTPOP, CTLZ, CTTZ, PERR, PKxB or UNPKBx.
- MF_FPCR and MT_FPCR use Fa whatever Fb and Fc hold.
- Bits <15:13> of an Operate word with a register Rb are ignored, as are Ra and Rb of TRAPB, EXCB,
  MB and WMB, Rb of RPCC, RC, RS and HW_MFPR, and Ra of HW_MTPR and HW_RET.
- The HW_LD type 3 and the HW_ST types 3, 4, 5 and 7 raise OPCDEC.
- FETCH, FETCH_M, ECB, WH64 and WH64EN do nothing; they do not translate their address.

The disassembler prints `.long`, as objdump does, for some words that execute: SEXTB and SEXTW of a
literal, MF_FPCR and MT_FPCR with unequal register fields.
)";

// Calls visit(title, Op::kReserved) for each chapter and visit("", op) for each row of it.
template <typename Visitor>
void ForEachEntry(Visitor visit) {
#define ISOCHRON_CHAPTER(title) visit(std::string_view(title), Op::kReserved);
#define ISOCHRON_INSTRUCTION(Name, ...) visit(std::string_view(), Op::k##Name);
#include "alpha/instructions.inc"
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

std::string Mnemonic(Op op) {
  const std::string mnemonic(Info(op).mnemonic);
  switch (op) {
    case Op::kBic: return mnemonic + " (BIC)";
    case Op::kBis: return mnemonic + " (BIS)";
    case Op::kJsrCoroutine: return mnemonic + " (JSR_COROUTINE)";
    default: return mnemonic;
  }
}

std::string Code(const InstructionInfo& info) {
  switch (info.format) {
    case Format::kOperate: return absl::StrFormat("%02X.%02X", info.opcode, info.function);
    case Format::kFloatOperate: return absl::StrFormat("%02X.%03X", info.opcode, info.function);
    case Format::kMisc: return absl::StrFormat("%02X.%04X", info.opcode, info.function);
    case Format::kJump: return absl::StrFormat("%02X.%X", info.opcode, info.function);
    default: return absl::StrFormat("%02X", info.opcode);
  }
}

std::string_view Operands(const InstructionInfo& info) {
  switch (info.shape) {
    case Shape::kNone: return info.format == Format::kPal ? "function" : "";
    case Shape::kAddress: return "Ra := Rb, displacement";
    case Shape::kLoad: return "Ra := memory(Rb + displacement)";
    case Shape::kStore: return "memory(Rb + displacement) := Ra";
    case Shape::kStoreConditional: return "memory(Rb + displacement) := Ra; Ra := success";
    case Shape::kBranch: return "Ra, displacement";
    case Shape::kBranchLink: return "Ra := PC; displacement";
    case Shape::kJump: return "Ra := PC; PC := Rb; hint";
    case Shape::kIntegerOperate: return "Rc := Ra, Rb or #";
    case Shape::kIntegerOperateRegister: return "Rc := Ra, Rb";
    case Shape::kConditionalMove: return "Rc := Ra, Rb or #, Rc";
    case Shape::kIntegerUnary: return "Rc := Rb or #";
    case Shape::kIntegerUnaryRegister: return "Rc := Rb";
    case Shape::kImplver: return "Rc :=";
    case Shape::kIntegerToFloat: return "Fc := Ra";
    case Shape::kFloatToInteger: return "Rc := Fa";
    case Shape::kFloatLoad: return "Fa := memory(Rb + displacement)";
    case Shape::kFloatStore: return "memory(Rb + displacement) := Fa";
    case Shape::kFloatBranch: return "Fa, displacement";
    case Shape::kFloatOperate: return "Fc := Fa, Fb";
    case Shape::kFloatConditionalMove: return "Fc := Fa, Fb, Fc";
    case Shape::kFloatUnary: return "Fc := Fb";
    case Shape::kFpcrWrite: return "FPCR := Fa";
    case Shape::kFpcrRead: return "Fa := FPCR";
    case Shape::kMemoryHint: return "Rb";
    case Shape::kReadCounter: return "Ra := CC";
    case Shape::kReadFlag: return "Ra := flag";
    case Shape::kHwMfpr: return "Ra := IPR";
    case Shape::kHwMtpr: return "IPR := Rb";
    case Shape::kHwLoad: return "Ra := memory(Rb + displacement)";
    case Shape::kHwStore: return "memory(Rb + displacement) := Ra; type 1: Ra := success";
    case Shape::kHwReturn: return "PC := Rb";
  }
  return "";
}

std::string_view Name(QualifierSet set) {
  switch (set) {
    case QualifierSet::kNone: return "";
    case QualifierSet::kCvtst: return "CVTST";
    case QualifierSet::kCvtql: return "CVTQL";
    case QualifierSet::kVaxArithmetic: return "VAX";
    case QualifierSet::kVaxCompare: return "VAX compare";
    case QualifierSet::kVaxToInteger: return "VAX to integer";
    case QualifierSet::kVaxFromInteger: return "VAX from integer";
    case QualifierSet::kIeeeArithmetic: return "IEEE";
    case QualifierSet::kIeeeCompare: return "IEEE compare";
    case QualifierSet::kIeeeToInteger: return "IEEE to integer";
    case QualifierSet::kIeeeFromInteger: return "IEEE from integer";
  }
  return "";
}

std::string Raises(ExceptionSet set) {
  constexpr std::pair<ExceptionSet, std::string_view> kNames[] = {
      {raises::kIntegerOverflow, "IOV"},
      {raises::kArithmetic, "arithmetic"},
      {raises::kMemory, "memory"},
      {raises::kUnaligned, "unaligned"},
      {raises::kFen, "FEN"},
      {raises::kOpcdec, "OPCDEC"},
      {raises::kPal, "CALL_PAL"}};
  std::string text;
  for (const auto& [bit, name] : kNames) {
    if ((set & bit) == 0) continue;
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

void AppendRow(Op op, std::string& out) {
  const InstructionInfo& info = Info(op);
  absl::StrAppendFormat(&out, "| %s | %s | %s | %s | %s | %s | %s | %d |\n", Mnemonic(op),
                        ToString(info.format), Code(info), ToString(info.extension), Operands(info),
                        Name(info.qualifiers), Raises(info.raises), InstructionCost(info.cost));
}

void AppendInstructions(std::string& out) {
  ForEachEntry([&out](std::string_view title, Op op) {
    if (op != Op::kReserved) {
      AppendRow(op, out);
      return;
    }
    absl::StrAppendFormat(
        &out,
        "\n## %s\n\n| mnemonic | format | code | extension | operands | qualifiers "
        "| raises | cycles |\n|---|---|---|---|---|---|---|---|\n",
        title);
  });
}

void AppendQualifiers(std::string& out) {
  out += R"(
## Qualifiers

The members of each set with the value of instruction bits <15:11>, hexadecimal: trapping mode
in <15:13>, rounding mode in <12:11>. Bits <10:5> are those of the instruction's code. /C chopped,
/M toward minus infinity, /D by FPCR[DYN], nothing: normal rounding. /U underflow or /V integer
overflow enabled, /S software completion, /I inexact enabled.

| set | members |
|---|---|
)";
  constexpr auto kLast = static_cast<int>(QualifierSet::kIeeeFromInteger);
  for (int s = static_cast<int>(QualifierSet::kNone) + 1; s <= kLast; ++s) {
    const auto set = static_cast<QualifierSet>(s);
    std::string members;
    for (const QualifierVariant& variant : VariantsOf(set)) {
      absl::StrAppendFormat(&members, "%s%s %02X", members.empty() ? "" : ", ",
                            variant.suffix.empty() ? "none" : Upper(variant.suffix), variant.code);
    }
    absl::StrAppendFormat(&out, "| %s | %s |\n", Name(set), members);
  }
}

void AppendPal(std::string& out) {
  out += R"(
## PALcode instructions

HW_LD, HW_ST, HW_MFPR, HW_MTPR and HW_RET raise OPCDEC outside PALmode, unless I_CTL[HWE] is set
and the mode is kernel. HW_LD and HW_ST do not check alignment.

| type | HW_LD | HW_ST |
|---|---|---|
| 0 | physical | physical |
| 1 | physical, load locked | physical, store conditional |
| 2 | virtual, PTE fetch: a miss is a double miss | virtual |
| 4 | virtual | |
| 5 | virtual, checks write access as well | |
| 6 | virtual, mode of DTB_ALT_MODE | virtual, mode of DTB_ALT_MODE |
| 7 | virtual, both of the above | |

CALL_PAL functions that OSF/1 PALcode gives a name to. Functions 00 to 3F are privileged, 80 to BF
are not; others raise OPCDEC.

| function | name |
|---|---|
)";
  for (uint32_t function = 0; function < 0xC0; ++function) {
    const std::string_view name = CallPalName(function);
    if (!name.empty()) absl::StrAppendFormat(&out, "| %02X | %s |\n", function, name);
  }
}

void AppendCosts(std::string& out) {
  out += R"(
## Costs

The unit is a cycle of the machine's cycle counter. The model is an in-order machine that issues one
instruction at a time, without caches and without branch prediction: a cost depends on the
instruction alone, never on history.

An instruction that completes is charged its cost and counts as one retired instruction, CALL_PAL
and HW_RET included. One that faults or traps before it completes does not retire; it is charged
the PALcode entry instead of its own cost. One that takes an arithmetic trap retires and is charged
its own cost and the PALcode entry. An interrupt is charged the PALcode entry. An access outside
RAM adds the cost of its region to that of the instruction.

| what | cycles | source or reason |
|---|---|---|
)";
  for (const CostRow& row : kCosts) {
    absl::StrAppendFormat(&out, "| %s | %d | %s |\n", row.name, row.cycles, row.reason);
  }
}

}  // namespace

std::string IsaReference() {
  std::string out(kIntroduction);
  AppendInstructions(out);
  AppendQualifiers(out);
  AppendPal(out);
  AppendCosts(out);
  return out;
}

}  // namespace isochron::alpha
