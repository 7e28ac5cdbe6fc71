// Reads arbitrary bytes as a log: an error or events, in bounded memory.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "conformance/fuzz/memory_file.h"
#include "replaylog/describe.h"
#include "replaylog/log_reader.h"

namespace isochron::replaylog {
namespace {

void ReadLog(const std::string& path) {
  absl::StatusOr<std::unique_ptr<LogReader>> reader = LogReader::Open(path);
  if (!reader.ok()) return;
  Event event;
  uint64_t last_cycle = 0;
  uint64_t events = 0;
  absl::StatusOr<bool> got = false;
  while ((got = (*reader)->Next(event)).ok() && *got) {
    if (event.number != events++ || event.cycle < last_cycle) std::abort();
    if (DescribeEvent(event, 1).size() > 80 || EventToJson(event).empty()) std::abort();
    last_cycle = event.last_cycle();
  }
  // The other ways through the log agree with the first.
  absl::StatusOr<LogSummary> summary = (*reader)->Verify();
  if (summary.ok() != got.ok()) std::abort();
  if (!summary.ok()) return;
  if (summary->events != events || summary->last_cycle != last_cycle) std::abort();
  for (uint64_t number : {uint64_t{0}, events / 2, events}) {
    if (!(*reader)->SeekToEvent(number).ok()) std::abort();
    got = (*reader)->Next(event);
    if (!got.ok() || *got != (number < events) || (*got && event.number != number)) std::abort();
  }
}

}  // namespace
}  // namespace isochron::replaylog

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const isochron::replaylog::MemoryFile file(data, size);
  isochron::replaylog::ReadLog(file.path());
  return 0;
}
