// Reads arbitrary bytes as a kernel: an error on one line, or an image of which everything is true
// that KernelImage promises; and as a program with symbols.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "machine/firmware/elf_image.h"

namespace isochron::machine {
namespace {

// The promises of KernelImage.
bool IsSound(const KernelImage& image) {
  uint64_t end = kKsegBase;
  bool has_entry = false;
  for (const KernelSegment& segment : image.segments) {
    const bool in_order = segment.address >= end && segment.memory_bytes != 0;
    const bool fits = IsKseg(segment.address) &&
                      segment.memory_bytes <= kKsegBase + kKsegSize - segment.address &&
                      segment.contents.size() <= segment.memory_bytes;
    if (!in_order || !fits) return false;
    has_entry |= image.entry - segment.address < segment.memory_bytes;
    end = segment.address + segment.memory_bytes;
  }
  return has_entry && image.entry % 4 == 0 &&
         std::is_sorted(image.symbols.begin(), image.symbols.end(),
                        [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
}

void Look(const KernelImage& image, uint64_t address) {
  const Symbol* symbol = image.FindSymbol(address);
  if (symbol == nullptr) return;
  const bool covers =
      symbol->address <= address && (symbol->size == 0 || address - symbol->address < symbol->size);
  if (!covers) std::abort();
}

// The same bytes as a program that somebody wants names of.
void ReadProgram(std::string_view bytes) {
  const absl::StatusOr<ElfSymbols> program = ParseElfSymbols(bytes);
  if (!program.ok()) return;
  for (const Symbol& symbol : program->symbols) {
    const Symbol* const found = FindSymbol(program->symbols, symbol.address);
    if (found != nullptr && found->address != symbol.address) std::abort();
  }
}

void ReadKernel(std::string_view bytes) {
  const absl::StatusOr<KernelImage> image = ParseKernel(bytes);
  if (!image.ok()) {
    const std::string_view message(image.status().message().data(),
                                   image.status().message().size());
    if (message.empty() || message.find('\n') != message.npos) std::abort();
    return;
  }
  if (!IsSound(*image)) std::abort();
  for (const uint64_t address : {uint64_t{0}, image->entry, ~uint64_t{0}}) Look(*image, address);
  for (const Symbol& symbol : image->symbols) {
    Look(*image, symbol.address);
    Look(*image, symbol.address + symbol.size);
  }
}

}  // namespace
}  // namespace isochron::machine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  isochron::machine::ReadKernel(bytes);
  isochron::machine::ReadProgram(bytes);
  return 0;
}
