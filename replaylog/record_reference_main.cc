// Prints the table of records: with the argument "python" python/isochron/records.py, otherwise the
// rows that are in docs/replay-log.md.

#include <cstdio>
#include <string>
#include <string_view>

#include "replaylog/record_reference.h"

int main(int argc, char** argv) {
  namespace replaylog = isochron::replaylog;
  const bool python = argc == 2 && std::string_view(argv[1]) == "python";
  const std::string text =
      python ? replaylog::PythonRecords() : replaylog::PayloadRows() + "\n" + replaylog::JsonRows();
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
