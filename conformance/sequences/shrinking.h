// Making what fails smaller.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_SHRINKING_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_SHRINKING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "conformance/sequences/sequence.h"

namespace isochron::conformance {

// Keeps the smallest of the candidates that still fail. `Case` is copied freely.
template <typename Case>
class Shrinker {
 public:
  // `fails` is asked at most `tries` times. `best` fails.
  Shrinker(Case best, std::function<bool(const Case&)> fails, int tries)
      : best_(std::move(best)), fails_(std::move(fails)), tries_(tries) {}

  const Case& best() const { return best_; }
  bool exhausted() const { return tries_ <= 0; }

  // Whether the candidate fails, and is the best now.
  bool Try(Case candidate) {
    if (--tries_ < 0 || !fails_(candidate)) return false;
    best_ = std::move(candidate);
    return true;
  }

  // Leaves out elements of a list, long runs first, until nothing gives.
  template <typename T>
  void LeaveOut(std::vector<T> Case::*list) {
    for (size_t run = (best_.*list).size(); run != 0; run /= 2) {
      for (size_t at = 0; at < (best_.*list).size() && !exhausted();) {
        Case candidate = best_;
        std::vector<T>& elements = candidate.*list;
        const auto first = elements.begin() + static_cast<std::ptrdiff_t>(at);
        const size_t count = std::min(run, elements.size() - at);
        elements.erase(first, first + static_cast<std::ptrdiff_t>(count));
        if (!Try(std::move(candidate))) at += run;
      }
    }
  }

 private:
  Case best_;
  std::function<bool(const Case&)> fails_;
  int tries_;
};

// Which physical addresses hold code that may be left out.
using IsCode = bool (*)(uint64_t pa);

// A program with as few instructions as possible that still fails: they become NOPs, long runs
// first, then single ones; fills go, and registers become zero.
void ShrinkProgram(Shrinker<Sequence>& shrinker, IsCode is_code);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_SHRINKING_H_
