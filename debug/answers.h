// What is answered to a question about a run: rows of a table.

#ifndef ISOCHRON_DEBUG_ANSWERS_H_
#define ISOCHRON_DEBUG_ANSWERS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace isochron::debug {

// One value of a row.
struct Cell {
  enum class Kind : uint8_t { kNone, kDecimal, kSigned, kHex, kText, kFlag };
  Kind kind = Kind::kNone;
  uint64_t value = 0;
  std::string text;  // printable

  static Cell Decimal(uint64_t value) { return {Kind::kDecimal, value, ""}; }
  static Cell Signed(uint64_t value) { return {Kind::kSigned, value, ""}; }
  static Cell Hex(uint64_t value) { return {Kind::kHex, value, ""}; }
  static Cell Text(std::string text) { return {Kind::kText, 0, std::move(text)}; }
  static Cell Flag(bool value) { return {Kind::kFlag, value ? uint64_t{1} : 0, ""}; }

  // "-" where there is nothing; a flag is shown by its column's name.
  std::string Shown(std::string_view column) const;
  std::string Json() const;
};

struct Column {
  std::string_view name;
  int width = 0;  // that its values need as a rule; negative: they stand at the left
};

using Row = std::vector<Cell>;  // a cell for each column

// Rows as lines of text, or as JSON objects with the columns' names for fields, without ends of
// lines.
class AnswerFormat {
 public:
  AnswerFormat(std::vector<Column> columns, bool json)
      : columns_(std::move(columns)), json_(json) {}

  std::string Heading() const;
  std::string Format(const Row& row) const;

 private:
  std::string Line(const std::vector<std::string>& texts) const;

  const std::vector<Column> columns_;
  const bool json_;
};

// Rows in the order in which they were begun, each of which is given away as soon as it and all
// before it are complete; or, for who does not mind the order, as soon as it is.
class Answers {
 public:
  enum class Order : uint8_t { kBegun, kCompleted };

  // `take` gets each row; false: that is enough.
  explicit Answers(std::function<bool(const Row&)> take, Order order = Order::kBegun)
      : take_(std::move(take)), order_(order) {}

  // Adds a row, which Complete() is to be called for if it is not complete. Returns its number.
  uint64_t Add(Row row, bool complete = true);
  // The row with this number, which has not been completed.
  Row& at(uint64_t number) { return rows_.at(number).row; }
  void Complete(uint64_t number);
  // Gives away what there is: nothing comes that would complete it.
  void CompleteAll();

  // Whether more is wanted.
  bool wanted() const { return wanted_; }

 private:
  struct Entry {
    Row row;
    bool complete;
  };

  void GiveAway();

  const std::function<bool(const Row&)> take_;
  const Order order_;
  std::map<uint64_t, Entry> rows_;  // by number
  uint64_t next_ = 0;               // number of the next
  bool wanted_ = true;
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_ANSWERS_H_
