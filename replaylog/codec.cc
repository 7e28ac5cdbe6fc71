#include "replaylog/codec.h"

#include <bit>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "replaylog/varint.h"

namespace isochron::replaylog {
namespace {

constexpr size_t kDigestBytes = 16;
constexpr unsigned kTypeBits = 7;
constexpr uint64_t kMaxCpu = 255;
// EI<0> of ISUM: rotated down by this, what boards raise becomes small numbers.
constexpr int kPendingRotation = 33;

// The most significant byte first: the order in which digests are printed.
void AppendDigest(const machine::Digest& digest, std::string& out) {
  for (uint64_t half : {digest.high, digest.low}) {
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(half >> shift));
  }
}

bool ConsumeDigest(std::string_view& bytes, machine::Digest& digest) {
  if (bytes.size() < kDigestBytes) return false;
  for (uint64_t* half : {&digest.high, &digest.low}) {
    *half = 0;
    for (int i = 0; i < 8; ++i) *half = *half << 8 | static_cast<uint8_t>(bytes[i]);
    bytes.remove_prefix(8);
  }
  return true;
}

absl::Status Damaged(const std::string& what) { return absl::DataLossError(what); }

// Takes a number that must fit `T`.
template <typename T>
bool ConsumeNumber(std::string_view& bytes, T& value) {
  uint64_t wide = 0;
  if (!ConsumeVarint(bytes, wide) || wide > std::numeric_limits<T>::max()) return false;
  value = static_cast<T>(wide);
  return true;
}

// Takes a number and as many bytes.
bool ConsumeCounted(std::string_view& bytes, std::string_view& counted) {
  uint64_t size = 0;
  if (!ConsumeVarint(bytes, size) || size > bytes.size()) return false;
  counted = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

}  // namespace

// ---- Header ----

namespace {

enum HeaderField : uint8_t {
  kModel = 1,
  kPalcode = 2,
  kMemory = 3,
  kClock = 4,
  kItb = 5,
  kDtb = 6,
  kRtcBase = 7,
  kSeed = 8,
  kInputInterval = 9,
  kCheckpointInterval = 10,
  kCommandLine = 11,
  kReboot = 12,
  kImage = 13,
};
constexpr uint64_t kFirstOptionalField = 64;

// Does not compile once the configuration has a field that the header lacks.
[[maybe_unused]] void KnowAllFields(const machine::MachineConfig& config) {
  [[maybe_unused]] const auto& [memory, clock, itb, dtb, rtc, seed, input, checkpoint, line,
                                reboot] = config;
}

void AppendField(uint8_t field, std::string_view value, std::string& body) {
  AppendVarint(field, body);
  AppendVarint(value.size(), body);
  body.append(value);
}

void AppendField(uint8_t field, uint64_t value, std::string& body) {
  std::string number;
  AppendVarint(value, number);
  AppendField(field, number, body);
}

std::string EncodeImage(const ImageRecord& image) {
  std::string value;
  AppendVarint(static_cast<uint8_t>(image.role), value);
  AppendVarint(image.size, value);
  AppendDigest(image.digest, value);
  return value;
}

bool DecodeImage(std::string_view& value, std::vector<ImageRecord>& images) {
  uint64_t role = 0;
  ImageRecord image;
  if (!ConsumeVarint(value, role) || role > static_cast<uint8_t>(ImageRecord::Role::kInitrd) ||
      !ConsumeVarint(value, image.size) || !ConsumeDigest(value, image.digest)) {
    return false;
  }
  image.role = static_cast<ImageRecord::Role>(role);
  if (!images.empty() && images.back().role >= image.role) return false;
  images.push_back(image);
  return true;
}

bool DecodeField(uint64_t field, std::string_view& value, LogHeader& header) {
  machine::MachineConfig& config = header.config;
  uint64_t number = 0;
  switch (field) {
    case kModel:
      return ConsumeNumber(value, header.model_version);
    case kPalcode:
      return ConsumeDigest(value, header.palcode);
    case kMemory:
      return ConsumeNumber(value, config.memory_bytes);
    case kClock:
      return ConsumeNumber(value, config.clock_hz);
    case kItb:
      return ConsumeNumber(value, config.itb_entries);
    case kDtb:
      return ConsumeNumber(value, config.dtb_entries);
    case kRtcBase:
      if (!ConsumeVarint(value, number)) return false;
      config.rtc_base_seconds = UnZigZag(number);
      return true;
    case kSeed:
      return ConsumeNumber(value, config.seed);
    case kInputInterval:
      return ConsumeNumber(value, config.input_interval);
    case kCheckpointInterval:
      return ConsumeNumber(value, config.checkpoint_interval);
    case kCommandLine:
      config.command_line = value;
      value = {};
      return true;
    case kReboot:
      if (!ConsumeVarint(value, number) || number > 1) return false;
      header.config.reboot = number != 0;
      return true;
    case kImage:
      return DecodeImage(value, header.images);
    default:
      return false;
  }
}

absl::StatusOr<LogHeader> DecodeFields(std::string_view body) {
  LogHeader header;
  uint64_t previous = 0;
  uint32_t seen = 0;
  while (!body.empty()) {
    uint64_t field = 0;
    std::string_view value;
    if (!ConsumeVarint(body, field) || !ConsumeCounted(body, value)) {
      return Damaged("a field of the header breaks off");
    }
    if (field < previous || (field == previous && field != kImage)) {
      return Damaged(absl::StrCat("field ", field, " of the header is out of order"));
    }
    previous = field;
    if (field >= kFirstOptionalField) continue;
    if (field < kModel || field > kImage) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the header has field ", field, ", which a newer version of isochron understands"));
    }
    if (!DecodeField(field, value, header) || !value.empty()) {
      return Damaged(absl::StrCat("field ", field, " of the header has no valid value"));
    }
    seen |= uint32_t{1} << field;
  }
  for (int field = kModel; field < kImage; ++field) {
    if ((seen >> field & 1) == 0) {
      return Damaged(absl::StrCat("field ", field, " is missing in the header"));
    }
  }
  return header;
}

}  // namespace

