#include "cli/host/terminal_filter.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace isochron::cli {
namespace {

constexpr uint8_t kEnquiry = 0x05;
constexpr uint8_t kBell = 0x07;
constexpr uint8_t kShiftOut = 0x0e;
constexpr uint8_t kCancel = 0x18;
constexpr uint8_t kSubstitute = 0x1a;
constexpr uint8_t kEscape = 0x1b;
constexpr uint8_t kDelete = 0x7f;
constexpr uint8_t kStringTerminator = 0x9c;

constexpr std::string_view kStringIntroducers = "]PX^_";

bool IsC1(uint8_t byte) { return byte >= 0x80 && byte < 0xa0; }
bool IsPrivate(uint8_t byte) { return byte >= 0x3c && byte <= 0x3f; }  // < = > ?
bool IsIntermediate(uint8_t byte) { return byte >= 0x20 && byte <= 0x2f; }

// Whether what follows `text` may be the next byte of a character in UTF-8; C2 9C is a control.
bool InsideCharacter(std::string_view text) {
  return !text.empty() && static_cast<uint8_t>(text.back()) >= 0x80 && text.back() != '\xc2';
}

// A control sequence's parts: "?", "1;2", "$".
struct Control {
  char prefix = 0;
  std::string_view parameters;
  std::string_view intermediates;
};

Control Split(std::string_view body) {
  Control control;
  if (!body.empty() && IsPrivate(static_cast<uint8_t>(body[0]))) {
    control.prefix = body[0];
    body.remove_prefix(1);
  }
  const auto end = std::find_if(body.begin(), body.end(),
                                [](char c) { return IsIntermediate(static_cast<uint8_t>(c)); });
  control.parameters = body.substr(0, static_cast<size_t>(end - body.begin()));
  control.intermediates = body.substr(control.parameters.size());
  return control;
}

// The parameters as numbers; what is none is -1.
std::vector<int> Numbers(std::string_view parameters) {
  std::vector<int> numbers;
  while (true) {
    const std::string_view field = parameters.substr(0, parameters.find(';'));
    int number = -1;
    std::from_chars(field.data(), field.data() + field.size(), number);
    numbers.push_back(number);
    if (field.size() == parameters.size()) return numbers;
    parameters.remove_prefix(field.size() + 1);
  }
}

// Autowrap and the visible cursor are on, all other modes off.
bool DefaultOf(bool is_private, int mode) { return is_private && (mode == 7 || mode == 25); }

}  // namespace

void TerminalFilter::Begin(State state, char byte) {
  state_ = state;
  holding_ = drop_queries_;
  sequence_.assign(1, byte);
  body_.clear();
  too_long_ = false;
}

void TerminalFilter::Append(uint8_t byte, std::string& out) {
  if (!holding_) out.push_back(static_cast<char>(byte));
  if (sequence_.size() >= kMaxSequence) {
    too_long_ = true;
  } else {
    sequence_.push_back(static_cast<char>(byte));
  }
}

void TerminalFilter::End(bool is_query, std::string& out) {
  if (holding_ && !is_query && !too_long_) out.append(sequence_);
  state_ = State::kGround;
}

void TerminalFilter::Feed(char byte, std::string& out) {
  const auto value = static_cast<uint8_t>(byte);
  switch (state_) {
    case State::kGround: return FeedGround(value, out);
    case State::kEscape: return FeedEscape(value, out);
    case State::kControl: return FeedControl(value, out);
    case State::kString:
    case State::kStringEscape: return FeedString(value, out);
  }
}

void TerminalFilter::FeedGround(uint8_t byte, std::string& out) {
  if (after_c2_) {
    after_c2_ = false;
    if (IsC1(byte)) return TakeC1(byte, out);
    if (drop_queries_) Pass(0xc2, out);  // it was held back
  }
  if (utf8_left_ > 0 && byte >= 0x80 && byte < 0xc0) {
    --utf8_left_;
    return Pass(byte, out);
  }
  utf8_left_ = 0;
  if (byte == 0xc2) {
    after_c2_ = true;
    if (!drop_queries_) Pass(byte, out);
    utf8_left_ = 1;
    return;
  }
  if (byte >= 0xc3 && byte <= 0xf4) utf8_left_ = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
  if (IsC1(byte)) return TakeC1(byte, out);
  if (byte == kEscape) {
    Begin(State::kEscape, static_cast<char>(byte));
    if (!holding_) Pass(byte, out);
    return;
  }
  if (byte == kShiftOut) charsets_ = true;
  if (byte == kEnquiry && drop_queries_) return;
  Pass(byte, out);
}

