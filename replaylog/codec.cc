#include "replaylog/codec.h"

#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "replaylog/codings.h"
#include "replaylog/record_table.h"
#include "replaylog/varint.h"

namespace isochron::replaylog {
namespace {

constexpr unsigned kTypeBits = 7;
constexpr uint64_t kMaxCpu = 255;

absl::Status Damaged(const std::string& what) { return absl::DataLossError(what); }

// Appends the payload of an event and tells the type of its record.
class PayloadEncoder {
 public:
  explicit PayloadEncoder(std::string& out) : out_(out) {}

  template <typename Body>
  absl::StatusOr<RecordType> operator()(const Body& body) {
    RecordType type = {};
    std::string_view bad;
    VisitRecordOf(body, [&]<typename Row>(const Row& record) {
      type = record.type;
      record.ForEachField([&](const auto& field) {
        if (!field.coding.Append(std::invoke(field.access, body), out_)) bad = field.name;
      });
      if (!Row::Bodies::IsValid(body)) bad = record.name;
    });
    if (bad.empty()) return type;
    return absl::InvalidArgumentError(
        absl::StrCat("an event does not fit a record: ", std::string(bad)));
  }

  absl::StatusOr<RecordType> operator()(const UnknownEvent& event) {
    const RecordType type{event.type};
    if (type < RecordType::kFirstWitness || IsKnown(type) || event.type >= 1 << kTypeBits ||
        event.payload.size() > kMaxPayloadBytes) {
      return absl::InvalidArgumentError("this is no witness of an unknown type");
    }
    out_ += event.payload;
    return type;
  }

 private:
  static bool IsKnown(RecordType type) {
    bool known = false;
    ForEachRecord([&](const auto& record) { known |= record.type == type; });
    return known;
  }

