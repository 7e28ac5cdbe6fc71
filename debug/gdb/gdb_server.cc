#include "debug/gdb/gdb_server.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace isochron::debug {
namespace {

// Items that are kept while the machine runs; more stay where they are.
constexpr size_t kMaxWaiting = 64;
// Bytes of text or memory in one packet: two digits each.
constexpr size_t kMaxBytes = PacketReader::kMaxPacket / 2 - 16;
// The size of an instruction, which is what gdb gives with a breakpoint.
constexpr uint64_t kInstructionBytes = 4;

constexpr std::string_view kTargetDescription =
    "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
    "<target version=\"1.0\"><architecture>alpha</architecture></target>";
// Any address may be mapped; what is not is found when it is read.
constexpr std::string_view kMemoryMap =
    "<?xml version=\"1.0\"?><!DOCTYPE memory-map PUBLIC \"+//IDN gnu.org//DTD GDB Memory Map "
    "V1.0//EN\" \"http://sourceware.org/gdb/gdb-memory-map.dtd\"><memory-map>"
    "<memory type=\"ram\" start=\"0\" length=\"0x8000000000000000\"/>"
    "<memory type=\"ram\" start=\"0x8000000000000000\" length=\"0x8000000000000000\"/>"
    "</memory-map>";

// A quadword as the protocol has registers: in the order of the target's memory.
std::string QuadwordText(uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return ToHex(bytes);
}

std::optional<uint64_t> ParseQuadword(std::string_view digits) {
  const std::optional<std::string> bytes = FromHex(digits);
  if (!bytes.has_value() || bytes->size() != 8) return std::nullopt;
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<uint8_t>((*bytes)[i]);
  return value;
}

// Takes "NUMBER,NUMBER" off the front of `text`.
std::optional<std::pair<uint64_t, uint64_t>> TakePair(std::string_view& text) {
  const std::optional<uint64_t> first = TakeHexNumber(text);
  if (!first.has_value() || !text.starts_with(',')) return std::nullopt;
  text.remove_prefix(1);
  const std::optional<uint64_t> second = TakeHexNumber(text);
  if (!second.has_value()) return std::nullopt;
  return std::pair(*first, *second);
}

bool IsAnyThread(std::string_view thread) { return thread == "0" || thread == "-1"; }

}  // namespace

// The first that fits answers.
const GdbServer::Request GdbServer::kRequests[] = {
    {"qSupported", true, &GdbServer::QuerySupported},
    {"QStartNoAckMode", false, &GdbServer::StartNoAckMode},
    {"qfThreadInfo", false, &GdbServer::QueryThreads},
    {"qsThreadInfo", false, &GdbServer::QueryThreadsEnd},
    {"qThreadExtraInfo,", true, &GdbServer::QueryThreadInfo},
    {"qC", false, &GdbServer::QueryCurrentThread},
    {"qAttached", true, &GdbServer::QueryAttached},
    {"qXfer:features:read:", true, &GdbServer::QueryFeatures},
    {"qXfer:memory-map:read:", true, &GdbServer::QueryMemoryMap},
    {"qRcmd,", true, &GdbServer::QueryCommand},
    {"?", false, &GdbServer::ReportStop},
    {"!", false, &GdbServer::Extend},
    {"H", true, &GdbServer::SelectThread},
    {"T", true, &GdbServer::IsThreadAlive},
    {"g", false, &GdbServer::ReadRegisters},
    {"G", true, &GdbServer::WriteRegisters},
    {"p", true, &GdbServer::ReadRegister},
    {"P", true, &GdbServer::WriteRegister},
    {"m", true, &GdbServer::ReadMemory},
    {"M", true, &GdbServer::WriteMemoryHex},
    {"X", true, &GdbServer::WriteMemoryBinary},
    {"Z", true, &GdbServer::InsertStoppoint},
    {"z", true, &GdbServer::RemoveStoppoint},
    {"c", true, &GdbServer::Continue},
    {"C", true, &GdbServer::ContinueWithSignal},
    {"s", true, &GdbServer::Step},
    {"S", true, &GdbServer::StepWithSignal},
    {"bs", false, &GdbServer::StepBackward},
    {"bc", false, &GdbServer::ContinueBackward},
    {"vCont?", false, &GdbServer::OfferContinue},
    {"vCont;", true, &GdbServer::ContinueThreads},
    {"vRun", true, &GdbServer::Run},
    {"R", true, &GdbServer::Restart},
    {"vKill", true, &GdbServer::KillAndReply},
    {"D", true, &GdbServer::ReplyAndEnd},
    {"k", false, &GdbServer::Kill},
};

