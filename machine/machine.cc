#include "machine/machine.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "alpha/exceptions.h"
#include "alpha/performance.h"
#include "machine/firmware/embedded_images.h"
#include "machine/firmware/firmware.h"
#include "machine/firmware/firmware_layout.h"
#include "machine/firmware/hwrpb.h"

namespace isochron::machine {
namespace {

constexpr EventSlot kInputPoint{DeviceId::kSequencer, 0};
constexpr EventSlot kCheckpoint{DeviceId::kSequencer, 1};

BoardOptions BoardOptionsOf(const MachineConfig& config) {
  BoardOptions options;
  options.rtc_base_seconds = config.rtc_base_seconds;
  options.seed = config.seed;
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Machine>> Machine::Create(const MachineConfig& config,
                                                         BootImages images,
                                                         const EngineFactory& engine) {
  if (absl::Status status = config.Validate(); !status.ok()) return status;
  absl::StatusOr<HostMemory> host_memory = HostMemory::Create(config.memory_bytes);
  if (!host_memory.ok()) return host_memory.status();
  std::unique_ptr<Machine> machine(new Machine(config, std::move(images), *std::move(host_memory)));
  absl::StatusOr<std::unique_ptr<alpha::Engine>> made = engine(machine->memory_, machine->board_);
  if (!made.ok()) return made.status();
  machine->engine_ = *std::move(made);
  machine->engine_->NameGuestCode(
      [kernel = &machine->images_.kernel](uint64_t pc) { return kernel->DescribePlace(pc); });
  if (absl::Status status = machine->PowerOn(); !status.ok()) return status;
  return machine;
}

Machine::Machine(const MachineConfig& config, BootImages images, HostMemory host_memory)
    : config_(config),
      images_(std::move(images)),
      host_memory_(std::move(host_memory)),
      memory_(host_memory_.base(), host_memory_.size()),
      cpu_(0, config.itb_entries, config.dtb_entries),
      lock_watch_(memory_),
      events_(config.clock_hz, deadline_),
      board_(BoardOptionsOf(config), memory_, events_, this, *this),
      memory_digest_(memory_) {
  lock_watch_.Add(cpu_);
}

Machine::~Machine() = default;

absl::Status Machine::PowerOn() {
  cpu_.Reset(FW_PAL_BASE);
  waiting_ = false;
  engine_->Invalidate();
  events_.SetNow(cpu_.cycle);
  board_.Reset();
  if (events_.DueCycle(kInputPoint) == kNever) {
    ScheduleNext(kInputPoint, config_.input_interval);
    ScheduleNext(kCheckpoint, config_.checkpoint_interval);
  }
  FirmwareOptions firmware;
  firmware.memory_bytes = config_.memory_bytes;
  firmware.clock_hz = config_.clock_hz;
  firmware.command_line = config_.command_line;
  return LoadFirmware(firmware, images_.kernel, images_.initrd, PalcodeImage(), memory_);
}

void Machine::ClearMemory() {
  memory_.WillClear();
  host_memory_.Clear();
}

std::optional<RunEnd> Machine::RunUntil(const StopCondition& condition) {
  stop_watch_ = StopWatch(condition, cpu_);
  deadline_.pcs = stop_watch_.pcs();
  if (stop_watch_.ReachedAlready(cpu_)) return std::nullopt;
  std::optional<RunEnd> end = RunToEnd();
  if (!end.has_value() || observer_ == nullptr || end->kind == RunEnd::Kind::kObserver) return end;
  observer_->On({cpu_.cycle, 0, EndEvent{end->kind, cpu_.instructions, StateDigest()}});
  if (std::optional<RunEnd> refused = AskObserver()) return *std::move(refused);
  return end;
}

std::optional<RunEnd> Machine::AskObserver() const {
  if (observer_ == nullptr) return std::nullopt;
  const absl::Status status = observer_->status();
  if (status.ok()) return std::nullopt;
  return RunEnd{RunEnd::Kind::kObserver, std::string(status.message()), {}};
}

std::optional<RunEnd> Machine::RunToEnd() {
  stops_known_to_ = 0;  // the source may be another one, or the state
  for (;;) {
    const alpha::RunResult result = Advance();
    if (result.reason == alpha::StopReason::kFatal) {
      board_.FlushUarts();
      return RunEnd{RunEnd::Kind::kFatal, result.message, {}};
    }
    // The order of things at one boundary: device events, inputs, checkpoint, interrupts.
    if (std::optional<RunEnd> end = HandleBoundary()) return end;
    if (stop_watch_.Reached(cpu_, memory_, !waiting_)) return AskObserver();
    if (!waiting_ && cpu_.InterruptDeliverable()) {
      Tell(cpu_.cycle, InterruptEvent{cpu_.PendingInterrupts()});
      alpha::EnterInterrupt(cpu_);
    }
    if (std::optional<RunEnd> end = AskObserver()) return end;
  }
}

std::optional<RunEnd> Machine::HandleBoundary() {
  DuePoints due = HandleDueEvents();
  if (std::optional<RunEnd> end = HandlePowerRequest(due)) return end;
  const bool requested = deadline_.leave.load(std::memory_order_relaxed);
  if (requested)
    deadline_.leave.store(false);  // before the source is asked: what comes later counts
  if (due.input) ScheduleNext(kInputPoint, config_.input_interval);
  if (std::optional<RunEnd> end = due.input ? TakeInputs() : TakeStop(requested)) {
    // Should the run go on, the checkpoint of this boundary is the next thing.
    if (due.checkpoint) events_.Schedule(kCheckpoint, cpu_.cycle);
    return end;
  }
  if (due.checkpoint) {
    ScheduleNext(kCheckpoint, config_.checkpoint_interval);
    const Digest state = observer_ != nullptr ? StateDigest() : Digest();
    Tell(cpu_.cycle, CheckpointEvent{cpu_.instructions, state});
  }
  if (cpu_.cycle < alpha::Cpu::kEndOfTime) return std::nullopt;
  board_.FlushUarts();
  return RunEnd{RunEnd::Kind::kEndOfTime, "", {}};
}

void Machine::ScheduleNext(EventSlot slot, uint64_t interval) {
  events_.Schedule(slot, cpu_.cycle + interval - cpu_.cycle % interval);
}

alpha::RunResult Machine::Advance() {
  const uint64_t event = std::min(events_.next(), alpha::Cpu::kEndOfTime);
  if (waiting_) {
    const uint64_t overflow = alpha::LatchOverflows(cpu_, alpha::Retiring::kNo);
    if (cpu_.PendingInterrupts() == 0) {
      const uint64_t wake = std::min(event, overflow);
      const uint64_t until =
          std::max(cpu_.cycle, std::min({wake, NextStop(wake), stop_watch_.WaitLimit()}));
      wait_cycles_ += until - cpu_.cycle;
      cpu_.cycle = until;
      alpha::LatchOverflows(cpu_, alpha::Retiring::kNo);
      return {};
    }
    waiting_ = false;
  }
  deadline_.cycle =
      std::min({event, NextStop(cpu_.cycle), stop_watch_.WaitLimit(), stop_watch_.RunLimit(cpu_)});
  return engine_->Run(cpu_, deadline_);
}

Machine::DuePoints Machine::HandleDueEvents() {
  events_.SetNow(cpu_.cycle);
  DuePoints due;
  EventSlot slot;
  while (events_.PopDue(slot)) {
    if (board_.OnEvent(slot)) continue;
    (slot.kind == kInputPoint.kind ? due.input : due.checkpoint) = true;
  }
  if (board_.platform().ConsumeWait()) waiting_ = true;
  return due;
}

InputPoint Machine::PointHere() {
  const uint64_t idle = wait_cycles_ + engine_->stats().spin_cycles_skipped;
  return {cpu_.cycle, idle, {board_.uart(0).waiting(), board_.uart(1).waiting()}};
}

uint64_t Machine::NextStop(uint64_t quiet_until) {
  if (input_source_ == nullptr) return kNever;
  if (cpu_.cycle >= stops_known_to_) {
    stops_known_to_ =
        std::max(quiet_until, std::min(events_.DueCycle(kInputPoint),
                                       cpu_.cycle + kStopInterval - cpu_.cycle % kStopInterval));
    stop_at_ = input_source_->NextStop(cpu_.cycle, stops_known_to_);
  }
  return stop_at_;
}

std::optional<RunEnd> Machine::TakeStop(bool requested) {
  const bool stop_point = cpu_.cycle >= stop_at_;
  if (input_source_ == nullptr || (!requested && !stop_point)) return std::nullopt;
  if (stop_point) stop_at_ = stops_known_to_;  // it may refuse
  using Occasion = InputSource::Occasion;
  std::optional<Input> stop =
      input_source_->TakeStop(PointHere(), stop_point ? Occasion::kStopPoint : Occasion::kRequest);
  if (!stop.has_value()) return std::nullopt;
  Tell(cpu_.cycle, InputEvent{*stop});
  return RunEnd{RunEnd::Kind::kStopped, "", *std::move(stop)};
}

std::optional<RunEnd> Machine::TakeInputs() {
  if (input_source_ == nullptr) return std::nullopt;
  std::vector<Input> inputs;
  input_source_->Poll(PointHere(), inputs);
  for (Input& input : inputs) {
    Tell(cpu_.cycle, InputEvent{input});
    switch (input.kind) {
      case InputKind::kBytes:
        if (input.port.exists()) board_.uart(input.port.stream).Receive(input.bytes);
        break;
      case InputKind::kBreak:
        if (input.port.exists()) board_.uart(input.port.stream).ReceiveBreak();
        break;
      case InputKind::kStop: return RunEnd{RunEnd::Kind::kStopped, "", std::move(input)};
    }
  }
  return std::nullopt;
}

std::optional<RunEnd> Machine::HandlePowerRequest(DuePoints& due) {
  const PowerRequest request = board_.platform().power_request();
  if (request == PowerRequest::kNone) return std::nullopt;
  board_.platform().ClearPowerRequest();
  board_.FlushUarts();
  switch (request) {
    case PowerRequest::kNone: break;
    case PowerRequest::kOff: return RunEnd{RunEnd::Kind::kPowerOff, "", {}};
    case PowerRequest::kFatal: return RunEnd{RunEnd::Kind::kFatal, DescribeFatalHalt(memory_), {}};
    case PowerRequest::kReset: break;
  }
  if (!config_.reboot) return RunEnd{RunEnd::Kind::kReset, "", {}};
  // Memory keeps what it holds. The loading takes time, so that a guest that does nothing else
  // comes past input points.
  cpu_.cycle += FirmwareCycles(images_.kernel, images_.initrd);
  if (absl::Status status = PowerOn(); !status.ok()) {
    return RunEnd{RunEnd::Kind::kFatal, std::string(status.message()), {}};
  }
  const DuePoints since = HandleDueEvents();
  due.input = due.input || since.input;
  due.checkpoint = due.checkpoint || since.checkpoint;
  return std::nullopt;
}

template <typename Visitor, typename Self>
void Machine::WalkWithoutMemory(Visitor& visitor, Self& self) {
  visitor.Section("machine");
  visitor.Field("waiting", self.waiting_);
  visitor.Component("cpu0", self.cpu_);
  visitor.Component("events", self.events_);
  visitor.Whole(self.board_);
}

void Machine::VisitWithoutMemory(alpha::StateVisitor& visitor) const {
  WalkWithoutMemory(visitor, *this);
}

void Machine::RestoreWithoutMemory(alpha::StateReader& reader) {
  WalkWithoutMemory(reader, *this);
  if (events_.now() != cpu_.cycle) reader.Fail("CPU and devices stand at different cycles");
  // Without them a restored machine could not be stopped.
  const bool points_are_due =
      events_.DueCycle(kInputPoint) <= cpu_.cycle + config_.input_interval &&
      events_.DueCycle(kCheckpoint) <= cpu_.cycle + config_.checkpoint_interval;
  if (!points_are_due) reader.Fail("the next input point or checkpoint is too far away");
}

template <typename Visitor, typename Self, typename Prepare>
void Machine::WalkMemory(Visitor& visitor, Self& self, std::vector<uint32_t> pages,
                         Prepare prepare) {
  visitor.Section("memory");
  visitor.Field("pages", pages, self.memory_.size() >> alpha::kPageShift);
  for (const uint32_t page : pages) {
    const uint64_t pa = uint64_t{page} << alpha::kPageShift;
    if (!prepare(pa)) return;
    visitor.Bytes("page", page, self.memory_.host(pa), alpha::kPageSize);
  }
}

void Machine::VisitState(alpha::StateVisitor& visitor) const {
  VisitWithoutMemory(visitor);
  std::vector<uint32_t> pages;  // those that are not all zero
  for (uint64_t pa = 0; pa < memory_.size(); pa += alpha::kPageSize) {
    if (!memory_.MayHoldData(pa) || IsZeroPage(memory_.host(pa))) continue;
    pages.push_back(static_cast<uint32_t>(pa >> alpha::kPageShift));
  }
  WalkMemory(visitor, *this, std::move(pages), [](uint64_t) { return true; });
}

void Machine::RestoreState(alpha::StateReader& reader) {
  RestoreWithoutMemory(reader);
  ClearMemory();
  WalkMemory(reader, *this, {}, [&](uint64_t pa) {
    if (memory_.Contains(pa)) {
      memory_.WillWrite(pa, alpha::kPageSize);
      return true;
    }
    reader.Fail("a page of memory is out of range");
    return false;
  });
  engine_->Invalidate();
}

std::string Machine::SaveWithoutMemory() const {
  alpha::StateWriter writer;
  VisitWithoutMemory(writer);
  return writer.Release();
}

absl::Status Machine::Restore(
    const std::function<absl::StatusOr<std::string>(alpha::Memory&)>& fill) {
  ClearMemory();
  const absl::StatusOr<std::string> without_memory = fill(memory_);
  if (!without_memory.ok()) return without_memory.status();
  alpha::StateReader reader(*without_memory);
  RestoreWithoutMemory(reader);
  engine_->Invalidate();
  return reader.Finish();
}

// In a sanitized build memory is hashed anew every now and then: what both engines, or a device,
// write without marking the page makes equal digests that are stale.
void Machine::CheckMemoryDigest(const Digest& memory) const {
  if (!kChecksDigests) return;
  if (!std::has_single_bit(++digests_) || memory == memory_digest_.Recompute()) return;
  std::fprintf(stderr, "at cycle %llu a page has changed without its dirty mark\n",
               static_cast<unsigned long long>(cpu_.cycle));
  std::abort();
}

Digest Machine::StateDigest() const {
  const Digest memory = memory_digest_.Update();
  CheckMemoryDigest(memory);
  alpha::StateWriter writer;
  VisitWithoutMemory(writer);
  writer.Component("memory", memory);
  return DigestOf(writer.bytes());
}

void Machine::Tell(uint64_t cycle, EventBody body) {
  stop_watch_.Note(body);
  if (observer_ != nullptr) observer_->On({cycle, 0, std::move(body)});
}

bool Machine::TranslateAtMost(uint32_t instructions) {
  alpha::TranslationProbe* const probe = engine_->probe();
  return probe != nullptr && probe->TranslateAtMost(cpu_, instructions);
}

std::string Machine::DescribeCode() const {
  const alpha::TranslationProbe* const probe = engine_->probe();
  return probe != nullptr ? probe->DescribeCode(cpu_) : std::string();
}

void Machine::OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) {
  if (console_sink_ != nullptr) console_sink_->OnConsoleByte(uart, cycle, byte);
  Tell(cycle, OutputEvent{static_cast<uint8_t>(uart), byte});
}

void Machine::SetIrq(int line, bool asserted) {
  if (line / 8 != 0) return;
  const auto pin = static_cast<uint8_t>(1 << (line % 8));
  cpu_.irq_pins = asserted ? cpu_.irq_pins | pin : cpu_.irq_pins & ~pin;
}

}  // namespace isochron::machine
