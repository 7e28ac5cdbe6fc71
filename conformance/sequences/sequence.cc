#include "conformance/sequences/sequence.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "conformance/sequences/text_lines.h"

namespace isochron::conformance {
namespace {

constexpr std::string_view kMagic = "isochron-sequence 1";

// The fields that are one number each.
template <typename AnySequence, typename Visit>
void VisitNumbers(AnySequence& sequence, Visit&& visit) {
  visit("seed", sequence.seed);
  visit("pc", sequence.pc);
  visit("fpcr", sequence.fpcr);
  visit("ier", sequence.ier);
  visit("i_ctl", sequence.i_ctl);
  visit("m_ctl", sequence.m_ctl);
  visit("mode", sequence.mode);
  visit("asn", sequence.asn);
  visit("fp_enable", sequence.fp_enable);
  visit("tlb_entries", sequence.tlb_entries);
  visit("cycles", sequence.cycles);
}

bool InMemory(uint64_t pa, uint64_t size) {
  return pa % 4 == 0 && size <= SequenceLayout::kMemorySize &&
         pa <= SequenceLayout::kMemorySize - size;
}

// Puts one line into the sequence; false when it makes no sense.
bool TakeLine(std::string_view key, const std::vector<uint64_t>& numbers, Sequence& sequence) {
  if (key == "r" || key == "f") {
    const size_t count = key == "r" ? sequence.r.size() : sequence.f.size();
    if (numbers.size() != 2 || numbers[0] >= count) return false;
    (key == "r" ? sequence.r[numbers[0]] : sequence.f[numbers[0]]) = numbers[1];
    return true;
  }
  if (key == "fill") {
    if (numbers.size() != 3 || numbers[1] % 8 != 0 || !InMemory(numbers[0], numbers[1])) {
      return false;
    }
    sequence.fills.push_back({numbers[0], numbers[1], numbers[2]});
    return true;
  }
  if (key == "words") {
    if (numbers.size() < 2 || !InMemory(numbers[0], 4 * (numbers.size() - 1))) return false;
    Segment segment{numbers[0], {}};
    for (size_t i = 1; i < numbers.size(); ++i) {
      if (numbers[i] >> 32 != 0) return false;
      segment.words.push_back(static_cast<uint32_t>(numbers[i]));
    }
    sequence.segments.push_back(std::move(segment));
    return true;
  }
  NumberTaker taker{key, numbers};
  VisitNumbers(sequence, taker);
  return taker.taken;
}

}  // namespace

std::string FormatSequence(const Sequence& sequence) {
  std::string text = absl::StrCat(std::string(kMagic), "\n");
  VisitNumbers(sequence, NumberWriter{text});
  for (size_t i = 0; i < sequence.r.size(); ++i) {
    if (sequence.r[i] != 0) absl::StrAppendFormat(&text, "r %x %x\n", i, sequence.r[i]);
  }
  for (size_t i = 0; i < sequence.f.size(); ++i) {
    if (sequence.f[i] != 0) absl::StrAppendFormat(&text, "f %x %x\n", i, sequence.f[i]);
  }
  for (const Fill& fill : sequence.fills) {
    absl::StrAppendFormat(&text, "fill %x %x %x\n", fill.pa, fill.size, fill.seed);
  }
  constexpr size_t kWordsInLine = 8;
  for (const Segment& segment : sequence.segments) {
    for (size_t i = 0; i < segment.words.size(); ++i) {
      if (i % kWordsInLine == 0) absl::StrAppendFormat(&text, "words %x", segment.pa + 4 * i);
      absl::StrAppendFormat(&text, " %08x", segment.words[i]);
      if (i % kWordsInLine == kWordsInLine - 1 || i + 1 == segment.words.size()) text += '\n';
    }
  }
  return text;
}

absl::StatusOr<Sequence> ParseSequence(std::string_view text) {
  Sequence sequence;
  const absl::Status status =
      ParseLines(text, kMagic, [&](std::string_view key, const std::vector<uint64_t>& numbers) {
        return TakeLine(key, numbers, sequence);
      });
  if (!status.ok()) return status;
  if (sequence.tlb_entries < 1 || sequence.tlb_entries > 8192 || sequence.cycles == 0) {
    return absl::InvalidArgumentError("tlb_entries (1 to 2000 hexadecimal) or cycles is missing");
  }
  return sequence;
}

}  // namespace isochron::conformance