void TerminalFilter::TakeC1(uint8_t byte, std::string& out) {
  utf8_left_ = 0;
  // What ESC and this would be; said so, a terminal understands it whatever its character set.
  const auto letter = static_cast<uint8_t>(byte - 0x40);
  if (!drop_queries_) Pass(byte, out);
  Begin(State::kEscape, static_cast<char>(kEscape));
  std::string translated;
  FeedEscape(letter, translated);
  if (drop_queries_) out.append(translated);
}

void TerminalFilter::FeedEscape(uint8_t byte, std::string& out) {
  if (byte == kEscape) {
    Begin(State::kEscape, static_cast<char>(byte));
    if (!holding_) Pass(byte, out);
    return;
  }
  if (byte == kCancel || byte == kSubstitute) {
    Pass(byte, out);
    state_ = State::kGround;
    return;
  }
  Append(byte, out);
  if (byte < 0x20) return;
  if (IsIntermediate(byte)) {
    body_.push_back(static_cast<char>(byte));
    return;
  }
  if (!body_.empty()) {  // a character set, most likely
    charsets_ = true;
    return End(false, out);
  }
  if (byte == '[') {
    state_ = State::kControl;
    return;
  }
  if (kStringIntroducers.find(static_cast<char>(byte)) != std::string_view::npos) {
    state_ = State::kString;
    introducer_ = static_cast<char>(byte);
    return;
  }
  switch (byte) {
    case 'c':  // a full reset
      modes_.clear();
      attributes_ = margins_ = charsets_ = keypad_ = cursor_style_ = other_keys_ = false;
      keyboard_pushes_ = 0;
      break;
    case '=': keypad_ = true; break;
    case '>': keypad_ = false; break;
    case 'n':
    case 'o':
    case '|':
    case '}':
    case '~': charsets_ = true; break;
    default: break;
  }
  End(byte == 'Z', out);
}

void TerminalFilter::FeedControl(uint8_t byte, std::string& out) {
  if (byte == kEscape) {
    Begin(State::kEscape, static_cast<char>(byte));
    if (!holding_) Pass(byte, out);
    return;
  }
  if (byte < 0x20 || byte == kDelete) {  // obeyed in the middle of a sequence
    if (byte != kEnquiry || !drop_queries_) Pass(byte, out);
    if (byte == kCancel || byte == kSubstitute) state_ = State::kGround;
    return;
  }
  Append(byte, out);
  if (byte < 0x40) {
    if (!too_long_) body_.push_back(static_cast<char>(byte));
    return;
  }
  Track(byte);
  End(IsQuery(byte), out);
}

void TerminalFilter::FeedString(uint8_t byte, std::string& out) {
  if (state_ == State::kStringEscape) {
    if (byte == '\\') {
      Append(byte, out);
      return End(IsStringQuery(), out);
    }
    // Another sequence begins, and the string is broken off; its ESC has been passed.
    Begin(State::kEscape, static_cast<char>(kEscape));
    return FeedEscape(byte, out);
  }
  if (byte == kCancel || byte == kSubstitute) {
    Pass(byte, out);
    state_ = State::kGround;
    return;
  }
  Append(byte, out);
  if (byte == kEscape) {
    state_ = State::kStringEscape;
  } else if ((byte == kBell && introducer_ == ']') ||
             (byte == kStringTerminator && !InsideCharacter(body_))) {
    End(IsStringQuery(), out);
  } else if (!too_long_) {
    body_.push_back(static_cast<char>(byte));
  }
}

