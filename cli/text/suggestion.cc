#include "cli/text/suggestion.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace isochron::cli {
namespace {

// How many characters have to be changed, added, taken away or swapped with their neighbour to make
// `b` of `a`.
size_t Distance(std::string_view a, std::string_view b) {
  // Rows for the prefixes of `a` of one length less than two, and so on: [0] is the oldest.
  std::vector<size_t> rows[3];
  for (std::vector<size_t>& row : rows) row.resize(b.size() + 1);
  std::iota(rows[2].begin(), rows[2].end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    std::rotate(rows, rows + 1, rows + 3);
    rows[2][0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = rows[1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      rows[2][j] = std::min({change, rows[1][j] + 1, rows[2][j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[2][j] = std::min(rows[2][j], rows[0][j - 2] + 1);
      }
    }
  }
  return rows[2].back();
}

}  // namespace

std::string Suggestion(std::string_view word, const std::vector<std::string>& names) {
  constexpr size_t kLongestWord = 64;  // than which no name is longer
  if (word.empty() || word.size() > kLongestWord) return "";
  std::string best;
  size_t least = std::max<size_t>(1, (word.size() + 1) / 3) + 1;
  std::vector<std::string> begun;
  for (const std::string& name : names) {
    if (name.starts_with(word)) begun.push_back(name);
    const size_t distance = Distance(word, name);
    if (distance >= least || distance >= name.size()) continue;
    least = distance;
    best = name;
  }
  return begun.size() == 1 ? begun.front() : best;
}

}  // namespace isochron::cli
