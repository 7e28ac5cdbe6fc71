// Random instruction sequences that a Linux program can run: what guests/user/run_sequences.c
// executes, in our guest and under another emulator.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_USER_SEQUENCE_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_USER_SEQUENCE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace isochron::conformance {

// Straight code with forward branches, so that the state after each instruction is that of a
// shorter sequence. At most kUserSequenceWords instructions.
inline constexpr size_t kUserSequenceWords = 64;

struct UserSequence {
  uint64_t seed = 0;
  uint64_t control =
      0;  // Linux's IEEE_FP_CONTROL: trap enables <6:1>, mapping of denormals <13:12>
  uint64_t fpcr =
      0;  // dynamic rounding mode and status bits; the rest is what Linux makes of `control`
  // R10 to R12, R14, R15 and R29 are addresses that the program supplies.
  std::array<uint64_t, 32> r{};
  std::array<uint64_t, 32> f{};
  std::vector<uint32_t> words;
};

// A function of `seed`. User-mode instructions only, without those whose results are the emulator's
// to choose: no RPCC, no VAX arithmetic, no S_floating operation on a register that holds no
// S_floating value, no access whose outcome the architecture leaves open. F0 to F9 hold S_floating
// values throughout, F10 to F19 anything.
UserSequence GenerateUserSequence(uint64_t seed);

// The form that run_sequences.c reads, little-endian: a header of quadwords (magic "isousr01", the
// number of sequences, the number of quadwords of the memory window), the window's initial
// contents, and for each sequence 69 quadwords (seed, control, fpcr, number of instructions, where
// its code goes, R0 to R31, F0 to F31) and 64 longwords of code.
std::string FormatUserSequences(const std::vector<UserSequence>& sequences);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_USER_SEQUENCE_H_
