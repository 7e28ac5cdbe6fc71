// The program behind main().

#ifndef ISOCHRON_CLI_APP_H_
#define ISOCHRON_CLI_APP_H_

namespace isochron::cli {

// Parses the command line and does what it says. Returns the exit code.
int Main(int argc, char** argv);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_APP_H_