absl::Status GdbServer::Serve() {
  while (!ended_ && !lost_) {
    const std::optional<ClientItem> item = Next();
    if (!item.has_value()) break;
    Handle(*item);
  }
  return status_;
}

std::optional<ClientItem> GdbServer::Next() {
  if (!waiting_.empty()) {
    ClientItem item = std::move(waiting_.front());
    waiting_.pop_front();
    return item;
  }
  for (;;) {
    if (std::optional<ClientItem> item = reader_.Next()) return item;
    const std::string bytes = connection_.Receive();
    if (bytes.empty()) return std::nullopt;
    reader_.Feed(bytes);
  }
}

void GdbServer::Handle(const ClientItem& item) {
  switch (item.kind) {
    case ClientItem::Kind::kPacket:
    case ClientItem::Kind::kTooLong:
      if (acknowledges_) lost_ = lost_ || !connection_.Send("+");
      if (item.kind == ClientItem::Kind::kPacket) return Answer(item.payload);
      return ReplyError(absl::StrCat("a packet has at most ", PacketReader::kMaxPacket, " bytes"));
    case ClientItem::Kind::kDamaged:
      if (acknowledges_) {
        lost_ = lost_ || !connection_.Send("-");
      } else {
        // Nobody waits for us to ask for it again.
        status_ = absl::UnavailableError("the client sent a packet with a wrong checksum");
        ended_ = true;
      }
      return;
    case ClientItem::Kind::kRepeat:
      if (acknowledges_ && !last_.empty()) lost_ = lost_ || !connection_.Send(last_);
      return;
    case ClientItem::Kind::kAcknowledge:
    case ClientItem::Kind::kInterrupt:  // the machine stands already
      return;
  }
}

void GdbServer::Answer(std::string_view packet) {
  for (const Request& request : kRequests) {
    if (!packet.starts_with(request.name)) continue;
    const std::string_view rest = packet.substr(request.name.size());
    if (rest.empty() || request.open) return (this->*request.answer)(rest);
  }
  Reply("");
}

void GdbServer::Reply(std::string_view payload) {
  last_ = FramePacket(payload);
  lost_ = lost_ || !connection_.Send(last_);
}

void GdbServer::ReplyError(std::string_view why) {
  Reply(absl::StrCat("E.", absl::string_view(why.data(), why.size())));
}

void GdbServer::ReplyStatus(const absl::Status& status) {
  if (status.ok()) return Reply("OK");
  const absl::string_view why = status.message();
  ReplyError(std::string_view(why.data(), why.size()));
}

void GdbServer::Show(std::string_view text) {
  for (size_t at = 0; at < text.size(); at += kMaxBytes) {
    Reply(absl::StrCat("O", ToHex(text.substr(at, kMaxBytes))));
  }
}

bool GdbServer::Interrupted() {
  if (lost_) return true;
  if (waiting_.size() >= kMaxWaiting) return false;
  const std::optional<std::string> bytes = connection_.Poll();
  if (!bytes.has_value()) {
    lost_ = true;
    return true;
  }
  reader_.Feed(*bytes);
  while (std::optional<ClientItem> item = reader_.Next()) {
    if (item->kind == ClientItem::Kind::kInterrupt) return true;
    if (item->kind != ClientItem::Kind::kAcknowledge) waiting_.push_back(*std::move(item));
  }
  return false;
}

void GdbServer::Go(const Resume& resume) {
  Stopped(debuggee_.Go(resume, [this] { return Interrupted(); }));
}

void GdbServer::Stopped(const StopReport& report) {
  stop_ = report;
  cpu_ = report.cpu;
  Show(std::exchange(notice_, {}));
  Show(report.message);
  ReportStop("");
}

