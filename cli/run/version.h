// What this program is.

#ifndef ISOCHRON_CLI_RUN_VERSION_H_
#define ISOCHRON_CLI_RUN_VERSION_H_

#include <string>

namespace isochron::cli {

// What --version prints, without the last line's end: name and version; the revision of the
// sources; the engines that are built in; the versions of the log format that it writes and of the
// machine's model, which logs name.
std::string VersionText();

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_VERSION_H_
