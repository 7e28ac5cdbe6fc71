#include "jit/translator.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "jit/list_code.h"

namespace isochron::jit {
namespace {

// Page and mode of what is translated at `pc`; it has no code yet.
Translation PlaceOf(const ref::CodePage& page, uint64_t pc, const Region& region) {
  Translation place;
  place.virtual_page = pc & (~alpha::kPageMask | 1);
  place.physical_page = page.pa();
  place.mode = page.mode();
  place.uses_float = region.uses_float;
  return place;
}

}  // namespace

Translator::Outcome Translator::Translate(ref::CodePage& page, uint64_t pc, uint32_t limit) {
  if (!clock_) return TranslateNow(page, pc, limit);
  const uint64_t start = clock_();
  const Outcome outcome = TranslateNow(page, pc, limit);
  nanoseconds_ += clock_() - start;
  return outcome;
}

Translator::Outcome Translator::TranslateNow(ref::CodePage& page, uint64_t pc, uint32_t limit) {
  const Region region =
      FormRegion(page, memory_.host(page.pa()), pc & alpha::kPageMask & ~3u, limit);
  if (code_.free() < Emitter::MaxBytes(region) ||
      slots_used_ + Emitter::MaxSlots(region) > CpuTables::kExitSlots) {
    return Outcome::kFull;
  }
  const Translation place = PlaceOf(page, pc, region);
  translations_.push_back(place);
  Emitter emitter(setup_, region, translations_.back(), code_.write_cursor(),
                  code_.execute_cursor(), &setup_.tables.slots[slots_used_]);
  if (!emitter.Emit()) {
    translations_.pop_back();
    return Outcome::kImpossible;
  }
  Publish(page, region, emitter, place);
  const bool native = place.mode == ref::DecodeMode::kNative;
  if (perf_map_.is_open()) {
    perf_map_.Add(code_.execute_cursor(), emitter.bytes(), pc, native ? "native" : "pal",
                  native && namer_ ? namer_(pc & ~uint64_t{3}) : "");
  }
  code_.Advance(emitter.bytes());
  const ExitSlot* const slots = &setup_.tables.slots[slots_used_];
  for (CpuTables* tables : others_) {
    std::copy_n(slots, emitter.slots_used(), &tables->slots[slots_used_]);
  }
  slots_used_ += emitter.slots_used();
  ++regions_;
  instructions_ += region.instructions;
  return Outcome::kDone;
}

void Translator::Publish(ref::CodePage& page, const Region& region, const Emitter& emitter,
                         const Translation& place) {
  for (size_t i = 0; i < region.blocks.size(); ++i) {
    ref::Block* block = page.Find(region.blocks[i].start);
    const bool is_entry = static_cast<int>(i) == region.entry;
    if (block->translation != nullptr && !is_entry) continue;
    Translation translation = place;
    translation.code = emitter.EntryOf(i);
    translation.needed = region.blocks[i].needed();
    translations_.push_back(translation);
    block->translation = &translations_.back();
    page.ForgetLinksTo(block);
  }
}

std::string Translator::Describe(const ref::CodePage& page, uint64_t pc) const {
  const Region region = FormRegion(page, memory_.host(page.pa()), pc & alpha::kPageMask & ~3u);
  if (slots_used_ + Emitter::MaxSlots(region) > CpuTables::kExitSlots) return {};
  const Translation place = PlaceOf(page, pc, region);
  std::vector<uint8_t> code(Emitter::MaxBytes(region));
  Emitter emitter(setup_, region, place, code.data(), code.data(),
                  &setup_.tables.slots[slots_used_]);
  std::vector<CodeMark> marks;
  emitter.MarkCode(&marks);
  if (!emitter.Emit()) return {};
  const auto first = std::find_if(marks.begin(), marks.end(), [pc](const CodeMark& mark) {
    return mark.kind == CodeMark::Kind::kBlock && mark.pc == pc;
  });
  const auto last = std::find_if(
      first, marks.end(), [](const CodeMark& mark) { return mark.kind == CodeMark::Kind::kEnd; });
  if (last == marks.end()) return {};
  return absl::StrCat("  blocks: ", region.blocks.size(), ", instructions: ", region.instructions,
                      ", bytes of host code: ", emitter.bytes(), "; the block at the entry:\n",
                      ListCode(emitter.map(), {first, last + 1}, code));
}

void Translator::Link(const CpuTables& of, ExitSlot& left_by, const uint8_t* code, uint64_t key) {
  ++links_;
  left_by.code = code;
  if (left_by.key != ExitSlot::kSamePage) {
    left_by.key = key;
    return;
  }
  // Within a page it holds for every CPU.
  const ptrdiff_t number = &left_by - of.slots;
  setup_.tables.slots[number].code = code;
  for (CpuTables* tables : others_) tables->slots[number].code = code;
}

void Translator::DropAll() {
  code_.Truncate(kept_bytes_);
  slots_used_ = 0;
  translations_.clear();
  ++flushes_;
}

void Translator::AddTo(alpha::TranslationStats& stats) const {
  stats.regions_translated = regions_;
  stats.instructions_translated = instructions_;
  stats.links = links_;
  stats.cache_flushes = flushes_;
  stats.code_bytes = code_.used();
  stats.translation_nanoseconds = nanoseconds_;
}

}  // namespace isochron::jit
