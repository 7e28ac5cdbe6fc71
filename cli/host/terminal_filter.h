// What a guest's output does to a terminal.

#ifndef ISOCHRON_CLI_HOST_TERMINAL_FILTER_H_
#define ISOCHRON_CLI_HOST_TERMINAL_FILTER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isochron::cli {

// Follows the control sequences (ECMA-48, DEC VT500, xterm, kitty) in what is written to a
// terminal.
//
// It can leave out those that the terminal answers as if somebody typed (ENQ, DA, DSR, DECRQM,
// DECRQSS, reports of windows and colours, ...): nobody waits for the answer to what was asked long
// ago, and it would land in the user's shell. A sequence then passes when it is complete. And it
// knows what puts a terminal back that a guest has left in another mode.
class TerminalFilter {
 public:
  // Of a sequence; a longer one is left out, or passes without being looked at.
  static constexpr size_t kMaxSequence = size_t{64} << 10;

  explicit TerminalFilter(bool drop_queries = false) : drop_queries_(drop_queries) {}

  // From the next sequence on.
  void SetDropQueries(bool drop_queries) { drop_queries_ = drop_queries; }

  // Appends to `out` what the terminal is to get.
  void Feed(char byte, std::string& out);

  // What undoes the modes that were set and not reset, and ends a sequence under way. Empty when
  // there is nothing to undo.
  std::string Restore() const;

 private:
  enum class State : uint8_t {
    kGround,
    kEscape,        // behind ESC
    kControl,       // in a control sequence, behind CSI
    kString,        // in a command string, behind OSC, DCS, SOS, PM or APC
    kStringEscape,  // behind an ESC there
  };

  // Begins a sequence of which `byte` is the first.
  void Begin(State state, char byte);
  void FeedGround(uint8_t byte, std::string& out);
  void FeedEscape(uint8_t byte, std::string& out);
  void FeedControl(uint8_t byte, std::string& out);
  void FeedString(uint8_t byte, std::string& out);
  // The control character that a C1 byte is, in ground state.
  void TakeC1(uint8_t byte, std::string& out);
  // Puts `byte` behind the sequence under way.
  void Append(uint8_t byte, std::string& out);
  // The sequence is complete.
  void End(bool is_query, std::string& out);
  // A byte that is no part of a sequence.
  void Pass(uint8_t byte, std::string& out) { out.push_back(static_cast<char>(byte)); }

  bool IsQuery(uint8_t final) const;
  bool IsStringQuery() const;
  // Remembers what a control sequence that ends in `final` changes.
  void Track(uint8_t final);

  bool drop_queries_;
  bool holding_ = false;  // the sequence under way has not been passed yet
  State state_ = State::kGround;
  std::string sequence_;  // as it was written, without what was too long
  char introducer_ = 0;   // of a string: ']', 'P', 'X', '^' or '_'
  std::string body_;      // of a control sequence or a string
  bool too_long_ = false;
  int utf8_left_ = 0;      // bytes to come of a character
  bool after_c2_ = false;  // behind the first byte of a C1 control in UTF-8

  // What was left in another state: modes by whether they are private and number.
  std::map<std::pair<bool, int>, bool> modes_;
  bool attributes_ = false;
  bool margins_ = false;
  bool charsets_ = false;
  bool keypad_ = false;
  bool cursor_style_ = false;
  bool other_keys_ = false;
  int keyboard_pushes_ = 0;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_TERMINAL_FILTER_H_
