#include "engines/engines.h"

#include <chrono>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ref/engine.h"
#ifdef ISOCHRON_JIT
#include "jit/engine.h"
#endif
#if ISOCHRON_PLANTED
#include "engines/planted_engines.h"
#endif

namespace isochron::engines {
namespace {

using Create = std::unique_ptr<alpha::Engine> (*)(alpha::Memory&, alpha::IoBus&);

NamedEngine WithoutSettings(std::string_view name, Create create) {
  return {std::string(name),
          [create](alpha::Memory& memory, alpha::IoBus& io) { return create(memory, io); }};
}

#ifdef ISOCHRON_JIT
NamedEngine Translator(std::string_view name, jit::Options options) {
  options.clock = [] {
    return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                 std::chrono::nanoseconds(1));
  };
  return {std::string(name), [options](alpha::Memory& memory, alpha::IoBus& io) {
            return jit::CreateEngine(memory, io, options);
          }};
}
#endif

}  // namespace

std::vector<std::string> EngineNames() {
#ifdef ISOCHRON_JIT
  return {"ref", "jit"};
#else
  return {"ref"};
#endif
}

absl::StatusOr<NamedEngine> FindEngine(std::string_view name) {
#if ISOCHRON_PLANTED
  if (name.substr(0, name.find(':')).find('!') != name.npos)
    return FindFaultyEngine(name, FindEngine);
#endif
  if (name == "ref") return WithoutSettings(name, ref::CreateEngine);
  if (name == kOracle) return WithoutSettings(name, ref::CreateOracle);
  for (const std::string_view plain : {std::string_view("ref"), kOracle}) {
    if (name.starts_with(plain) && name.substr(plain.size()).starts_with(':')) {
      return absl::InvalidArgumentError(
          absl::StrCat("engine '", std::string(plain), "' has no settings"));
    }
  }
  if (name == "jit" || name.starts_with("jit:")) {
#ifdef ISOCHRON_JIT
    absl::StatusOr<jit::Options> options = jit::ParseOptions(name.substr(3));
    if (!options.ok()) return options.status();
    return Translator(name, *std::move(options));
#else
    return absl::InvalidArgumentError("engine 'jit' is not in this build; --engine ref is");
#endif
  }
  return absl::InvalidArgumentError(absl::StrCat("there is no engine '", std::string(name),
                                                 "'; there is ", absl::StrJoin(EngineNames(), ", "),
                                                 ", ", std::string(kOracle)));
}

std::string DefaultEnginePair() {
  const std::vector<std::string> names = EngineNames();
  return absl::StrCat(names.front(), ",", names.back());
}

absl::StatusOr<std::vector<NamedEngine>> ParseEnginePair(std::string_view text) {
  const size_t comma = text.find(',');
  if (comma == text.npos || text.find(',', comma + 1) != text.npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", std::string(text), "' is not two engines, such as ", DefaultEnginePair()));
  }
  std::vector<NamedEngine> engines;
  for (const std::string_view name : {text.substr(0, comma), text.substr(comma + 1)}) {
    absl::StatusOr<NamedEngine> engine = FindEngine(name);
    if (!engine.ok()) return engine.status();
    engines.push_back(*std::move(engine));
  }
  return engines;
}

}  // namespace isochron::engines