absl::StatusOr<std::string> EncodeHeader(const LogHeader& header) {
  const machine::MachineConfig& config = header.config;
  std::string body;
  AppendField(kModel, header.model_version, body);
  std::string palcode;
  AppendDigest(header.palcode, palcode);
  AppendField(kPalcode, palcode, body);
  AppendField(kMemory, config.memory_bytes, body);
  AppendField(kClock, config.clock_hz, body);
  AppendField(kItb, config.itb_entries, body);
  AppendField(kDtb, config.dtb_entries, body);
  AppendField(kRtcBase, ZigZag(config.rtc_base_seconds), body);
  AppendField(kSeed, config.seed, body);
  AppendField(kInputInterval, config.input_interval, body);
  AppendField(kCheckpointInterval, config.checkpoint_interval, body);
  AppendField(kCommandLine, config.command_line, body);
  AppendField(kReboot, uint64_t{header.config.reboot}, body);
  for (size_t i = 0; i < header.images.size(); ++i) {
    if (i != 0 && header.images[i - 1].role >= header.images[i].role) {
      return absl::InvalidArgumentError("the images of a log must be ordered by role");
    }
    AppendField(kImage, EncodeImage(header.images[i]), body);
  }

  std::string bytes(kMagic);
  AppendVarint(kFormatMajor, bytes);
  AppendVarint(kFormatMinor, bytes);
  AppendVarint(body.size(), bytes);
  bytes += body;
  if (bytes.size() > kMaxHeaderBytes) {
    return absl::InvalidArgumentError("the command line is too long for a log");
  }
  return bytes;
}

absl::StatusOr<LogHeader> DecodeHeader(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) {
    return absl::InvalidArgumentError("this is no replay log of isochron");
  }
  bytes.remove_prefix(kMagic.size());
  uint64_t major = 0;
  uint64_t minor = 0;
  if (!ConsumeVarint(bytes, major)) return Damaged("the header breaks off");
  if (major < kOldestFormatMajor || major > kFormatMajor) {
    return absl::InvalidArgumentError(
        absl::StrCat("the log has format version ", major, "; this program reads versions ",
                     kOldestFormatMajor, " to ", kFormatMajor));
  }
  std::string_view body;
  if (!ConsumeVarint(bytes, minor) || !ConsumeCounted(bytes, body)) {
    return Damaged("the header breaks off");
  }
  if (!bytes.empty()) return Damaged("bytes follow the header");
  return DecodeFields(body);
}

