#include "engines/engines.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engines/faulty_engine.h"
#include "ref/engine.h"
#ifdef ISOCHRON_JIT
#include "jit/engine.h"
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

#ifdef ISOCHRON_PLANTED_BUGS
absl::StatusOr<NamedEngine> FaultyTranslator(std::string_view name) {
  const size_t begin = name.find('!') + 1;
  const size_t end = std::min(name.find(':'), name.size());
  const std::string_view bug = name.substr(begin, end - begin);
  const std::optional<jit::Bug> found = jit::FindBug(bug);
  if (!found) {
    return absl::InvalidArgumentError(absl::StrCat("there is no fault '", std::string(bug), "'"));
  }
  absl::StatusOr<jit::Options> options = jit::ParseOptions(name.substr(end));
  if (!options.ok()) return options.status();
  options->bug = *found;
  return Translator(name, *std::move(options));
}
#endif
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
#ifdef ISOCHRON_PLANTED_BUGS
#ifdef ISOCHRON_JIT
  if (name.starts_with("jit!")) return FaultyTranslator(name);
#endif
  if (name.starts_with("ref!")) {
    absl::StatusOr<machine::EngineFactory> faulty = FaultyInterpreter(name.substr(4));
    if (!faulty.ok()) return faulty.status();
    return NamedEngine{std::string(name), *std::move(faulty)};
  }
#endif
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
