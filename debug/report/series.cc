#include "debug/report/series.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace isochron::debug {

Spans Spans::Over(uint64_t cycles, size_t most) {
  Spans spans;
  const auto needed = [&] { return cycles / spans.width + (cycles % spans.width != 0 ? 1 : 0); };
  while (needed() > most) spans.width *= 2;
  spans.count = std::max<size_t>(needed(), 1);
  return spans;
}

size_t Spans::Of(uint64_t cycle) const {
  return static_cast<size_t>(std::min<uint64_t>(cycle / width, count - 1));
}

void Series::AddTo(size_t span, uint64_t amount) {
  if (amount == 0) return;
  if (values_.size() <= span) values_.resize(span + 1);
  values_[span] += amount;
  total_ += amount;
}

void Series::Add(uint64_t cycle, uint64_t amount) { AddTo(spans_.Of(cycle), amount); }

void Series::AddCycles(uint64_t begin, uint64_t end) {
  while (begin < end) {
    const size_t span = spans_.Of(begin);
    const uint64_t next = span + 1 == spans_.count ? end : (span + 1) * spans_.width;
    AddTo(span, std::min(next, end) - begin);
    begin = std::min(next, end);
  }
}

void Series::Merge(const Series& other) {
  for (size_t span = 0; span < other.values_.size(); ++span) AddTo(span, other.values_[span]);
}

std::string Series::Json() const {
  constexpr size_t kGap = 3;  // zeros that take less room than another list
  std::string json = "[";
  size_t zeros = kGap;
  for (size_t span = 0; span < values_.size(); ++span) {
    if (values_[span] == 0) {
      ++zeros;
      continue;
    }
    if (zeros >= kGap) {
      absl::StrAppend(&json, json.size() == 1 ? "[" : "],[", span);
    } else {
      for (; zeros > 0; --zeros) json += ",0";
    }
    absl::StrAppend(&json, ",", values_[span]);
    zeros = 0;
  }
  return json + (json.size() == 1 ? "]" : "]]");
}

}  // namespace isochron::debug
