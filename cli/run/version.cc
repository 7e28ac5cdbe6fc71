#include "cli/run/version.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engines/engines.h"
#include "machine/events/event.h"
#include "replaylog/codec.h"
#include "revision.h"

namespace isochron::cli {

std::string VersionText() {
  return absl::StrCat("isochron ", ISOCHRON_VERSION, "\nrevision ", ISOCHRON_REVISION, "\nengines ",
                      absl::StrJoin(engines::EngineNames(), ", "), "\nlog format ",
                      replaylog::kFormatMajor, ".", replaylog::kFormatMinor, "\nmodel version ",
                      machine::kModelVersion);
}

}  // namespace isochron::cli