// ---- Events ----

RecordType InputRecordType(const InputEvent& event) {
  return event.input.kind == machine::InputKind::kStop ? RecordType::kStop
                                                       : RecordType::kPortInput;
}

namespace {

// What a port gets, as records name it.
enum class PortInputKind : uint8_t { kBytes = 0, kBreak = 1 };

// Appends the payload of an event and tells the type of its record.
class PayloadEncoder {
 public:
  explicit PayloadEncoder(std::string& out) : out_(out) {}

  absl::StatusOr<uint8_t> operator()(const InputEvent& event) {
    const machine::Input& input = event.input;
    switch (input.kind) {
      case machine::InputKind::kBytes:
        if (input.bytes.empty() || input.bytes.size() > kMaxInputBytes) {
          return absl::InvalidArgumentError(
              absl::StrCat("an input of ", input.bytes.size(), " bytes does not fit a record"));
        }
        AppendPort(input.port, PortInputKind::kBytes);
        out_ += input.bytes;
        break;
      case machine::InputKind::kBreak:
        AppendPort(input.port, PortInputKind::kBreak);
        break;
      case machine::InputKind::kStop:
        AppendVarint(static_cast<uint8_t>(input.cause), out_);
        AppendVarint(input.detail, out_);
        break;
    }
    return static_cast<uint8_t>(InputRecordType(event));
  }

  absl::StatusOr<uint8_t> operator()(const OutputRun& event) {
    if (event.bytes.empty() || event.bytes.size() > kMaxOutputRun ||
        event.deltas.size() + 1 != event.bytes.size()) {
      return absl::InvalidArgumentError("a run of output does not fit a record");
    }
    AppendVarint(event.uart, out_);
    AppendVarint(event.bytes.size(), out_);
    out_ += event.bytes;
    for (uint64_t delta : event.deltas) AppendVarint(delta, out_);
    return static_cast<uint8_t>(RecordType::kOutput);
  }

  absl::StatusOr<uint8_t> operator()(const InterruptEvent& event) {
    AppendVarint(std::rotr(event.pending, kPendingRotation), out_);
    return static_cast<uint8_t>(RecordType::kInterrupt);
  }

  absl::StatusOr<uint8_t> operator()(const CheckpointEvent& event) {
    AppendVarint(event.instructions, out_);
    AppendDigest(event.state, out_);
    return static_cast<uint8_t>(RecordType::kCheckpoint);
  }

  absl::StatusOr<uint8_t> operator()(const EndEvent& event) {
    if (event.kind == machine::RunEnd::Kind::kObserver) {
      return absl::InvalidArgumentError("a run that its observer ended has no end record");
    }
    AppendVarint(static_cast<uint8_t>(event.kind), out_);
    AppendVarint(event.instructions, out_);
    AppendDigest(event.state, out_);
    return static_cast<uint8_t>(RecordType::kEnd);
  }

  absl::StatusOr<uint8_t> operator()(const UnknownEvent& event) {
    if (event.type <= static_cast<uint8_t>(RecordType::kEnd) || event.type >= 1 << kTypeBits ||
        event.payload.size() > kMaxPayloadBytes) {
      return absl::InvalidArgumentError("this is no witness of an unknown type");
    }
    out_ += event.payload;
    return event.type;
  }

 private:
  void AppendPort(const machine::Port& port, PortInputKind kind) {
    AppendVarint(static_cast<uint8_t>(port.device), out_);
    AppendVarint(port.stream, out_);
    AppendVarint(static_cast<uint8_t>(kind), out_);
  }

