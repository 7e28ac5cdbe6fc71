#include "debug/answers.h"

#include <cstddef>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "replaylog/describe.h"

namespace isochron::debug {
namespace {

// A count or an error in decimal digits; what is rather an address, in hexadecimal ones.
std::string SignedText(uint64_t value) {
  const auto number = static_cast<int64_t>(value);
  return number == static_cast<int32_t>(number) ? absl::StrCat(number)
                                                : absl::StrFormat("0x%x", value);
}

}  // namespace

std::string Cell::Shown(std::string_view column) const {
  switch (kind) {
    case Kind::kNone: break;
    case Kind::kDecimal: return absl::StrCat(value);
    case Kind::kSigned: return SignedText(value);
    case Kind::kHex: return absl::StrFormat("0x%x", value);
    case Kind::kText: return text.empty() ? "-" : text;
    case Kind::kFlag: return value != 0 ? std::string(column) : "-";
  }
  return "-";
}

std::string Cell::Json() const {
  switch (kind) {
    case Kind::kNone: break;
    case Kind::kDecimal: return absl::StrCat(value);
    case Kind::kSigned: return absl::StrCat(static_cast<int64_t>(value));
    case Kind::kHex: return absl::StrFormat("\"0x%x\"", value);
    case Kind::kText: return replaylog::JsonString(text);
    case Kind::kFlag: return value != 0 ? "true" : "false";
  }
  return "null";
}

std::string AnswerFormat::Line(const std::vector<std::string>& texts) const {
  std::string line;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const int width = columns_[i].width;
    const size_t missing = std::abs(width) > static_cast<int>(texts[i].size())
                               ? static_cast<size_t>(std::abs(width)) - texts[i].size()
                               : 0;
    if (i != 0) line += ' ';
    if (width > 0) line.append(missing, ' ');
    line += texts[i];
    if (width < 0 && i + 1 < columns_.size()) line.append(missing, ' ');
  }
  return line;
}

std::string AnswerFormat::Heading() const {
  std::vector<std::string> texts;
  for (const Column& column : columns_) texts.emplace_back(column.name);
  return Line(texts);
}

std::string AnswerFormat::Format(const Row& row) const {
  if (!json_) {
    std::vector<std::string> texts;
    for (size_t i = 0; i < columns_.size(); ++i) texts.push_back(row[i].Shown(columns_[i].name));
    return Line(texts);
  }
  std::string json = "{";
  for (size_t i = 0; i < columns_.size(); ++i) {
    absl::StrAppend(&json, i == 0 ? "\"" : ",\"", std::string(columns_[i].name),
                    "\":", row[i].Json());
  }
  return json + "}";
}

uint64_t Answers::Add(Row row, bool complete) {
  const uint64_t number = next_++;
  rows_.emplace_hint(rows_.end(), number, Entry{std::move(row), false});
  if (complete) Complete(number);
  return number;
}

void Answers::Complete(uint64_t number) {
  const auto found = rows_.find(number);
  if (order_ == Order::kCompleted) {
    wanted_ = wanted_ && take_(found->second.row);
    rows_.erase(found);
    return;
  }
  found->second.complete = true;
  GiveAway();
}

void Answers::CompleteAll() {
  for (auto& [number, entry] : rows_) entry.complete = true;
  GiveAway();
}

void Answers::GiveAway() {
  while (wanted_ && !rows_.empty() && rows_.begin()->second.complete) {
    wanted_ = take_(rows_.begin()->second.row);
    rows_.erase(rows_.begin());
  }
}

}  // namespace isochron::debug
