// The PALcode that random sequences run on: it lets a program go on after anything it does.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_PALCODE_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_PALCODE_H_

#include <cstdint>
#include <random>

#include "conformance/sequences/sequence.h"

namespace isochron::conformance {

using Random = std::mt19937_64;

// What CALL_PAL n and CALL_PAL 0x80 + n do, n from 0 to 0x3f; from kRandomBody on something random.
// Arguments are in R16.
enum class SequencePal : uint32_t {
  kReturn,
  kInvalidateAll,      // both TLBs
  kInvalidateSingle,   // R16 in both
  kInvalidateProcess,  // entries without ASM in both
  kFlushInstructions,
  kDisableFloat,  // the next floating-point instruction raises FEN, which enables it again
  kSetAsn,        // the low bits of R16, in both TLBs
  kEnterPalMode,  // returns to the same code in PALmode, by its physical address
  kLeavePalMode,  // and back
  kSetInterruptEnable,
  kRequestSoftware,  // software interrupts
  kToggleShadow,     // I_CTL<SDE>
  kSetCounter,       // CC and CC_CTL
  kSetFormat,        // VA_CTL
  kUserMode,
  kKernelMode,
  kClearFlags,  // a physical STQ_C and IPRs that hold nothing
  kRandomBody,
  kStop = 0x3f,  // ends the run
};

// The pages behind the 64 identity pages at SequenceLayout::kMapped, by number from there.
enum class AliasPage : uint32_t {
  kAll,  // data, everything allowed
  kNoAccess,
  kFaultOnRead,
  kFaultOnWrite,
  kReadOnly,
  kIo,
  kNonexistent,
  kCode,  // the first page of code, again
  kKernelOnly,
  kRandom,  // from here on: random pages of code and data with random rights
};

// Programs consist of chunks of this size, each of which leaves an address in itself in R12.
inline constexpr int kChunkBytes = 256;

// Exceptions skip the instruction, misses load a translation from a table, machine checks and
// fetches that fail go on in the next chunk, interrupts are acknowledged at the bus. `code_base` is
// the virtual address at which physical address 0 is executed.
void InstallPalcode(Random& random, uint64_t code_base, Sequence& sequence);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_PALCODE_H_