void GdbServer::ReportStop(std::string_view) {
  constexpr std::string_view kTrap = "05";
  constexpr std::string_view kInterrupt = "02";
  const bool interrupted = stop_.reason == StopReport::Reason::kInterrupted;
  std::string reply =
      absl::StrFormat("T%sthread:%x;", interrupted ? kInterrupt : kTrap, stop_.cpu + 1);
  if (stop_.reason == StopReport::Reason::kBegin) absl::StrAppend(&reply, "replaylog:begin;");
  if (stop_.reason == StopReport::Reason::kEnd) absl::StrAppend(&reply, "replaylog:end;");
  if (stop_.reason == StopReport::Reason::kStoppoint && stop_.stoppoint.has_value()) {
    const std::string address = absl::StrCat(absl::Hex(stop_.address), ";");
    switch (stop_.stoppoint->kind) {
      case Stoppoint::Kind::kSoftwareBreakpoint:
        if (sends_swbreak_) absl::StrAppend(&reply, "swbreak:;");
        break;
      case Stoppoint::Kind::kHardwareBreakpoint:
        if (sends_hwbreak_) absl::StrAppend(&reply, "hwbreak:;");
        break;
      case Stoppoint::Kind::kWrite: absl::StrAppend(&reply, "watch:", address); break;
      case Stoppoint::Kind::kRead: absl::StrAppend(&reply, "rwatch:", address); break;
      case Stoppoint::Kind::kAccess: absl::StrAppend(&reply, "awatch:", address); break;
    }
  }
  // gdb asks for these after each stop.
  for (const int number : {kGdbSp, kGdbPc}) {
    absl::StrAppend(&reply, absl::Hex(number), ":", RegisterText(stop_.cpu, number), ";");
  }
  Reply(reply);
}

void GdbServer::QuerySupported(std::string_view features) {
  if (features.starts_with(':')) features.remove_prefix(1);
  for (const absl::string_view feature :
       absl::StrSplit(absl::string_view(features.data(), features.size()), ';')) {
    if (feature == "swbreak+") sends_swbreak_ = true;
    if (feature == "hwbreak+") sends_hwbreak_ = true;
  }
  Reply(absl::StrCat("PacketSize=", absl::Hex(PacketReader::kMaxPacket),
                     ";QStartNoAckMode+;vContSupported+;swbreak+;hwbreak+;ReverseStep+;"
                     "ReverseContinue+;qXfer:features:read+;qXfer:memory-map:read+"));
}

void GdbServer::StartNoAckMode(std::string_view) {
  Reply("OK");
  acknowledges_ = false;
}

void GdbServer::QueryThreads(std::string_view) {
  std::string threads = "m1";
  for (int cpu = 1; cpu < debuggee_.cpus(); ++cpu) {
    absl::StrAppend(&threads, ",", absl::Hex(cpu + 1));
  }
  Reply(threads);
}

void GdbServer::QueryCurrentThread(std::string_view) {
  Reply(absl::StrCat("QC", absl::Hex(cpu_ + 1)));
}

void GdbServer::QueryThreadInfo(std::string_view thread) {
  const std::optional<int> cpu = CpuOf(thread);
  if (!cpu.has_value()) return ReplyError("there is no such thread");
  Reply(ToHex(absl::StrCat("CPU ", *cpu)));
}

void GdbServer::QueryFeatures(std::string_view rest) {
  Transfer("target.xml", kTargetDescription, rest);
}

void GdbServer::QueryMemoryMap(std::string_view rest) { Transfer("", kMemoryMap, rest); }

void GdbServer::Transfer(std::string_view annex, std::string_view document, std::string_view rest) {
  const size_t colon = rest.find(':');
  if (colon == std::string_view::npos || rest.substr(0, colon) != annex) return Reply("E00");
  rest.remove_prefix(colon + 1);
  const auto range = TakePair(rest);
  if (!range.has_value() || range->first > document.size()) return Reply("E01");
  const auto [offset, length] = *range;
  const std::string_view part = document.substr(offset, std::min<uint64_t>(length, kMaxBytes));
  Reply(absl::StrCat(offset + part.size() < document.size() ? "m" : "l",
                     absl::string_view(part.data(), part.size())));
}

void GdbServer::QueryCommand(std::string_view hex) {
  const std::optional<std::string> command = FromHex(hex);
  if (!command.has_value()) return Reply("E01");
  const std::string answer = debuggee_.Monitor(cpu_, *command, [this] { return Interrupted(); });
  Show(std::exchange(notice_, {}));
  Show(answer);
  Reply("OK");
}

