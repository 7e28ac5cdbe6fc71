#include "cli/host/escape_keys.h"

namespace isochron::cli {

EscapeKeys::Result EscapeKeys::Feed(std::string_view typed) {
  constexpr char kCtrlA = '\x01';
  Result result;
  for (char key : typed) {
    if (!escaped_) {
      if (key == kCtrlA) {
        escaped_ = true;
      } else {
        result.bytes.push_back(key);
      }
      continue;
    }
    escaped_ = false;
    switch (key) {
      case kCtrlA:
      case 'a': result.bytes.push_back(kCtrlA); break;
      case 'b': result.breaks.push_back(result.bytes.size()); break;
      case 'h':
      case '?': result.help = true; break;
      case 'x': result.quit = true; return result;
      default: break;
    }
  }
  return result;
}

std::string_view EscapeKeys::Help() {
  return "\n"
         "Ctrl-A b       send a break to the guest\n"
         "Ctrl-A h       this help\n"
         "Ctrl-A x       quit: stop the guest where it is\n"
         "Ctrl-A Ctrl-A  send Ctrl-A to the guest (also Ctrl-A a)\n";
}

}  // namespace isochron::cli
