// Stops as people ask for them.

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/call_pal.h"
#include "alpha/disassemble.h"
#include "debug/query_kinds.h"
#include "debug/stops.h"
#include "debug/system_calls.h"
#include "hostio/escape.h"
#include "hostio/number.h"
#include "hostio/printable.h"

namespace isochron::debug {
namespace {

using Kind = Stop::Kind;

std::string Quoted(std::string_view text) {
  return absl::StrCat("'", hostio::Printable(text), "'");
}

// Reads a line from its beginning to its end.
class StopReader {
 public:
  StopReader(std::string_view line, const Symbols& symbols) : rest_(line), symbols_(symbols) {}

  absl::StatusOr<Stop> Read() {
    absl::Status status = ReadKind();
    if (status.ok() && TakeIf("asn")) status = ReadAsn();
    if (!status.ok()) return status;
    if (!Peek().empty()) {
      return Wrong(absl::StrCat("what is ", Quoted(Peek()), " behind stop ", stop_.name, "?"));
    }
    return stop_;
  }

 private:
  static absl::Status Wrong(const std::string& message) {
    return absl::InvalidArgumentError(absl::StrCat(message, "; stop alone lists what there is"));
  }

  void SkipSpace() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
  }
  // The next word; empty at the end.
  std::string_view Peek() {
    SkipSpace();
    return rest_.substr(0, std::min(rest_.find_first_of(" \t\r\n"), rest_.size()));
  }
  std::string_view Take() {
    const std::string_view word = Peek();
    rest_.remove_prefix(word.size());
    return word;
  }
  bool TakeIf(std::string_view word) {
    if (Peek() != word) return false;
    Take();
    return true;
  }

  absl::Status ReadKind() {
    const std::string_view word = Take();
    stop_.name = std::string(word);
    if (word == "pc") return ReadPc();
    if (word == "interrupt") return OfEvent<machine::InterruptEvent>();
    if (word == "input") return OfEvent<machine::InputEvent>();
    if (word == "checkpoint") return OfEvent<machine::CheckpointEvent>();
    if (word == "console") {
      ReadUart();
      return OfEvent<machine::OutputEvent>();
    }
    if (word == "frame") return ReadFrame();
    if (word == "text") return ReadText();
    if (word == "exception") return ReadException();
    if (word == "tlb-miss") return ReadTlbMiss();
    if (word == "syscall") return ReadSystemCall();
    if (word == "callpal") return ReadCallPal();
    return Wrong(absl::StrCat("nothing to stop at is called ", Quoted(word)));
  }

  template <typename Event>
  absl::Status OfEvent() {
    stop_.kind = Kind::kEvent;
    stop_.value = machine::EventBody(Event()).index();
    return absl::OkStatus();
  }

  void ReadUart() {
    if (!TakeIf("serial1")) return;
    stop_.uart = 1;
    stop_.name += " serial1";
  }

  absl::Status ReadFrame() {
    stop_.kind = Kind::kFrame;
    constexpr std::array<const char*, 2> kNames = {"sent", "received"};
    if (!TakeOneOf(kNames)) stop_.value = kSentFrames | kReceivedFrames;
    return absl::OkStatus();
  }

  absl::Status ReadPc() {
    const std::string_view text = Take();
    if (text.empty()) return Wrong("stop pc needs an address or a symbol");
    const absl::StatusOr<CodePlace> place = FindCode(text, symbols_);
    if (!place.ok()) return place.status();
    stop_.kind = Kind::kPc;
    stop_.value = place->pc;
    const std::string symbol = symbols_.Name(place->pc);
    absl::StrAppendFormat(&stop_.name, " %#x%s%s", place->pc, symbol.empty() ? "" : " ", symbol);
    return absl::OkStatus();
  }

  absl::Status ReadText() {
    ReadUart();
    stop_.kind = Kind::kText;
    SkipSpace();
    if (!rest_.starts_with('"')) {
      stop_.bytes = std::string(Take());
    } else if (absl::Status status = ReadQuoted(); !status.ok()) {
      return status;
    }
    if (stop_.bytes.empty()) return Wrong("stop text needs a text");
    absl::StrAppend(&stop_.name, " \"", hostio::Printable(stop_.bytes), "\"");
    return absl::OkStatus();
  }

