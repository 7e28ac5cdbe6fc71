#include "engines/planted_engines.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engines/faulty_engine.h"
#ifdef ISOCHRON_JIT
#include "jit/planted_bugs.h"
#endif

namespace isochron::engines {

absl::StatusOr<NamedEngine> FindFaultyEngine(
    std::string_view name, absl::StatusOr<NamedEngine> (*find)(std::string_view name)) {
  const size_t mark = name.find('!');
  const size_t end = std::min(name.find(':', mark), name.size());
  const std::string_view engine = name.substr(0, mark);
  const std::string_view fault = name.substr(mark + 1, end - mark - 1);
  absl::StatusOr<NamedEngine> sound =
      find(absl::StrCat(std::string(engine), std::string(name.substr(end))));
  if (!sound.ok()) return sound.status();
  if (engine == "ref") {
    absl::StatusOr<machine::EngineFactory> faulty = FaultyInterpreter(fault);
    if (!faulty.ok()) return faulty.status();
    return NamedEngine{std::string(name), *std::move(faulty)};
  }
#ifdef ISOCHRON_JIT
  if (const std::optional<jit::Bug> bug = jit::FindBug(fault); bug && engine == "jit") {
    return NamedEngine{std::string(name), [bug = *bug, create = std::move(sound->factory)](
                                              alpha::Memory& memory, alpha::IoBus& io) {
                         const jit::BugScope scope(bug);
                         return create(memory, io);
                       }};
  }
#endif
  return absl::InvalidArgumentError(absl::StrCat("there is no fault '", std::string(fault),
                                                 "' of engine '", std::string(engine), "'"));
}

}  // namespace isochron::engines
