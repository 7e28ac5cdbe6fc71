// A test case for two engines: a small machine's initial state, as data.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "alpha/memory.h"

namespace isochron::conformance {

// Physical addresses that sequences are built on.
struct SequenceLayout {
  static constexpr uint64_t kPages = 64;
  static constexpr uint64_t kMemorySize = kPages * alpha::kPageSize;
  static constexpr uint64_t kDtbTable = 0x1000;      // 128 DTB_PTE values, by VA<19:13>
  static constexpr uint64_t kItbTable = 0x1400;      // 128 ITB_PTE values
  static constexpr uint64_t kCodeBaseCell = 0x1800;  // the virtual address of physical 0 as code
  static constexpr uint64_t kPalBase = 0x8000;
  static constexpr uint64_t kCode = 0x1'0000;
  static constexpr uint64_t kData = 0x2'0000;
  static constexpr uint64_t kDataSize = 0x2'0000;
  static constexpr uint64_t kIo = 0x1000'0000;               // answers, with side effects
  static constexpr uint64_t kNxm = 0x2000'0000;              // nothing answers
  static constexpr uint64_t kStop = 0xfff'ffff'fff8;         // a write ends the run
  static constexpr uint64_t kAcknowledge = 0xfff'ffff'fff0;  // a write drops all interrupt pins
  static constexpr uint64_t kKseg = 0xffff'fc00'0000'0000;
  static constexpr uint64_t kMapped = 0x1'0000'0000;  // through the TLBs: 64 pages, then aliases
};

// Instruction words from a physical address on.
struct Segment {
  uint64_t pa = 0;
  std::vector<uint32_t> words;
};

// `size` bytes at `pa` that are a function of `seed`.
struct Fill {
  uint64_t pa = 0;
  uint64_t size = 0;
  uint64_t seed = 0;
};

// What a SequenceMachine starts from: everything else is as after reset, memory is zero. The
// text form is what regression files hold, so that they mean the same when the generator changes.
struct Sequence {
  // Where the case came from; no part of the state.
  uint64_t seed = 0;

  std::array<uint64_t, 40> r{};  // R0 to R31 and the shadow bank
  std::array<uint64_t, 32> f{};
  uint64_t pc = 0;
  uint64_t fpcr = 0;
  uint64_t ier = 0;
  uint64_t i_ctl = 0;  // ORed to the reset value
  uint64_t m_ctl = 0;
  uint64_t mode = 0;  // alpha::Mode
  uint64_t asn = 0;   // of ITB and DTB
  uint64_t fp_enable = 1;
  uint64_t tlb_entries = 16;
  uint64_t cycles = 0;  // where the run ends at the latest

  // In the order in which they are written to memory.
  std::vector<Fill> fills;
  std::vector<Segment> segments;
};

// The text form: a line a field, hexadecimal numbers, '#' starts a comment.
std::string FormatSequence(const Sequence& sequence);

// InvalidArgument naming the line when `text` is not such a form.
absl::StatusOr<Sequence> ParseSequence(std::string_view text);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_H_
