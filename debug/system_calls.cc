#include "debug/system_calls.h"

#include <algorithm>
#include <iterator>

namespace isochron::debug {
namespace {

struct SystemCall {
  uint64_t number;
  std::string_view name;
};

// By ascending number.
constexpr SystemCall kSystemCalls[] = {
#define ISOCHRON_SYSTEM_CALL(number, name) {number, name},
#include "debug/system_calls.inc"
#undef ISOCHRON_SYSTEM_CALL
};

}  // namespace

std::string_view SystemCallName(uint64_t number) {
  const SystemCall* const call =
      std::lower_bound(std::begin(kSystemCalls), std::end(kSystemCalls), number,
                       [](const SystemCall& one, uint64_t wanted) { return one.number < wanted; });
  return call != std::end(kSystemCalls) && call->number == number ? call->name : std::string_view();
}

std::optional<uint64_t> SystemCallNumber(std::string_view name) {
  constexpr std::string_view kPrefix = "osf_";
  std::optional<uint64_t> prefixed;
  for (const SystemCall& call : kSystemCalls) {
    if (call.name == name) return call.number;
    if (call.name.starts_with(kPrefix) && call.name.substr(kPrefix.size()) == name) {
      prefixed = call.number;
    }
  }
  return prefixed;
}

}  // namespace isochron::debug
