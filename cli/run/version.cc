#include "cli/run/version.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engines/engines.h"
#include "replaylog/codec.h"
#include "replaylog/event.h"
#include "revision.h"

namespace isochron::cli {

std::string VersionText() {
  return absl::StrCat("isochron ", ISOCHRON_VERSION, "\nrevision ", ISOCHRON_REVISION,
                      "\nengines ", absl::StrJoin(engines::EngineNames(), ", "),
                      "\nlog format ", replaylog::kFormatMajor, ".", replaylog::kFormatMinor,
                      "\nmodel version ", replaylog::kModelVersion);
}

}  // namespace isochron::cli