  std::string& out_;
};

void AppendRecord(RecordType type, uint8_t cpu, uint64_t delta, std::string_view payload,
                  std::string& out) {
  AppendVarint(uint64_t{cpu} << kTypeBits | static_cast<uint8_t>(type), out);
  AppendVarint(delta, out);
  AppendVarint(payload.size(), out);
  out.append(payload);
}

struct RawRecord {
  RecordType type = {};
  uint8_t cpu = 0;
  uint64_t delta = 0;
  std::string_view front;  // what an older version does not write before `payload`
  std::string_view payload;
};

bool ConsumeRecord(std::string_view& bytes, RawRecord& record) {
  uint64_t tag = 0;
  if (!ConsumeVarint(bytes, tag) || tag >> kTypeBits > kMaxCpu ||
      !ConsumeVarint(bytes, record.delta) || !ConsumeCounted(bytes, record.payload)) {
    return false;
  }
  record.type = static_cast<RecordType>(tag & ((1 << kTypeBits) - 1));
  record.cpu = static_cast<uint8_t>(tag >> kTypeBits);
  for (const OldRecord& old : kOldRecords) {
    if (record.type != old.type) continue;
    record.type = old.now;
    record.front = old.front;
  }
  return record.payload.size() <= kMaxPayloadBytes;
}

// The alternative of `body` that is a T: the one it holds, so that storage is used again.
template <typename T>
T& Reuse(Event& event) {
  T* held = std::get_if<T>(&event.body);
  return held != nullptr ? *held : event.body.emplace<T>();
}

// Takes all fields of a record of type `row` to the event's body. `newer` says which of them only a
// newer version understands.
template <typename Row>
Taken TakeFields(const Row& row, RawRecord& record, Event& event, std::string& newer) {
  auto& body = Reuse<typename Row::Body>(event);
  Row::Bodies::Begin(body);
  Taken all = Taken::kValue;
  row.ForEachField([&](const auto& field) {
    if (all == Taken::kDamage) return;
    std::string_view& bytes = record.front.empty() ? record.payload : record.front;
    auto&& value = std::invoke(field.access, body);
    const Taken taken = field.coding.Take(bytes, value);
    if (taken == Taken::kNewer)
      absl::StrAppend(&newer, newer.empty() ? "" : ", ", std::string(field.name));
    if (taken != Taken::kValue) all = taken;
  });
  const bool whole = record.payload.empty() && (all == Taken::kNewer || Row::Bodies::IsValid(body));
  return all != Taken::kDamage && !whole ? Taken::kDamage : all;
}

// Decodes a record to the event's body. `newer` says what only a newer version understands.
Taken DecodeBody(RawRecord& record, Event& event, std::string& newer) {
  std::optional<Taken> taken;
  ForEachRecord([&](const auto& row) {
    if (row.type != record.type) return;
    taken = TakeFields(row, record, event, newer);
    if (taken == Taken::kNewer)
      newer = absl::StrCat("an ", std::string(row.name), " of unknown ", newer);
  });
  if (taken.has_value()) return *taken;
  if (record.type < RecordType::kFirstWitness) {
    newer = absl::StrCat("an input of type ", static_cast<int>(record.type));
    return Taken::kNewer;
  }
  UnknownEvent& unknown = Reuse<UnknownEvent>(event);
  unknown.type = static_cast<uint8_t>(record.type);
  unknown.payload.assign(record.payload);
  return Taken::kValue;
}

// The cycles between the first byte of output and the last. They may exceed what is left of the
// counter; 4096 terms of 64 bits fit 128.
unsigned __int128 Duration(const Event& event) {
  unsigned __int128 duration = 0;
  if (const auto* output = std::get_if<OutputRun>(&event.body)) {
    for (uint64_t delta : output->deltas) duration += delta;
  }
  return duration;
}

}  // namespace

void FrameEncoder::StartFrame() {
  start_ = next_;
  bytes_.clear();
  payload_.clear();
  AppendVarint(start_.cycle, payload_);
  AppendVarint(start_.event_number, payload_);
  AppendRecord(RecordType::kFrameStart, 0, 0, payload_, bytes_);
}

absl::Status FrameEncoder::Append(const Event& event) {
  if (event.cycle < next_.cycle) {
    return absl::InvalidArgumentError(
        absl::StrCat("cycle ", event.cycle, " follows cycle ", next_.cycle));
  }
  payload_.clear();
  absl::StatusOr<RecordType> type = std::visit(PayloadEncoder(payload_), event.body);
  if (!type.ok()) return type.status();
  AppendRecord(*type, event.cpu, event.cycle - next_.cycle, payload_, bytes_);
  next_.cycle = event.last_cycle();
  ++next_.event_number;
  return absl::OkStatus();
}

std::string FrameEncoder::TakeFrame(std::string spare) {
  std::string frame = std::exchange(bytes_, std::move(spare));
  StartFrame();
  return frame;
}

absl::Status FrameDecoder::Start(std::string_view content) {
  content_ = content;
  rest_ = content;
  RawRecord record;
  if (!ConsumeRecord(rest_, record) || record.cpu != 0 || record.delta != 0 ||
      record.type != RecordType::kFrameStart || !ConsumeVarint(record.payload, start_.cycle) ||
      !ConsumeVarint(record.payload, start_.event_number) || !record.payload.empty()) {
    return Damaged("a frame does not begin with a frame start record");
  }
  next_ = start_;
  return absl::OkStatus();
}

absl::StatusOr<bool> FrameDecoder::Next(Event& event) {
  if (rest_.empty()) return false;
  const size_t at = position();
  const auto damaged = [at](const char* what) {
    return Damaged(absl::StrFormat("record at byte %d of the frame: %s", at, what));
  };
  RawRecord record;
  if (!ConsumeRecord(rest_, record)) return damaged("it breaks off or exceeds a limit");
  if (record.type == RecordType::kFrameStart) {
    return damaged("a frame start within a frame");
  }
  event.number = next_.event_number;
  event.cpu = record.cpu;
  std::string newer;
  const Taken taken = DecodeBody(record, event, newer);
  if (taken == Taken::kDamage) return damaged("its payload is not valid");
  if (taken == Taken::kNewer) {
    return absl::UnimplementedError(absl::StrFormat(
        "record at byte %d of the frame: %s, which a newer version of isochron understands", at,
        newer));
  }
  const unsigned __int128 last = Duration(event) + next_.cycle + record.delta;
  if (last > std::numeric_limits<uint64_t>::max()) return damaged("its cycle goes back");
  event.cycle = next_.cycle + record.delta;
  next_.cycle = static_cast<uint64_t>(last);
  ++next_.event_number;
  return true;
}

}  // namespace isochron::replaylog