bool TerminalFilter::IsQuery(uint8_t final) const {
  const Control control = Split(body_);
  if (control.intermediates.empty()) {
    switch (final) {
      case 'n':  // DSR; CSI > n sets a mode
        return control.prefix != '>';
      case 'c':  // DA; CSI ? c is the shape of Linux's cursor
        return control.prefix != '?';
      case 'x':  // DECREQTPARM
        return control.prefix == 0;
      case 'q':  // XTVERSION
        return control.prefix == '>';
      case 'u':  // kitty's keyboard
        return control.prefix == '?';
      case 'm':  // XTQMODKEYS
      case 'S':  // XTSMGRAPHICS
        return control.prefix == '?';
      case 't': {
        const int operation = Numbers(control.parameters)[0];
        return control.prefix == 0 && operation >= 11 && operation <= 21 && operation != 12 &&
               operation != 17;
      }
      default: return false;
    }
  }
  // DECRQM, DECRQPSR, DECRQTSR, DECRQCRA, DECRQLP, DECRQUPSS, DECRQPKFM, DECRQDE, reports of
  // attributes, colours and selected graphics.
  constexpr std::string_view kQueries[] = {"$p", "$w", "$u",  "*y", "'|",
                                           "&u", "+x", "\"v", "#|", "#R"};
  const std::string kind =
      absl::StrCat(std::string(control.intermediates), std::string(1, static_cast<char>(final)));
  return std::find(std::begin(kQueries), std::end(kQueries), kind) != std::end(kQueries);
}

bool TerminalFilter::IsStringQuery() const {
  std::string_view body = body_;
  switch (introducer_) {
    case ']': {  // a colour, the clipboard, ...: something is "?"
      while (true) {
        const std::string_view field = body.substr(0, body.find(';'));
        if (field == "?" || field.ends_with("=?")) return true;
        if (field.size() == body.size()) return false;
        body.remove_prefix(field.size() + 1);
      }
    }
    case 'P': {  // DECRQSS, XTGETTCAP
      body.remove_prefix(std::min(body.find_first_not_of("0123456789;"), body.size()));
      return body.starts_with("$q") || body.starts_with("+q") || body.starts_with("+Q");
    }
    case '_':  // kitty's graphics answer everything
      return body.starts_with("G");
    default: return false;
  }
}

void TerminalFilter::Track(uint8_t final) {
  const Control control = Split(body_);
  if (control.intermediates == " " && final == 'q') cursor_style_ = true;
  if (!control.intermediates.empty()) return;
  switch (final) {
    case 'h':
    case 'l': {
      if (control.prefix != 0 && control.prefix != '?') return;
      const bool is_private = control.prefix == '?';
      for (const int mode : Numbers(control.parameters)) {
        if (mode < 0) continue;
        if ((final == 'h') == DefaultOf(is_private, mode)) {
          modes_.erase({is_private, mode});
        } else if (modes_.size() < 256) {
          modes_[{is_private, mode}] = final == 'h';
        }
      }
      return;
    }
    case 'm':
      if (control.prefix == '>') other_keys_ = true;
      if (control.prefix == 0) attributes_ = true;
      return;
    case 'r':
      if (control.prefix == 0) margins_ = !control.parameters.empty();
      return;
    case 'u':
      if (control.prefix == '>') ++keyboard_pushes_;
      if (control.prefix == '<') keyboard_pushes_ = std::max(0, keyboard_pushes_ - 1);
      return;
    default: return;
  }
}

std::string TerminalFilter::Restore() const {
  std::string text;
  if (state_ != State::kGround && !holding_) text.push_back(static_cast<char>(kCancel));
  if (margins_)
    text +=
        "\x1b"
        "7\x1b[r\x1b"
        "8";
  if (attributes_) text += "\x1b[m";
  if (charsets_) text += "\x0f\x1b(B";
  if (keypad_) text += "\x1b>";
  if (cursor_style_) text += "\x1b[0 q";
  if (other_keys_) text += "\x1b[>4m";
  if (keyboard_pushes_ > 0) absl::StrAppend(&text, "\x1b[<", keyboard_pushes_, "u");
  for (const auto& [mode, is_set] : modes_) {
    absl::StrAppend(&text, "\x1b[", mode.first ? "?" : "", mode.second, is_set ? "l" : "h");
  }
  return text;
}

}  // namespace isochron::cli
