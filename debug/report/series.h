// Counts over time, in a bounded number of equal spans.

#ifndef ISOCHRON_DEBUG_REPORT_SERIES_H_
#define ISOCHRON_DEBUG_REPORT_SERIES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace isochron::debug {

// A run cut into spans of equal length, a power of two of cycles.
struct Spans {
  uint64_t width = 1;  // cycles
  size_t count = 1;

  // At most so many spans over the cycles from 0 up to, not with, `cycles`, and more than half as
  // many where there are so many cycles.
  static Spans Over(uint64_t cycles, size_t most);

  // The span of a cycle; the last takes what is behind it.
  size_t Of(uint64_t cycle) const;
};

// An amount for each span.
class Series {
 public:
  explicit Series(const Spans& spans) : spans_(spans) {}

  void Add(uint64_t cycle, uint64_t amount = 1);
  // Adds to each span as many cycles as it has of those from `begin` up to, not with, `end`.
  void AddCycles(uint64_t begin, uint64_t end);
  void Merge(const Series& other);

  uint64_t total() const { return total_; }
  uint64_t at(size_t span) const { return span < values_.size() ? values_[span] : 0; }
  // The spans that have something: [[first,amount,amount,...],[first,...]].
  std::string Json() const;

 private:
  void AddTo(size_t span, uint64_t amount);

  Spans spans_;
  std::vector<uint64_t> values_;  // up to the last that has something
  uint64_t total_ = 0;
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_REPORT_SERIES_H_
