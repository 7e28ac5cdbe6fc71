#include "cli/run/privileges.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "cli/text/report.h"

namespace isochron::cli {

absl::Status GiveUpPrivileges(SandboxUse use, SandboxMode mode) {
  if (use == SandboxUse::kOff) return absl::OkStatus();
  const bool demanded = use == SandboxUse::kOn;
  if (const std::string why = WhyNoSandbox(); !why.empty()) {
    if (!demanded) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat("there can be no sandbox: ", why));
  }
  const absl::Status status = EnterSandbox(mode);
  if (status.ok() || demanded) return status;
  Say(absl::StrCat("running without a sandbox, which this host does not have: ", status.message()));
  return absl::OkStatus();
}

}  // namespace isochron::cli