  std::string& out_;
};

void AppendRecord(uint8_t type, uint8_t cpu, uint64_t delta, std::string_view payload,
                  std::string& out) {
  AppendVarint(uint64_t{cpu} << kTypeBits | type, out);
  AppendVarint(delta, out);
  AppendVarint(payload.size(), out);
  out.append(payload);
}

struct Record {
  uint8_t type = 0;
  uint8_t cpu = 0;
  uint64_t delta = 0;
  std::string_view payload;
};

bool ConsumeRecord(std::string_view& bytes, Record& record) {
  uint64_t tag = 0;
  if (!ConsumeVarint(bytes, tag) || tag >> kTypeBits > kMaxCpu ||
      !ConsumeVarint(bytes, record.delta) || !ConsumeCounted(bytes, record.payload)) {
    return false;
  }
  record.type = static_cast<uint8_t>(tag & ((1 << kTypeBits) - 1));
  record.cpu = static_cast<uint8_t>(tag >> kTypeBits);
  return record.payload.size() <= kMaxPayloadBytes;
}

// The alternative of `body` that is a T: the one it holds, so that storage is used again.
template <typename T>
T& Reuse(Event& event) {
  T* held = std::get_if<T>(&event.body);
  return held != nullptr ? *held : event.body.emplace<T>();
}

bool DecodeStop(std::string_view& payload, machine::Input& input) {
  uint8_t cause = 0;
  if (!ConsumeNumber(payload, cause) || !ConsumeNumber(payload, input.detail) ||
      cause > static_cast<uint8_t>(machine::StopCause::kLogLimit)) {
    return false;
  }
  input.kind = machine::InputKind::kStop;
  input.cause = static_cast<machine::StopCause>(cause);
  return true;
}

// What an input is for, and of which kind: numbers that this program need not know.
struct PortHead {
  uint64_t device = 0;
  uint64_t stream = 0;
  uint64_t kind = 0;

  bool known() const {
    return device <= static_cast<uint8_t>(machine::InputDevice::kUart) &&
           stream < machine::Port::kUartStreams && kind <= static_cast<uint8_t>(PortInputKind::kBreak);
  }
};

bool ConsumePortHead(std::string_view& payload, PortHead& head) {
  return ConsumeVarint(payload, head.device) && ConsumeVarint(payload, head.stream) &&
         ConsumeVarint(payload, head.kind);
}

bool DecodePortInput(std::string_view& payload, machine::Input& input) {
  PortHead head;
  if (!ConsumePortHead(payload, head) || !head.known()) return false;
  const bool is_break = head.kind == static_cast<uint8_t>(PortInputKind::kBreak);
  input.kind = is_break ? machine::InputKind::kBreak : machine::InputKind::kBytes;
  input.port.device = static_cast<machine::InputDevice>(head.device);
  input.port.stream = static_cast<uint8_t>(head.stream);
  input.bytes.assign(payload);
  payload = {};
  return input.bytes.empty() == is_break && input.bytes.size() <= kMaxInputBytes;
}

// What there is of an input that only a newer version understands; empty when this one does.
std::string UnknownInput(uint8_t type, std::string_view payload) {
  switch (static_cast<RecordType>(type)) {
    case RecordType::kConsoleInput:
    case RecordType::kStop:
      return "";
    case RecordType::kPortInput: {
      PortHead head;
      if (!ConsumePortHead(payload, head) || head.known()) return "";
      return absl::StrCat("an input of kind ", head.kind, " for stream ", head.stream, " of device ",
                          head.device);
    }
    default:
      return absl::StrCat("an input of type ", type);
  }
}

// Also tells how many cycles lie between the first byte and the last. The sum may exceed what
// is left of the counter; 4096 terms of 64 bits fit 128.
bool DecodeOutput(std::string_view& payload, OutputRun& output, unsigned __int128& duration) {
  uint64_t size = 0;
  if (!ConsumeNumber(payload, output.uart) || !ConsumeVarint(payload, size) || size == 0 ||
      size > kMaxOutputRun || size > payload.size()) {
    return false;
  }
  output.bytes.assign(payload.substr(0, size));
  payload.remove_prefix(size);
  output.deltas.resize(size - 1);
  for (uint64_t& delta : output.deltas) {
    if (!ConsumeVarint(payload, delta)) return false;
    duration += delta;
  }
  return true;
}

bool DecodeEnd(std::string_view& payload, EndEvent& end) {
  uint8_t kind = 0;
  if (!ConsumeNumber(payload, kind) || !ConsumeVarint(payload, end.instructions) ||
      !ConsumeDigest(payload, end.state) ||
      kind > static_cast<uint8_t>(machine::RunEnd::Kind::kEndOfTime)) {
    return false;
  }
  end.kind = static_cast<machine::RunEnd::Kind>(kind);
  return true;
}

// Decodes a payload to the event's body, leaving what it did not use. `duration` as above.
bool DecodeBody(uint8_t type, std::string_view& payload, Event& event,
                unsigned __int128& duration) {
  switch (static_cast<RecordType>(type)) {
    case RecordType::kConsoleInput: {
      machine::Input& input = Reuse<InputEvent>(event).input;
      input.kind = machine::InputKind::kBytes;
      input.port = machine::Port::Uart(0);
      input.bytes.assign(payload);
      payload = {};
      return !input.bytes.empty() && input.bytes.size() <= kMaxInputBytes;
    }
    case RecordType::kStop:
      return DecodeStop(payload, Reuse<InputEvent>(event).input);
    case RecordType::kPortInput:
      return DecodePortInput(payload, Reuse<InputEvent>(event).input);
    case RecordType::kOutput:
      return DecodeOutput(payload, Reuse<OutputRun>(event), duration);
    case RecordType::kInterrupt: {
      uint64_t& pending = Reuse<InterruptEvent>(event).pending;
      if (!ConsumeVarint(payload, pending)) return false;
      pending = std::rotl(pending, kPendingRotation);
      return true;
    }
    case RecordType::kCheckpoint: {
      CheckpointEvent& checkpoint = Reuse<CheckpointEvent>(event);
      return ConsumeVarint(payload, checkpoint.instructions) &&
             ConsumeDigest(payload, checkpoint.state);
    }
    case RecordType::kEnd:
      return DecodeEnd(payload, Reuse<EndEvent>(event));
    default: {
      UnknownEvent& unknown = Reuse<UnknownEvent>(event);
      unknown.type = type;
      unknown.payload.assign(payload);
      payload = {};
      return true;
    }
  }
}

}  // namespace

