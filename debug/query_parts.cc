#include "debug/query_parts.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hostio/number.h"
#include "machine/events/config.h"

namespace isochron::debug {

std::string SightingLine(const Sighting& sighting) {
  std::string line = absl::StrCat(sighting.cycle);
  if (sighting.cpu != 0) absl::StrAppend(&line, "@", sighting.cpu);
  absl::StrAppend(&line, " ", sighting.kind);
  for (const uint64_t value : sighting.values) absl::StrAppend(&line, " ", value);
  return line;
}

absl::StatusOr<Sighting> ParseSighting(std::string_view line, const Query& query) {
  std::vector<uint64_t> numbers;
  // Behind the cycle there may be whose it is.
  std::string text(line);
  uint64_t cpu = 0;
  const size_t at = text.find('@');
  if (at != text.npos) {
    const size_t end = std::min(text.find(' '), text.size());
    if (at > end) return absl::InvalidArgumentError("is no list of numbers");
    cpu = hostio::ParseDigits(text.substr(at + 1, end - at - 1), 10).value_or(~uint64_t{0});
    if (cpu >= machine::MachineConfig::kMaxCpus) {
      return absl::InvalidArgumentError("is about a CPU that there is not");
    }
    text.erase(at, end - at);
  }
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(text, ' '))) {
    const std::optional<uint64_t> number = hostio::ParseDigits(word, 10);
    if (!number.has_value()) return absl::InvalidArgumentError("is no list of numbers");
    numbers.push_back(*number);
  }
  const std::vector<size_t> shapes = query.shapes();
  const bool known = numbers.size() >= 2 && numbers[1] < shapes.size();
  if (!known || numbers.size() != 2 + shapes[numbers[1]]) {
    return absl::InvalidArgumentError("is nothing that this question sees");
  }
  Sighting sighting;
  sighting.cycle = numbers[0];
  sighting.cpu = static_cast<int>(cpu);
  sighting.kind = static_cast<int>(numbers[1]);
  sighting.values.assign(numbers.begin() + 2, numbers.end());
  return sighting;
}

absl::Status SearchPart(timeline::Timeline& timeline, Query& query, const QueryRange& part,
                        bool last, const AnswerSink& sink) {
  std::optional<Sighting> seen;
  absl::Status status = SearchRange(timeline, query, part, [&](const Sighting& sighting) {
    if (!last) return sink(SightingLine(sighting));
    seen = sighting;
    return true;
  });
  if (status.ok() && seen.has_value()) sink(SightingLine(*seen));
  return status;
}

}  // namespace isochron::debug
