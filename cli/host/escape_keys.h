// The keys that the terminal keeps for itself.

#ifndef ISOCHRON_CLI_HOST_ESCAPE_KEYS_H_
#define ISOCHRON_CLI_HOST_ESCAPE_KEYS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace isochron::cli {

// Takes Ctrl-A sequences out of what is typed: Ctrl-A x quits, Ctrl-A h or ? asks for help, Ctrl-A
// b is a break, Ctrl-A Ctrl-A or a is a Ctrl-A for the guest; any other key after Ctrl-A is
// dropped.
class EscapeKeys {
 public:
  struct Result {
    std::string bytes;           // for the guest
    std::vector<size_t> breaks;  // so many bytes come before each, ascending
    bool help = false;
    bool quit = false;  // what was typed after it is not in `bytes`
  };

  // A sequence may be split over calls.
  Result Feed(std::string_view typed);

  // What Ctrl-A h shows; lines end in "\n".
  static std::string_view Help();

 private:
  bool escaped_ = false;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_ESCAPE_KEYS_H_