  absl::Status ReadQuoted() {
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_[0] != '"') {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c != '\\') {
        stop_.bytes.push_back(c);
      } else if (absl::Status status = hostio::TakeEscape(rest_, stop_.bytes); !status.ok()) {
        return status;
      }
    }
    if (rest_.empty()) return Wrong("the closing double quote is missing");
    rest_.remove_prefix(1);
    return absl::OkStatus();
  }

  // Takes a word that names one of those, whose bit it gives to `stop_`. False when it is none.
  template <size_t kCount>
  bool TakeOneOf(const std::array<const char*, kCount>& names) {
    const auto found = std::find(names.begin(), names.end(), Peek());
    if (found == names.end()) return false;
    stop_.value = uint64_t{1} << (found - names.begin());
    absl::StrAppend(&stop_.name, " ", *found);
    Take();
    return true;
  }

  absl::Status ReadException() {
    stop_.kind = Kind::kException;
    if (TakeIf("machine-check")) {
      stop_.kind = Kind::kMachineCheck;
      stop_.name = "machine check";
    } else if (!TakeOneOf(kSystemEntryNames)) {
      // Those that are no interrupts and no calls.
      stop_.value = 1 << kEntArith | 1 << kEntMm | 1 << kEntIf | 1 << kEntUna;
    }
    return absl::OkStatus();
  }

  absl::Status ReadTlbMiss() {
    constexpr std::array<const char*, 3> kNames = {"itb", "dtb", "page-table"};
    stop_.kind = Kind::kTlbMiss;
    if (!TakeOneOf(kNames)) stop_.value = (1 << kNames.size()) - 1;
    return absl::OkStatus();
  }

  bool AtWhen() { return Peek() == "before" || Peek() == "after"; }
  absl::Status ReadWhen() {
    stop_.after = TakeIf("after");
    if (!stop_.after) TakeIf("before");
    absl::StrAppend(&stop_.name, stop_.after ? ", after" : ", before");
    return absl::OkStatus();
  }

  absl::Status ReadSystemCall() {
    stop_.kind = Kind::kSystemCall;
    stop_.name = "system call";
    if (!Peek().empty() && !AtWhen() && Peek() != "asn") {
      const std::string_view word = Take();
      stop_.value = SystemCallNumber(word);
      if (!stop_.value.has_value()) {
        const absl::StatusOr<uint64_t> number = hostio::ParseNumber(word);
        if (!number.ok()) {
          return Wrong(absl::StrCat("no system call of Linux is called ", Quoted(word)));
        }
        stop_.value = *number;
      }
      absl::StrAppend(&stop_.name, " ", *stop_.value);
      if (const std::string_view name = SystemCallName(*stop_.value); !name.empty()) {
        absl::StrAppend(&stop_.name, " ", std::string(name));
      }
    }
    return ReadWhen();
  }

  absl::Status ReadCallPal() {
    stop_.kind = Kind::kCallPal;
    const std::string_view word = Take();
    if (word.empty()) return Wrong("stop callpal needs the name or number of a function");
    for (uint32_t function = 0; function < 0xc0; ++function) {
      if (alpha::CallPalName(function) == word) stop_.value = function;
    }
    if (!stop_.value.has_value()) {
      const absl::StatusOr<uint64_t> number = hostio::ParseNumber(word);
      const bool exists = number.ok() && *number < 0x100 &&
                          (alpha::IsPrivilegedCall(static_cast<uint32_t>(*number)) ||
                           alpha::IsUnprivilegedCall(static_cast<uint32_t>(*number)));
      if (!exists) return Wrong(absl::StrCat("there is no CALL_PAL ", Quoted(word)));
      stop_.value = *number;
    }
    const std::string_view name = alpha::CallPalName(static_cast<uint32_t>(*stop_.value));
    absl::StrAppendFormat(&stop_.name, " %#x%s%s", *stop_.value, name.empty() ? "" : " ",
                          std::string(name));
    return ReadWhen();
  }

  absl::Status ReadAsn() {
    const std::string_view word = Take();
    const absl::StatusOr<uint64_t> number = hostio::ParseNumber(word);
    if (!number.ok() || *number > UINT8_MAX) {
      return Wrong(absl::StrCat("an ASN is 0 to 255, not ", Quoted(word)));
    }
    stop_.asn = static_cast<uint8_t>(*number);
    absl::StrAppend(&stop_.name, ", ASN ", *number);
    return absl::OkStatus();
  }

  std::string_view rest_;
  const Symbols& symbols_;
  Stop stop_;
};

}  // namespace

const std::vector<StopHelp>& StopHelps() {
  static const std::vector<StopHelp> helps = {
      {"pc ADDRESS", "before the instruction at an address or symbol"},
      {"interrupt", "behind the entry of an interrupt, in PALcode"},
      {"exception [entInt|entArith|entMM|entIF|entUna|entSys|machine-check]",
       "where the operating system is entered; without a name all but entInt and entSys"},
      {"tlb-miss [itb|dtb|page-table]", "where PALcode begins to deal with it"},
      {"console [serial1]", "where the guest has sent a byte"},
      {"text [serial1] \"TEXT\"",
       "where what the guest has sent ends with it; escapes as in scripts"},
      {"input", "where input has come in"},
      {"frame [sent|received]", "where a frame has left or reached the network device"},
      {"checkpoint", "where the log has a digest of the state"},
      {"syscall [NAME|NUMBER] [before|after]", "before a system call, or where it has returned"},
      {"callpal NAME|NUMBER [before|after]",
       "before a CALL_PAL, or behind what PALcode does for it"},
  };
  return helps;
}

absl::StatusOr<Stop> StopNamed(std::string_view line, const Symbols& symbols) {
  return StopReader(line, symbols).Read();
}

}  // namespace isochron::debug
