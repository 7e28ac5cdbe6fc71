#include "debug/symbols.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "alpha/call_pal.h"
#include "alpha/disassemble.h"
#include "hostio/number.h"
#include "hostio/printable.h"
#include "machine/firmware/embedded_images.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::debug {
namespace {

constexpr std::string_view kPalPrefix = "pal.";
// Of names or places that a message lists.
constexpr size_t kMaxListed = 8;

std::string Quoted(std::string_view text) {
  return absl::StrCat("'", hostio::Printable(text), "'");
}

// A CALL_PAL function has a slot of 64 bytes (HRM section 6.8.1), and labels only where the code
// in it has some.
void AddCallPals(std::vector<machine::Symbol>& symbols) {
  constexpr uint64_t kSlotBytes = 64;
  for (uint32_t function = 0; function < 0xc0; ++function) {
    if (function == 0x40) function = 0x80;
    const uint64_t address = FW_PAL_BASE + (alpha::CallPalEntry(function) & ~uint32_t{1});
    const std::string_view name = alpha::CallPalName(function);
    symbols.push_back({address, kSlotBytes,
                       name.empty() ? absl::StrFormat("callpal_%02x", function)
                                    : absl::StrCat("callpal_", std::string(name))});
  }
}

std::string JoinSome(std::vector<std::string> items) {
  const size_t count = items.size();
  if (count > kMaxListed) {
    items.resize(kMaxListed);
    items.push_back(absl::StrCat(count - kMaxListed, " more"));
  }
  return absl::StrJoin(items, ", ");
}

}  // namespace

Symbols::Symbols(const machine::KernelImage& kernel) {
  auto table = std::make_unique<Table>();
  table->symbols = &kernel.symbols;
  table->lines = kernel.lines;
  tables_.push_back(std::move(table));
  AddPalcode();
}

void Symbols::AddPalcode() {
  const std::span<const uint8_t> elf = machine::PalcodeSymbols();
  absl::StatusOr<machine::ElfSymbols> parsed =
      machine::ParseElfSymbols({reinterpret_cast<const char*>(elf.data()), elf.size()});
  auto table = std::make_unique<Table>();
  if (parsed.ok()) table->own = std::move(parsed->symbols);
  AddCallPals(table->own);
  for (machine::Symbol& symbol : table->own) symbol.name.insert(0, kPalPrefix);
  std::stable_sort(
      table->own.begin(), table->own.end(),
      [](const machine::Symbol& a, const machine::Symbol& b) { return a.address < b.address; });
  table->symbols = &table->own;
  table->pal = true;
  tables_.push_back(std::move(table));
}

absl::Status Symbols::AddFile(std::string_view elf, uint64_t bias) {
  absl::StatusOr<machine::ElfSymbols> parsed = machine::ParseElfSymbols(elf);
  if (!parsed.ok()) return parsed.status();
  if (parsed->symbols.empty()) return absl::InvalidArgumentError("the file has no symbols");
  auto table = std::make_unique<Table>();
  table->own = std::move(parsed->symbols);
  table->symbols = &table->own;
  table->lines = std::move(parsed->lines);
  table->bias = bias;
  tables_.push_back(std::move(table));
  return absl::OkStatus();
}

Symbols::Found Symbols::Cover(uint64_t address, bool pal) const {
  Found best;
  for (const std::unique_ptr<Table>& table : tables_) {
    if (table->pal != pal) continue;
    const machine::Symbol* symbol = machine::FindSymbol(*table->symbols, address - table->bias);
    if (symbol == nullptr) continue;
    // The nearest, since a symbol without a size covers all that follows it.
    const auto distance = [address](const Found& found) {
      return address - found.table->bias - found.symbol->address;
    };
    const Found found = {table.get(), symbol};
    if (best.symbol == nullptr || distance(found) < distance(best)) best = found;
  }
  return best;
}

std::string Symbols::Text(const Found& found, uint64_t address) {
  if (found.symbol == nullptr) return "";
  const uint64_t offset = address - found.table->bias - found.symbol->address;
  const std::string name = hostio::Printable(found.symbol->name);
  return offset == 0 ? name : absl::StrFormat("%s+0x%x", name, offset);
}

std::optional<Symbols::Function> Symbols::FunctionAt(uint64_t pc) const {
  const Found found = Cover(pc & ~uint64_t{3}, (pc & 1) != 0);
  if (found.symbol == nullptr) return std::nullopt;
  const uint64_t begin = found.symbol->address + found.table->bias;
  return Function{begin | (pc & 1), hostio::Printable(found.symbol->name)};
}

std::string Symbols::Name(uint64_t pc) const {
  const uint64_t address = pc & ~uint64_t{3};
  return Text(Cover(address, (pc & 1) != 0), address);
}

