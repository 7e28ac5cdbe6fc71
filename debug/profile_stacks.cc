// The stacks of a profile for programs that draw them.

#include <map>

#include "absl/strings/str_cat.h"
#include "debug/profile.h"
#include "replaylog/describe.h"

namespace isochron::debug {
namespace {

constexpr const char* kRootName = "[all]";

}  // namespace

void Profile::WriteSpeedscope(std::string_view title, const LineSink& sink) const {
  const std::vector<CallTree::Node>& nodes = tree().nodes();
  const std::vector<std::vector<uint32_t>> children = Children();
  // Frames by function, in the order in which they are opened.
  std::map<uint32_t, size_t> numbers;
  std::string frames;
  const auto frame_of = [&](uint32_t node) {
    const uint32_t function = nodes[node].function;
    const auto [number, is_new] = numbers.try_emplace(function, numbers.size());
    if (is_new) {
      const std::string name = node == 0 ? kRootName : functions_->name(function);
      absl::StrAppend(&frames, frames.empty() ? "" : ",", "{\"name\":", replaylog::JsonString(name),
                      "}");
    }
    return number->second;
  };
  std::string profiles;
  for (const ProfileWeight weight : {ProfileWeight::kCycles, ProfileWeight::kInstructions}) {
    const bool cycles = weight == ProfileWeight::kCycles;
    const auto of = [cycles](const Counts& counts) {
      return cycles ? counts.cycles : counts.instructions;
    };
    std::string events;
    uint64_t at = 0;
    const auto add = [&](char type, uint32_t node) {
      absl::StrAppend(&events, events.empty() ? "" : ",", "{\"type\":\"", std::string(1, type),
                      "\",\"frame\":", frame_of(node), ",\"at\":", at, "}");
    };
    // A frame is open while those below it are, then for itself.
    struct Open {
      uint32_t node;
      size_t next;
    };
    std::vector<Open> open = {{0, 0}};
    add('O', 0);
    while (!open.empty()) {
      Open& top = open.back();
      if (top.next < children[top.node].size()) {
        const uint32_t child = children[top.node][top.next++];
        if (of(totals_[child]) == 0) continue;
        add('O', child);
        open.push_back({child, 0});
        continue;
      }
      at += of({nodes[top.node].instructions, nodes[top.node].cycles});
      add('C', top.node);
      open.pop_back();
    }
    absl::StrAppend(&profiles, profiles.empty() ? "" : ",", "{\"type\":\"evented\",\"name\":\"",
                    cycles ? "cycles" : "instructions",
                    "\",\"unit\":\"none\",\"startValue\":0,\"endValue\":", at, ",\"events\":[",
                    events, "]}");
  }
  sink(absl::StrCat("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\"name\":",
                    replaylog::JsonString(std::string(title)),
                    ",\"exporter\":\"isochron\",\"activeProfileIndex\":0,\"shared\":{\"frames\":[",
                    frames, "]},\"profiles\":[", profiles, "]}"));
}

}  // namespace isochron::debug
