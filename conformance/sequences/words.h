// Code as words of 32 bits, put together piece by piece.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_WORDS_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_WORDS_H_

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace isochron::conformance {

using Words = std::vector<uint32_t>;

inline void Append(Words& words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
}
inline void Append(Words& words, std::initializer_list<uint32_t> more) {
  words.insert(words.end(), more);
}

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_WORDS_H_