std::string Symbols::DataName(uint64_t address) const {
  return Text(Cover(address, /*pal=*/false), address);
}

std::string Symbols::Line(uint64_t pc) const {
  const uint64_t address = pc & ~uint64_t{3};
  for (const std::unique_ptr<Table>& table : tables_) {
    if (table->pal != ((pc & 1) != 0) || table->lines == nullptr) continue;
    std::string line = hostio::Printable(table->lines->Find(address - table->bias));
    if (!line.empty()) return line;
  }
  return "";
}

std::string Symbols::Describe(uint64_t pc) const {
  const std::string line = Line(pc);
  return line.empty() ? Name(pc) : absl::StrCat(Name(pc), " (", line, ")");
}

std::vector<NamedPlace> Symbols::PlacesOf(std::string_view name) const {
  const auto find = [this](std::string_view wanted) {
    std::vector<NamedPlace> places;
    for (const std::unique_ptr<Table>& table : tables_) {
      for (const machine::Symbol& symbol : *table->symbols) {
        if (symbol.name != wanted) continue;
        places.push_back(
            {symbol.address + table->bias, symbol.size, symbol.local_entry, table->pal});
      }
    }
    std::stable_sort(places.begin(), places.end(),
                     [](const NamedPlace& a, const NamedPlace& b) { return a.pc() < b.pc(); });
    const auto end =
        std::unique(places.begin(), places.end(),
                    [](const NamedPlace& a, const NamedPlace& b) { return a.pc() == b.pc(); });
    places.erase(end, places.end());
    return places;
  };
  std::vector<NamedPlace> places = find(name);
  if (places.empty()) places = find(absl::StrCat(std::string(kPalPrefix), std::string(name)));
  return places;
}

std::string Symbols::ListPlace(const NamedPlace& place) const {
  const std::string line = Line(place.pc());
  return absl::StrFormat("0x%x%s", place.address, line.empty() ? "" : " (" + line + ")");
}

std::vector<std::string> Symbols::NamesLike(std::string_view name) const {
  std::vector<std::string> like;
  if (name.empty()) return like;
  const auto same_letters = [&](const std::string& other) {
    return absl::EqualsIgnoreCase(other, std::string(name));
  };
  const std::string lower = absl::AsciiStrToLower(std::string(name));
  for (const std::unique_ptr<Table>& table : tables_) {
    for (const machine::Symbol& symbol : *table->symbols) {
      if (absl::StrContains(absl::AsciiStrToLower(symbol.name), lower)) {
        like.push_back(hostio::Printable(symbol.name));
      }
    }
  }
  std::sort(like.begin(), like.end(), [&](const std::string& a, const std::string& b) {
    return std::tuple(!same_letters(a), a.size(), a) < std::tuple(!same_letters(b), b.size(), b);
  });
  like.erase(std::unique(like.begin(), like.end()), like.end());
  return like;
}

absl::StatusOr<NamedPlace> Symbols::FindName(std::string_view name) const {
  const std::vector<NamedPlace> places = PlacesOf(name);
  if (places.size() == 1) return places.front();
  if (places.size() > 1) {
    std::vector<std::string> listed;
    for (const NamedPlace& place : places) listed.push_back(ListPlace(place));
    return absl::InvalidArgumentError(absl::StrCat(
        Quoted(name), " is the name of several places: ", JoinSome(std::move(listed))));
  }
  std::vector<std::string> like = NamesLike(name);
  return absl::NotFoundError(
      absl::StrCat("there is no symbol ", Quoted(name),
                   like.empty() ? "" : "; there are " + JoinSome(std::move(like))));
}

absl::StatusOr<NamedPlace> Symbols::Find(std::string_view text, bool code) const {
  if (!text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(text.front()))) {
    absl::StatusOr<uint64_t> number = hostio::ParseNumber(text);
    if (!number.ok()) return number.status();
    if (!code) return NamedPlace{*number};
    if ((*number & 2) != 0) {
      return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is no address of code"));
    }
    NamedPlace place;
    place.address = *number & ~uint64_t{3};
    place.pal = (*number & 1) != 0;
    return place;
  }
  // A name may have a '+' in it, of which a number follows the last.
  const size_t plus = text.rfind('+');
  if (plus == text.npos || !PlacesOf(text).empty()) return FindName(text);
  const absl::StatusOr<uint64_t> offset = hostio::ParseNumber(text.substr(plus + 1));
  if (!offset.ok()) return FindName(text);
  absl::StatusOr<NamedPlace> place = FindName(text.substr(0, plus));
  if (!place.ok()) return place.status();
  if (code && *offset % 4 != 0) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is no address of code"));
  }
  place->address += *offset;
  place->size = *offset < place->size ? place->size - *offset : 0;
  if (*offset != 0) place->local_entry = 0;
  return place;
}

}  // namespace isochron::debug
