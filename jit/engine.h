// The translating engine.

#ifndef ISOCHRON_JIT_ENGINE_H_
#define ISOCHRON_JIT_ENGINE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "alpha/engine.h"
#include "alpha/memory.h"
#include "jit/host_features.h"

namespace isochron::jit {

// How to translate. Nothing in it changes what the guest does.
struct Options {
  static constexpr size_t kMinCodeBytes = size_t{1} << 20;
  static constexpr size_t kMaxCodeBytes = size_t{1} << 30;

  // Bytes of the code cache. When it is full, everything in it is dropped.
  size_t code_bytes = size_t{32} << 20;
  // Entries of the inline lookup for data references: a power of two from 2 to
  // ref::DataLookaside::kMaxEntries.
  uint32_t lookaside_entries = 4096;
  // How often the loop must see a block before it is translated.
  uint32_t threshold = 24;
  HostFeatures features = HostFeatures::Detect();
  // Not empty: the file that tells perf(1) which code is which.
  std::string perf_map;
  // A clock in nanoseconds, to tell how long translating took; nothing else reads it.
  std::function<uint64_t()> clock;
};

// Reads what may follow the engine's name: settings, each with a colon before it.
//
//   :cache=BYTES      size of the code cache; K and M are powers of 1024
//   :lookaside=N      entries of the inline lookup
//   :threshold=N      how often a block is seen before it is translated
//   :host=none        only instructions that every x86-64 has
//   :perf-map=FILE    write FILE for perf
//
// InvalidArgument when it is anything else.
absl::StatusOr<Options> ParseOptions(std::string_view text);

// Makes an engine that translates hot guest code to the host's and interprets the rest.
// ResourceExhausted when the host has no memory for it, another error when the perf map cannot
// be written.
absl::StatusOr<std::unique_ptr<alpha::Engine>> CreateEngine(alpha::Memory& memory, alpha::IoBus& io,
                                                            const Options& options = {});

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_ENGINE_H_