void FrameEncoder::StartFrame() {
  start_ = next_;
  bytes_.clear();
  payload_.clear();
  AppendVarint(start_.cycle, payload_);
  AppendVarint(start_.event_number, payload_);
  AppendRecord(static_cast<uint8_t>(RecordType::kFrameStart), 0, 0, payload_, bytes_);
}

absl::Status FrameEncoder::Append(const Event& event) {
  if (event.cycle < next_.cycle) {
    return absl::InvalidArgumentError(absl::StrCat("cycle ", event.cycle, " follows cycle ",
                                                   next_.cycle));
  }
  payload_.clear();
  absl::StatusOr<uint8_t> type = std::visit(PayloadEncoder(payload_), event.body);
  if (!type.ok()) return type.status();
  AppendRecord(*type, event.cpu, event.cycle - next_.cycle, payload_, bytes_);
  next_.cycle = event.last_cycle();
  ++next_.event_number;
  return absl::OkStatus();
}

std::string FrameEncoder::TakeFrame() {
  std::string frame = std::exchange(bytes_, {});
  StartFrame();
  return frame;
}

absl::Status FrameDecoder::Start(std::string_view content) {
  content_ = content;
  rest_ = content;
  Record record;
  if (!ConsumeRecord(rest_, record) || record.cpu != 0 || record.delta != 0 ||
      record.type != static_cast<uint8_t>(RecordType::kFrameStart) ||
      !ConsumeVarint(record.payload, start_.cycle) ||
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
  Record record;
  if (!ConsumeRecord(rest_, record)) return damaged("it breaks off or exceeds a limit");
  if (record.type == static_cast<uint8_t>(RecordType::kFrameStart)) {
    return damaged("a frame start within a frame");
  }
  if (record.type < static_cast<uint8_t>(RecordType::kFirstWitness)) {
    if (const std::string what = UnknownInput(record.type, record.payload); !what.empty()) {
      return absl::UnimplementedError(
          absl::StrFormat("record at byte %d of the frame: %s, which a newer version of isochron "
                          "understands",
                          at, what));
    }
  }
  event.number = next_.event_number;
  event.cpu = record.cpu;
  unsigned __int128 duration = 0;
  if (!DecodeBody(record.type, record.payload, event, duration) || !record.payload.empty()) {
    return damaged("its payload is not valid");
  }
  const unsigned __int128 last = duration + next_.cycle + record.delta;
  if (last > std::numeric_limits<uint64_t>::max()) return damaged("its cycle goes back");
  event.cycle = next_.cycle + record.delta;
  next_.cycle = static_cast<uint64_t>(last);
  ++next_.event_number;
  return true;
}

}  // namespace isochron::replaylog