std::optional<int> GdbServer::CpuOf(std::string_view thread) const {
  if (thread == "-1") return 0;
  const std::optional<uint64_t> number = TakeHexNumber(thread);
  if (!number.has_value() || !thread.empty()) return std::nullopt;
  if (*number > static_cast<uint64_t>(debuggee_.cpus())) return std::nullopt;
  return *number == 0 ? 0 : static_cast<int>(*number) - 1;
}

void GdbServer::SelectThread(std::string_view rest) {
  const bool known = rest.starts_with('g') || rest.starts_with('c');
  const std::optional<int> cpu = CpuOf(rest.substr(rest.empty() ? 0 : 1));
  if (!known || !cpu.has_value()) return ReplyError("there is no such thread");
  const std::string_view thread = rest.substr(1);
  if (rest.starts_with('g')) {
    cpu_ = *cpu;
  } else {
    step_cpu_ = IsAnyThread(thread) ? std::nullopt : cpu;
  }
  Reply("OK");
}

void GdbServer::IsThreadAlive(std::string_view rest) {
  if (!CpuOf(rest).has_value()) return ReplyError("there is no such thread");
  Reply("OK");
}

std::string GdbServer::RegisterText(int cpu, int number) {
  const std::optional<uint64_t> value = debuggee_.ReadRegister(cpu, number);
  return value.has_value() ? QuadwordText(*value) : std::string(16, 'x');
}

void GdbServer::ReadRegisters(std::string_view) {
  std::string reply;
  for (int number = 0; number < kGdbRegisters; ++number) reply += RegisterText(cpu_, number);
  Reply(reply);
}

void GdbServer::WriteRegisters(std::string_view digits) {
  if (digits.size() != size_t{16} * kGdbRegisters) return Reply("E01");
  for (int number = 0; number < kGdbRegisters; ++number) {
    const std::string_view text = digits.substr(size_t{16} * number, 16);
    if (text == RegisterText(cpu_, number)) continue;
    const std::optional<uint64_t> value = ParseQuadword(text);
    if (!value.has_value()) return Reply("E01");
    const absl::Status status = debuggee_.WriteRegister(cpu_, number, *value);
    if (!status.ok()) return ReplyStatus(status);
  }
  Reply("OK");
}

void GdbServer::ReadRegister(std::string_view rest) {
  const std::optional<uint64_t> number = TakeHexNumber(rest);
  if (!number.has_value() || !rest.empty() || *number >= kGdbRegisters) return Reply("E01");
  Reply(RegisterText(cpu_, static_cast<int>(*number)));
}

void GdbServer::WriteRegister(std::string_view rest) {
  const std::optional<uint64_t> number = TakeHexNumber(rest);
  if (!number.has_value() || *number >= kGdbRegisters || !rest.starts_with('=')) {
    return Reply("E01");
  }
  const std::optional<uint64_t> value = ParseQuadword(rest.substr(1));
  if (!value.has_value()) return Reply("E01");
  ReplyStatus(debuggee_.WriteRegister(cpu_, static_cast<int>(*number), *value));
}

void GdbServer::ReadMemory(std::string_view rest) {
  const auto range = TakePair(rest);
  if (!range.has_value() || !rest.empty()) return Reply("E01");
  const std::string bytes =
      debuggee_.ReadMemory(cpu_, range->first, std::min<uint64_t>(range->second, kMaxBytes));
  if (bytes.empty() && range->second != 0) return Reply("E14");  // EFAULT
  Reply(ToHex(bytes));
}

void GdbServer::WriteMemoryHex(std::string_view rest) { WriteMemory(rest, /*binary=*/false); }
void GdbServer::WriteMemoryBinary(std::string_view rest) { WriteMemory(rest, /*binary=*/true); }

void GdbServer::WriteMemory(std::string_view rest, bool binary) {
  const auto range = TakePair(rest);
  if (!range.has_value() || !rest.starts_with(':')) return Reply("E01");
  rest.remove_prefix(1);
  const std::optional<std::string> bytes =
      binary ? std::optional<std::string>(rest) : FromHex(rest);
  if (!bytes.has_value() || bytes->size() != range->second) return Reply("E01");
  if (bytes->empty()) return Reply("OK");  // that is how gdb asks whether we know X
  const absl::Status status = debuggee_.WriteMemory(cpu_, range->first, *bytes);
  // Of memory gdb says only that it cannot be accessed, and takes no text now.
  if (!status.ok()) notice_ = absl::StrCat(status.message(), "\n");
  ReplyStatus(status);
}

