// Instruction words as text.

#ifndef ISOCHRON_ALPHA_DISASSEMBLE_H_
#define ISOCHRON_ALPHA_DISASSEMBLE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace isochron::alpha {

// How the opcodes reserved for PALcode are shown; everything else is the same in both.
enum class Dialect {
  kGeneric,  // pal1b 0x220004
  kEv6,      // hw_ldl/p t0,4(t1)
};

// The instruction as `alpha-linux-gnu-objdump -d` of binutils 2.40 prints it (`-m alpha:ev6` for
// Dialect::kEv6), its aliases included: mnemonic, a tab and the operands, or the mnemonic alone
// where there are none. A branch target is a hexadecimal address with 0x and without a symbol. A
// word that objdump does not know is ".long 0x" and its digits; that includes the words that the
// chip executes and objdump does not know: SEXTB and SEXTW of a literal, MF_FPCR and MT_FPCR with
// unequal register fields.
// `pc` is the address of the word, in bytes.
std::string Disassemble(uint32_t word, uint64_t pc, Dialect dialect = Dialect::kEv6);

// The same with mnemonic and operands in columns, without tabs; the first of so many characters.
std::string DisassembleInColumns(uint32_t word, uint64_t pc, int mnemonic_width);

// A line of a listing, without its end: address, word and instruction in columns, without tabs.
// Bits 0 and 1 of `pc` do not count.
std::string ListedInstruction(uint64_t pc, uint32_t word);

// The software names of the registers, "v0" to "zero"; n is 0 to 31.
std::string_view IntegerRegisterName(int n);

// The name of an OSF/1 CALL_PAL function ("callsys"), empty if it has none. Knows all functions of
// the Tru64 UNIX PALcode, also those that objdump shows as a number.
std::string_view CallPalName(uint32_t function);

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_DISASSEMBLE_H_
