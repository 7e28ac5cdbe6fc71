#include "conformance/sequences/shrinking.h"

#include "alpha/encode.h"

namespace isochron::conformance {

void ShrinkProgram(Shrinker<Sequence>& shrinker, IsCode is_code) {
  const uint32_t nop = alpha::words::Nop();
  for (size_t s = 0; s < shrinker.best().segments.size(); ++s) {
    if (!is_code(shrinker.best().segments[s].pa)) continue;
    const size_t size = shrinker.best().segments[s].words.size();
    for (size_t run = std::max<size_t>(size / 2, 1); run != 0; run /= 2) {
      for (size_t at = 0; at < size && !shrinker.exhausted(); at += run) {
        Sequence candidate = shrinker.best();
        std::vector<uint32_t>& words = candidate.segments[s].words;
        const size_t end = std::min(at + run, size);
        std::fill(words.begin() + static_cast<std::ptrdiff_t>(at),
                  words.begin() + static_cast<std::ptrdiff_t>(end), nop);
        if (words != shrinker.best().segments[s].words) shrinker.Try(std::move(candidate));
      }
    }
  }
  shrinker.LeaveOut(&Sequence::fills);
  const size_t integers = shrinker.best().r.size();
  const size_t registers = integers + shrinker.best().f.size();
  for (size_t i = 0; i < registers && !shrinker.exhausted(); ++i) {
    Sequence candidate = shrinker.best();
    uint64_t& value = i < integers ? candidate.r[i] : candidate.f[i - integers];
    if (std::exchange(value, 0) != 0) shrinker.Try(std::move(candidate));
  }
}

}  // namespace isochron::conformance