void GdbServer::ChangeStoppoint(std::string_view rest, bool insert) {
  if (rest.size() < 2 || rest[1] != ',') return Reply("E01");
  if (rest[0] < '0' || rest[0] > '4') return Reply("");
  Stoppoint stoppoint;
  stoppoint.kind = static_cast<Stoppoint::Kind>(rest[0] - '0');
  rest.remove_prefix(2);
  const auto place = TakePair(rest);
  if (!place.has_value() || !rest.empty()) return Reply("E01");
  const bool watches = stoppoint.kind > Stoppoint::Kind::kHardwareBreakpoint;
  stoppoint.address = place->first;
  stoppoint.size = watches ? place->second : kInstructionBytes;
  ReplyStatus(insert ? debuggee_.Insert(stoppoint) : debuggee_.Remove(stoppoint));
}

void GdbServer::ContinueWithSignal(std::string_view rest) {
  // A machine takes no signals.
  const size_t address = rest.find(';');
  Continue(address == std::string_view::npos ? "" : rest.substr(address + 1));
}

void GdbServer::StepWithSignal(std::string_view rest) {
  const size_t address = rest.find(';');
  Step(address == std::string_view::npos ? "" : rest.substr(address + 1));
}

void GdbServer::GoOld(Resume::Kind kind, bool backward, std::string_view address) {
  if (!address.empty()) {
    const std::optional<uint64_t> pc = TakeHexNumber(address);
    if (!pc.has_value() || !address.empty()) return Reply("E01");
    if (pc != debuggee_.ReadRegister(StepCpu(), kGdbPc)) {
      const absl::Status status = debuggee_.WriteRegister(StepCpu(), kGdbPc, *pc);
      if (!status.ok()) return ReplyStatus(status);
    }
  }
  Resume resume;
  resume.kind = kind;
  resume.backward = backward;
  resume.cpu = StepCpu();
  Go(resume);
}

void GdbServer::ContinueThreads(std::string_view actions) {
  // Time goes on for all CPUs or for none: one that is to step says how far.
  std::optional<Resume> step;
  std::optional<Resume> first;
  for (const absl::string_view action :
       absl::StrSplit(absl::string_view(actions.data(), actions.size()), ';')) {
    std::string_view text(action.data(), action.size());
    const size_t colon = text.find(':');
    const std::string_view thread = colon == std::string_view::npos ? "0" : text.substr(colon + 1);
    const std::optional<int> cpu = IsAnyThread(thread) ? StepCpu() : CpuOf(thread);
    text = text.substr(0, colon);
    if (text.empty() || !cpu.has_value()) return Reply("E01");
    Resume resume;
    resume.cpu = *cpu;
    if (text[0] == 'r') {
      text.remove_prefix(1);
      const auto range = TakePair(text);
      if (!range.has_value() || !text.empty()) return Reply("E01");
      resume.kind = Resume::Kind::kRange;
      std::tie(resume.begin, resume.end) = *range;
    } else if (text[0] == 's' || text[0] == 'S') {
      resume.kind = Resume::Kind::kStep;
    } else if (text[0] != 'c' && text[0] != 'C') {
      return Reply("E01");
    }
    if (!first.has_value()) first = resume;
    if (resume.kind != Resume::Kind::kContinue && !step.has_value()) step = resume;
  }
  if (!first.has_value()) return Reply("E01");
  Go(step.value_or(*first));
}

void GdbServer::Run(std::string_view) {
  Stopped(debuggee_.Restart([this] { return Interrupted(); }));
}

void GdbServer::Restart(std::string_view) {
  stop_ = debuggee_.Restart([this] { return Interrupted(); });  // has no answer
}

void GdbServer::Extend(std::string_view) {
  extended_ = true;
  Reply("OK");
}

void GdbServer::Kill(std::string_view) {
  killed_ = ended_ = !extended_ || debuggee_.ends_when_killed();
}

void GdbServer::KillAndReply(std::string_view) {
  Kill("");
  Reply("OK");
}

void GdbServer::ReplyAndEnd(std::string_view) {
  Reply("OK");
  ended_ = true;
}

}  // namespace isochron::debug
