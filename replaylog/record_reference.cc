#include "replaylog/record_reference.h"

#include <cctype>
#include <limits>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "replaylog/record_table.h"

namespace isochron::replaylog {
namespace {

constexpr std::string_view kPythonHead =
    R"("""The kinds of events that logs hold, and how their values stand in records.

Made by record_reference from replaylog/record_table.h. Do not edit: change the table, then run

    record_reference python > python/isochron/records.py
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from isochron.codings import (
    Coding,
    CountedBytes,
    Event,
    Flags,
    FrameBytes,
    Named,
    Number,
    RestOfBytes,
    StateDigest,
    Steps,
    WithText,
)
)";

std::string Quoted(std::string_view name, std::string_view mark) {
  return absl::StrCat(std::string(mark), std::string(name), std::string(mark));
}

std::string QuotedNames(const Named& coding, std::string_view mark, std::string_view between) {
  std::vector<std::string> names;
  for (std::string_view name : coding.names) names.push_back(Quoted(name, mark));
  return absl::StrJoin(names, std::string(between));
}

// A value as Python declares and takes it.
struct PythonField {
  std::string type;
  std::string coding;
};

PythonField InPython(const Number& coding) {
  std::vector<std::string> arguments;
  if (coding.max != Number().max) arguments.push_back(absl::StrCat(coding.max));
  if (coding.beyond == Beyond::kNewer) arguments.emplace_back("newer=True");
  return {"int", absl::StrCat("Number(", absl::StrJoin(arguments, ", "), ")")};
}
PythonField InPython(const Named& coding) {
  const char* newer = coding.beyond == Beyond::kNewer ? ", newer=True" : "";
  return {"str", absl::StrCat("Named([", QuotedNames(coding, "\"", ", "), "]", newer, ")")};
}
PythonField InPython(const Flags& coding) {
  return {"int", absl::StrCat("Flags(", coding.rotation, ")")};
}
PythonField InPython(const StateDigest&) { return {"str", "StateDigest()"}; }
PythonField InPython(const CountedBytes& coding) {
  return {"bytes", absl::StrCat("CountedBytes(", coding.max, ")")};
}
PythonField InPython(const RestOfBytes& coding) {
  return {"bytes", absl::StrCat("RestOfBytes(", coding.max, ")")};
}
PythonField InPython(const FrameBytes&) {
  return {"bytes", absl::StrCat("FrameBytes(", machine::kMinFrame, ", ", machine::kMaxFrame, ")")};
}
PythonField InPython(const Steps&) { return {"list[int]", "Steps()"}; }

std::string ClassName(std::string_view name) {
  std::string words;
  bool begins = true;
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    if (c != '-') words.push_back(static_cast<char>(begins ? std::toupper(letter) : letter));
    begins = c == '-';
  }
  return words;
}

template <typename Row>
std::string PythonClass(const Row& record) {
  std::string codings;
  std::string fields;
  std::string names;
  bool has_text = false;
  record.ForEachField([&](const auto& field) {
    const PythonField python = InPython(field.coding);
    absl::StrAppend(&codings, "        ", python.coding, ",\n");
    absl::StrAppend(&fields, "    ", std::string(field.name), ": ", python.type, "\n");
    has_text |= field.name == "bytes";
    if constexpr (std::is_same_v<decltype(field.coding), Named>) {
      absl::StrAppend(&names, "    `", std::string(field.name),
                      "`: ", QuotedNames(field.coding, "", ", "), ".\n");
    }
  });
  if (!names.empty()) names = absl::StrCat("\n\n", names, "    ");
  return absl::StrCat(
      "\n\n@dataclasses.dataclass(frozen=True)\nclass ", ClassName(record.name),
      has_text ? "(WithText, Event)" : "(Event)", ":\n    \"\"\"", std::string(record.meaning),
      names, "\"\"\"\n\n    type: ClassVar[str] = \"", std::string(record.name),
      "\"\n    codings: ClassVar[tuple[Coding, ...]] = (\n", codings, "    )\n\n", fields);
}

std::string Power(uint64_t max) {
  if (max == std::numeric_limits<uint32_t>::max()) return "2^32-1";
  return absl::StrCat(max);
}

