// How the values of a record stand in its payload. Each coding appends a value to a payload, false
// when it does not fit, and takes one off the front of what is left.

#ifndef ISOCHRON_REPLAYLOG_CODINGS_H_
#define ISOCHRON_REPLAYLOG_CODINGS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "machine/events/config.h"
#include "machine/events/digest.h"
#include "replaylog/varint.h"

namespace isochron::replaylog {

// 16 bytes, the most significant first: the order in which digests are printed.
void AppendDigest(const machine::Digest& digest, std::string& out);
bool ConsumeDigest(std::string_view& bytes, machine::Digest& digest);

// Takes a number and as many bytes.
bool ConsumeCounted(std::string_view& bytes, std::string_view& counted);

// What came of taking a value.
enum class Taken : uint8_t {
  kValue,
  kDamage,
  kNewer,  // a value that only a newer version understands
};

inline Taken ValueIf(bool taken) { return taken ? Taken::kValue : Taken::kDamage; }

// Whether a number that is too large is damage, or of a newer version.
enum class Beyond : uint8_t { kDamage, kNewer };

// A varint from 0 to `max`.
struct Number {
  uint64_t max = std::numeric_limits<uint64_t>::max();
  Beyond beyond = Beyond::kDamage;

  template <typename T>
  bool Append(T value, std::string& out) const {
    AppendVarint(static_cast<uint64_t>(value), out);
    return static_cast<uint64_t>(value) <= max;
  }
  template <typename T>
  Taken Take(std::string_view& payload, T& value) const {
    uint64_t number = 0;
    if (!ConsumeVarint(payload, number)) return Taken::kDamage;
    if (number > max) return beyond == Beyond::kNewer ? Taken::kNewer : Taken::kDamage;
    value = static_cast<T>(number);
    return Taken::kValue;
  }
};

// An enumerator, as the varint of its number; `names` has one for each.
struct Named {
  std::span<const std::string_view> names;
  Beyond beyond = Beyond::kDamage;

  Number number() const { return {names.size() - 1, beyond}; }
  template <typename T>
  bool Append(T value, std::string& out) const {
    return number().Append(value, out);
  }
  template <typename T>
  Taken Take(std::string_view& payload, T& value) const {
    return number().Take(payload, value);
  }
};

// 64 flags, as the varint of their number rotated right by `rotation`.
struct Flags {
  int rotation = 0;

  bool Append(uint64_t value, std::string& out) const {
    AppendVarint(std::rotr(value, rotation), out);
    return true;
  }
  Taken Take(std::string_view& payload, uint64_t& value) const {
    if (!ConsumeVarint(payload, value)) return Taken::kDamage;
    value = std::rotl(value, rotation);
    return Taken::kValue;
  }
};

// A state digest.
struct StateDigest {
  bool Append(const machine::Digest& value, std::string& out) const {
    AppendDigest(value, out);
    return true;
  }
  Taken Take(std::string_view& payload, machine::Digest& value) const {
    return ValueIf(ConsumeDigest(payload, value));
  }
};

// 1 to `max` bytes behind their number.
struct CountedBytes {
  size_t max = 0;

  bool Append(const std::string& value, std::string& out) const {
    AppendVarint(value.size(), out);
    out += value;
    return !value.empty() && value.size() <= max;
  }
  Taken Take(std::string_view& payload, std::string& value) const {
    std::string_view bytes;
    if (!ConsumeCounted(payload, bytes) || bytes.empty() || bytes.size() > max)
      return Taken::kDamage;
    value.assign(bytes);
    return Taken::kValue;
  }
};

// All bytes to the end of the payload, `max` at most.
struct RestOfBytes {
  size_t max = 0;

  bool Append(const std::string& value, std::string& out) const {
    out += value;
    return value.size() <= max;
  }
  Taken Take(std::string_view& payload, std::string& value) const {
    if (payload.size() > max) return Taken::kDamage;
    value.assign(payload);
    payload = {};
    return Taken::kValue;
  }
};

// A frame: all bytes to the end of the payload.
struct FrameBytes {
  static bool Fits(size_t size) { return size >= machine::kMinFrame && size <= machine::kMaxFrame; }

  bool Append(const std::string& value, std::string& out) const {
    out += value;
    return Fits(value.size());
  }
  Taken Take(std::string_view& payload, std::string& value) const {
    if (!Fits(payload.size())) return Taken::kDamage;
    value.assign(payload);
    payload = {};
    return Taken::kValue;
  }
};

// A varint for each byte but the first of the bytes that stand before: cycles from one to the next.
// The value is a pair of references, to the bytes and to the steps.
struct Steps {
  using Value = std::tuple<const std::string&, std::vector<uint64_t>&>;
  using ConstValue = std::tuple<const std::string&, const std::vector<uint64_t>&>;

  bool Append(ConstValue value, std::string& out) const {
    const auto& [bytes, steps] = value;
    for (uint64_t step : steps) AppendVarint(step, out);
    return steps.size() + 1 == bytes.size();
  }
  Taken Take(std::string_view& payload, Value value) const {
    auto& [bytes, steps] = value;
    steps.resize(bytes.size() - 1);
    for (uint64_t& step : steps) {
      if (!ConsumeVarint(payload, step)) return Taken::kDamage;
    }
    return Taken::kValue;
  }
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_CODINGS_H_
