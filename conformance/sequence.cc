#include "conformance/sequence.h"

#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "conformance/sequence_machine.h"

namespace isochron::conformance {
namespace {

constexpr std::string_view kMagic = "isochron-sequence 1";

// The fields that are one number each.
template <typename AnySequence, typename Visit>
void VisitNumbers(AnySequence& sequence, Visit visit) {
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

// Words and numbers of a line; false when a number is no number.
bool SplitLine(std::string_view line, std::string_view& key, std::vector<uint64_t>& numbers) {
  std::vector<std::string_view> parts;
  while (!line.empty()) {
    const size_t start = line.find_first_not_of(" \t\r");
    if (start == line.npos) break;
    line.remove_prefix(start);
    const size_t end = std::min(line.find_first_of(" \t\r"), line.size());
    parts.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  if (parts.empty()) return true;
  key = parts.front();
  for (size_t i = 1; i < parts.size(); ++i) {
    uint64_t value = 0;
    const char* last = parts[i].data() + parts[i].size();
    const auto result = std::from_chars(parts[i].data(), last, value, 16);
    if (result.ec != std::errc() || result.ptr != last) return false;
    numbers.push_back(value);
  }
  return true;
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
  bool known = false;
  VisitNumbers(sequence, [&](std::string_view name, uint64_t& field) {
    if (name != key || numbers.size() != 1) return;
    field = numbers[0];
    known = true;
  });
  return known;
}

}  // namespace

std::string FormatSequence(const Sequence& sequence) {
  std::string text = absl::StrCat(std::string(kMagic), "\n");
  VisitNumbers(sequence, [&](const char* name, uint64_t value) {
    absl::StrAppendFormat(&text, "%s %x\n", name, value);
  });
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
  int line_number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (++line_number == 1) {
      if (line == kMagic) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("this is no regression file: its first line is not '",
                       std::string(kMagic), "'"));
    }
    line = line.substr(0, line.find('#'));
    std::string_view key;
    std::vector<uint64_t> numbers;
    const bool numbers_ok = SplitLine(line, key, numbers);
    if (key.empty()) continue;
    if (!numbers_ok || !TakeLine(key, numbers, sequence)) {
      return absl::InvalidArgumentError(absl::StrCat("line ", line_number, ": '",
                                                     std::string(line), "' makes no sense"));
    }
  }
  if (line_number == 0) return absl::InvalidArgumentError("the regression file is empty");
  if (sequence.tlb_entries < 1 || sequence.tlb_entries > 8192 || sequence.cycles == 0) {
    return absl::InvalidArgumentError("tlb_entries (1 to 2000 hexadecimal) or cycles is missing");
  }
  return sequence;
}

}  // namespace isochron::conformance