// A value as docs/replay-log.md tells it of a payload.
std::string InPayload(const Number& coding, std::string_view words) {
  const bool any = coding.max == Number().max || coding.beyond == Beyond::kNewer;
  const std::string limit = any ? "" : absl::StrCat(", at most ", Power(coding.max));
  return absl::StrCat(std::string(words), " (varint", limit, ")");
}
std::string InPayload(const Named&, std::string_view words) {
  return std::string(words) + " (varint)";
}
std::string InPayload(const Flags& coding, std::string_view words) {
  return absl::StrCat(std::string(words), ", rotated right by ", coding.rotation, " bits (varint)");
}
std::string InPayload(const StateDigest&, std::string_view words) { return std::string(words); }
std::string InPayload(const CountedBytes& coding, std::string_view) {
  return absl::StrCat("n (varint, 1 to ", coding.max, "), n bytes");
}
std::string InPayload(const RestOfBytes&, std::string_view words) {
  return absl::StrCat("then ", std::string(words));
}
std::string InPayload(const FrameBytes&, std::string_view words) { return std::string(words); }
std::string InPayload(const Steps&, std::string_view words) {
  return absl::StrCat("n-1 times ", std::string(words), " (varint)");
}

// And of JSON lines.
template <typename Coding>
std::string InJson(const Coding&, std::string_view name) {
  return Quoted(name, "`");
}
std::string InJson(const Named& coding, std::string_view name) {
  return absl::StrCat(Quoted(name, "`"), ": ", QuotedNames(coding, "`", ", "));
}
std::string InJson(const Flags&, std::string_view name) {
  return Quoted(name, "`") + ": a string in hexadecimal with 0x";
}
std::string InJson(const StateDigest&, std::string_view name) {
  return Quoted(name, "`") + ": 32 hexadecimal digits";
}
std::string InJson(const CountedBytes&, std::string_view name) {
  return Quoted(name, "`") + ", `text`";
}
std::string InJson(const RestOfBytes&, std::string_view name) {
  return Quoted(name, "`") + ", `text`";
}
std::string InJson(const FrameBytes&, std::string_view name) {
  return Quoted(name, "`") + ": two hexadecimal digits a byte";
}
std::string InJson(const Steps&, std::string_view name) {
  return Quoted(name, "`") + ": cycles from each byte to the next";
}

}  // namespace

std::string PythonRecords() {
  std::string text(kPythonHead);
  std::string table;
  ForEachRecord([&](const auto& record) {
    text += PythonClass(record);
    absl::StrAppend(&table, "    ", static_cast<int>(record.type), ": ", ClassName(record.name),
                    ",\n");
  });
  absl::StrAppend(&text, "\n\n#: By type of record.\nRECORDS: dict[int, type[Event]] = {\n", table,
                  "}\n\n",
                  "#: What older versions wrote: the type that a record has now, and what stands "
                  "before its payload.\n",
                  "OLD_RECORDS: dict[int, tuple[int, bytes]] = {\n");
  for (const OldRecord& old : kOldRecords) {
    std::string front;
    for (const char c : old.front)
      absl::StrAppendFormat(&front, "\\x%02x", static_cast<uint8_t>(c));
    absl::StrAppend(&text, "    ", static_cast<int>(old.type), ": (", static_cast<int>(old.now),
                    ", b\"", front, "\"),\n");
  }
  return text + "}\n";
}

std::string PayloadRows() {
  std::string rows;
  ForEachRecord([&](const auto& record) {
    std::vector<std::string> values;
    record.ForEachField(
        [&](const auto& field) { values.push_back(InPayload(field.coding, field.words)); });
    absl::StrAppend(&rows, "| ", static_cast<int>(record.type), " | ", std::string(record.name),
                    " | ", absl::StrJoin(values, ", "), " |\n");
  });
  return rows;
}

std::string JsonRows() {
  std::string rows;
  ForEachRecord([&](const auto& record) {
    std::vector<std::string> values;
    record.ForEachField(
        [&](const auto& field) { values.push_back(InJson(field.coding, field.name)); });
    absl::StrAppend(&rows, "| `", std::string(record.name), "` | ", absl::StrJoin(values, "; "),
                    " |\n");
  });
  return rows;
}

}  // namespace isochron::replaylog
