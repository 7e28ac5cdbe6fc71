#include "replaylog/describe_diff.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <type_traits>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hostio/printable.h"
#include "machine/events/cycle_text.h"
#include "replaylog/record_table.h"

namespace isochron::replaylog {
namespace {

constexpr std::string_view kBeside = " | ";

std::string Cut(std::string_view text, size_t columns) {
  return std::string(text.substr(0, columns));
}

// The digest that an event holds, with the name of the field: "state 0123...".
struct DigestIn {
  template <typename Body>
  std::string operator()(const Body& body) const {
    std::string text;
    VisitRecordOf(body, [&](const auto& record) {
      record.ForEachField([&]<typename Field>(const Field& field) {
        if constexpr (std::is_same_v<decltype(Field::coding), StateDigest>)
          text = absl::StrCat(std::string(field.name), " ",
                              std::invoke(field.access, body).ToString());
      });
    });
    return text;
  }
};

}  // namespace

DiffText::DiffText(std::string_view left_name, std::string_view right_name, uint64_t clock_hz,
                   size_t columns)
    : left_name_(hostio::Printable(left_name)),
      right_name_(hostio::Printable(right_name)),
      clock_hz_(clock_hz),
      side_by_side_(columns >= kSideBySide),
      columns_(side_by_side_ ? (columns - kBeside.size()) / 2
                             : std::max(columns, kLineColumns) - 2) {}

std::string DiffText::Heading() const {
  if (side_by_side_) {
    return absl::StrCat(Beside(left_name_, '|', right_name_),
                        Beside(EventTableHeading(), '|', EventTableHeading()));
  }
  return absl::StrCat("- ", left_name_, "\n+ ", right_name_, "\n  ", EventTableHeading(), "\n");
}

std::string DiffText::Equal(const EventPair& pair) const {
  if (side_by_side_) return Beside(Describe(*pair.left), ' ', Describe(*pair.right));
  return absl::StrCat("  ", Describe(*pair.left), "\n");
}

std::string DiffText::Different(const EventPair& pair) const {
  const std::string left = pair.left ? Describe(*pair.left) : "";
  const std::string right = pair.right ? Describe(*pair.right) : "";
  std::string text;
  if (side_by_side_) {
    text = Beside(left, pair.left ? (pair.right ? '|' : '<') : '>', right);
  } else {
    if (pair.left) absl::StrAppend(&text, "- ", left, "\n");
    if (pair.right) absl::StrAppend(&text, "+ ", right, "\n");
    if (pair.one_ended) {
      absl::StrAppend(&text, pair.left ? "+" : "-", " the log ends here\n");
    }
  }
  return text + Detail(pair);
}

std::string DiffText::Detail(const EventPair& pair) const {
  if (!pair.left || !pair.right) return "";
  if (const std::optional<size_t> at = FirstDifferentByte(*pair.left, *pair.right)) {
    return BytesAround(*at, *EventBytes(*pair.left), *EventBytes(*pair.right));
  }
  const std::string left = std::visit(DigestIn(), pair.left->body);
  const std::string right = std::visit(DigestIn(), pair.right->body);
  return left.empty() || right.empty() || left == right ? "" : Lines(left, right);
}

std::string DiffText::Summary(const EventPair& pair) const {
  const Event& event = pair.left ? *pair.left : *pair.right;
  const std::string& other = pair.left ? right_name_ : left_name_;
  if (pair.one_ended) return absl::StrCat(other, " ends before event ", event.number);
  std::string what;
  if (pair.left && pair.right) {
    what = NameDifference(*pair.left, *pair.right, clock_hz_);
  } else {
    what = absl::StrCat(other, " has none like it");
  }
  return absl::StrCat("event ", event.number, ", cycle ",
                      machine::WithSeconds(event.cycle, clock_hz_), ": ", what);
}

std::string DiffText::Describe(const Event& event) const {
  return DescribeEvent(event, clock_hz_, columns_);
}

std::string DiffText::Beside(std::string_view left, char mark, std::string_view right) const {
  const std::string line = absl::StrFormat("%-*s %c %s", static_cast<int>(columns_),
                                           Cut(left, columns_), mark, Cut(right, columns_));
  return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

std::string DiffText::Lines(std::string_view left, std::string_view right) const {
  if (side_by_side_) return Beside(left, '|', right);
  return absl::StrCat("- ", Cut(left, columns_), "\n+ ", Cut(right, columns_), "\n");
}

std::string DiffText::BytesAround(size_t at, std::string_view left, std::string_view right) const {
  // What is before the difference is the same in both, and takes at most half of the line.
  size_t start = at;
  size_t width = 0;
  while (start > 0) {
    const size_t more = QuoteBytes(left.substr(start - 1, 1)).size() - 2;
    if (width + more > columns_ / 2) break;
    width += more;
    --start;
  }
  const std::string prefix = absl::StrCat("from byte ", start, start > 0 ? " ...\"" : " \"");
  const auto quoted = [&](std::string_view bytes) {
    const std::string quote = QuoteBytes(bytes.substr(start), columns_ + 1 - prefix.size());
    return prefix + quote.substr(1);
  };
  const std::string mark = std::string(prefix.size() + width, ' ') + "^";
  std::string text = Lines(quoted(left), quoted(right));
  return text + (side_by_side_ ? Beside(mark, ' ', mark) : absl::StrCat("  ", mark, "\n"));
}

std::string DifferenceToJson(const EventPair& pair, uint64_t clock_hz) {
  std::string json = "{\"type\":\"difference\"";
  if (pair.left && pair.right) {
    absl::StrAppend(&json,
                    ",\"what\":", JsonString(NameDifference(*pair.left, *pair.right, clock_hz)));
    if (const std::optional<size_t> at = FirstDifferentByte(*pair.left, *pair.right)) {
      absl::StrAppend(&json, ",\"byte\":", *at);
    }
  }
  return absl::StrCat(json, ",\"left\":", pair.left ? EventToJson(*pair.left) : "null",
                      ",\"right\":", pair.right ? EventToJson(*pair.right) : "null", "}");
}

std::string DifferenceToJson(const HeaderDifference& difference) {
  return absl::StrCat("{\"type\":\"header\",\"field\":", JsonString(difference.field),
                      ",\"left\":", JsonString(difference.left),
                      ",\"right\":", JsonString(difference.right), "}");
}

}  // namespace isochron::replaylog
