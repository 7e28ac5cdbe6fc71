#include "machine/machine.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "alpha/exceptions.h"
#include "alpha/fpcr.h"
#include "alpha/performance.h"
#include "machine/events/planted_breaks.h"
#include "machine/firmware/console_environment.h"
#include "machine/firmware/disk_console.h"
#include "machine/firmware/embedded_images.h"
#include "machine/firmware/firmware.h"
#include "machine/firmware/firmware_layout.h"
#include "machine/firmware/hwrpb.h"

namespace isochron::machine {
namespace {

// Names of what the walk finds for each CPU and each disk.
constexpr const char* kCpuNames[Cchip::kMaxCpus] = {"cpu0", "cpu1", "cpu2", "cpu3"};
constexpr const char* kDiskNames[MachineConfig::kMaxDisks] = {"disk0", "disk1", "disk2", "disk3",
                                                              "disk4", "disk5", "disk6", "disk7"};
constexpr const char* kBlocksNames[MachineConfig::kMaxDisks] = {
    "disk0_blocks", "disk1_blocks", "disk2_blocks", "disk3_blocks",
    "disk4_blocks", "disk5_blocks", "disk6_blocks", "disk7_blocks"};
constexpr const char* kWaitingNames[Cchip::kMaxCpus] = {"waiting", "waiting1", "waiting2",
                                                        "waiting3"};

// Does what a debugger's write to a register asks for; nothing where there is no such register.
void WriteRegister(const Input& write, alpha::Cpu& cpu) {
  if (!DebugRegister::IsOne(write.address)) return;
  const uint64_t value = write.quadword();
  const int number = static_cast<int>(write.address);
  switch (write.address) {
    case DebugRegister::kFpcr: cpu.fpcr = alpha::fpcr::Written(value); break;
    case DebugRegister::kPc: cpu.pc = value & ~uint64_t{2}; break;
    default:
      if (write.address >= DebugRegister::kFloat) {
        cpu.f[number - static_cast<int>(DebugRegister::kFloat)] = value;
      } else {
        cpu.r[alpha::Cpu::IntegerPlace(number, cpu.shadow_active())] = value;
      }
  }
}

// Whether the images are those that the configuration tells of.
absl::Status CheckDiskContents(const std::vector<DiskConfig>& configs,
                               const std::vector<std::shared_ptr<const DiskContents>>& contents) {
  if (configs.size() != contents.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the machine has ", configs.size(), " disks, but there are images for ", contents.size()));
  }
  for (size_t i = 0; i < configs.size(); ++i) {
    if (contents[i]->size() == configs[i].bytes) continue;
    return absl::InvalidArgumentError(absl::StrCat("disk ", i, " has ", configs[i].bytes,
                                                   " bytes, but its image ", contents[i]->size()));
  }
  return absl::OkStatus();
}

std::vector<Disk> MakeDisks(const std::vector<DiskConfig>& configs,
                            const std::vector<std::shared_ptr<const DiskContents>>& contents) {
  std::vector<Disk> disks;
  disks.reserve(configs.size());
  for (size_t i = 0; i < configs.size(); ++i) disks.emplace_back(contents[i], configs[i].read_only);
  return disks;
}

BoardOptions BoardOptionsOf(const MachineConfig& config, std::vector<Disk>& disks,
                            FrameSink& frames) {
  BoardOptions options;
  options.rtc_base_seconds = config.rtc_base_seconds;
  options.seed = config.seed;
  options.cpu_count = static_cast<int>(config.cpus);
  options.entropy_device = config.entropy_device;
  options.network = config.network;
  options.frames = &frames;
  options.console_device = config.has_disk_console();
  // Create() has refused what is none.
  if (config.nvram.has_value()) options.nvram = *ConsoleEnvironment::Parse(*config.nvram);
  for (size_t i = 0; i < disks.size(); ++i) {
    options.disks.push_back({config.disks[i].interface, &disks[i]});
  }
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Machine>> Machine::Create(const MachineConfig& config,
                                                         BootImages images,
                                                         const EngineFactory& engine) {
  if (absl::Status status = config.Validate(); !status.ok()) return status;
  if (absl::Status status = CheckDiskContents(config.disks, images.disks); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckConsole(config); !status.ok()) return status;
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
      lock_watch_(memory_),
      events_(config.clock_hz, deadline_),
      disks_(MakeDisks(config.disks, images_.disks)),
      board_(BoardOptionsOf(config, disks_, *this), memory_, events_, this, *this),
      points_(events_),
      memory_digest_(memory_) {
  processors_.reserve(config.cpus);
  for (uint32_t index = 0; index < config.cpus; ++index) {
    processors_.push_back({alpha::Cpu(index, config.itb_entries, config.dtb_entries)});
    lock_watch_.Add(processors_.back().cpu);
  }
  if (!config.schedule.is_fixed()) {
    schedule_.emplace(config);
    events_.StopWhereEventsMoveAway();
  }
  memory_.AddListener(*this);
}

Machine::~Machine() { memory_.RemoveListener(*this); }

absl::Status Machine::PowerOn() {
  for (Processor& processor : processors_) {
    lock_watch_.Resume(processor.cpu);
    processor.cpu.Reset(FW_PAL_BASE);
    processor.waiting = false;
  }
  round_ = {};
  turn_ = nullptr;
  quiet_until_ = 0;
  engine_->Invalidate();
  events_.SetNow(now());
  board_.Reset();
  if (points_.events.DueCycle(Points::kInput) == kNever) {
    ScheduleNext(Points::kInput, config_.input_interval);
    ScheduleNext(Points::kCheckpoint, config_.checkpoint_interval);
  }
  FirmwareOptions firmware;
  firmware.memory_bytes = config_.memory_bytes;
  firmware.clock_hz = config_.clock_hz;
  firmware.command_line = config_.command_line;
  if (config_.has_disk_console()) {
    firmware.disk_console =
        DiskConsole{.units = UnitNames(config_.disks, Board::kVirtioDiskSlot, Board::kIdeSlot),
                    .boot_unit = config_.boot_disk,
                    .environment = board_.console_device()->nvram().value_or(ConsoleEnvironment())};
  }
  firmware.cpu_count = config_.cpus;
  return LoadFirmware(firmware, images_.kernel, images_.initrd, PalcodeImage(), memory_);
}

void Machine::ClearMemory() {
  memory_.WillClear();
  host_memory_.Clear();
}

void Machine::SetExecutionSink(alpha::ExecutionSink* sink) {
  deadline_.sink = sink;
  engine_->Invalidate();
}

std::optional<RunEnd> Machine::RunUntil(const StopCondition& condition) {
  std::optional<RunEnd> end = TakeDebugged();  // that was before the run
  stop_watch_ = cpu_count() == 1 ? StopWatch(condition, cpu()) : StopWatch(condition, PlaceHere());
  deadline_.pcs = stop_watch_.pcs(cpu());
  deadline_.ranges = stop_watch_.ranges();
  stopped_by_ = stop_watch_.MetAlready(PlaceHere());
  if (!end.has_value()) {
    if (stopped_by_.any()) return std::nullopt;
    end = RunToEnd();
    if (end.has_value()) stopped_by_ = stop_watch_.MetAlready(PlaceHere());
  }
  return Conclude(std::move(end));
}

std::optional<RunEnd> Machine::Conclude(std::optional<RunEnd> end) {
  if (!end.has_value() || observer_ == nullptr || end->kind == RunEnd::Kind::kObserver) return end;
  observer_->On({now(), kNoCpu, EndEvent{end->kind, Instructions(), StateDigest()}});
  if (std::optional<RunEnd> refused = AskObserver()) return refused;
  return end;
}

std::optional<RunEnd> Machine::Inject(Input input) {
  std::optional<RunEnd> end = Apply(std::move(input));
  return end.has_value() ? Conclude(std::move(end)) : AskObserver();
}

std::optional<RunEnd> Machine::Apply(Input input) {
  Tell(input.cpu, now(), InputEvent{input});
  if (input.kind == InputKind::kStop) return RunEnd{RunEnd::Kind::kStopped, "", std::move(input)};
  if (input.kind != InputKind::kWrite) return std::nullopt;
  if (input.space == WriteSpace::kMemory) {
    if (memory_.Contains(input.address, input.bytes.size())) {
      debugger_writes_ = true;
      memory_.Write(input.address, input.bytes.data(), input.bytes.size());
      debugger_writes_ = false;
    }
  } else if (input.cpu < processors_.size()) {
    WriteRegister(input, processors_[input.cpu].cpu);
    engine_->ForgetCpus();
  }
  return std::nullopt;
}

std::optional<RunEnd> Machine::TakeDebugged() {
  if (input_source_ == nullptr || round_.open) return std::nullopt;
  while (std::optional<Input> input = input_source_->TakeDebugged(PointHere())) {
    stops_known_to_ = 0;  // more may come
    if (std::optional<RunEnd> end = Apply(*std::move(input))) return end;
  }
  return std::nullopt;
}

std::optional<RunEnd> Machine::AskObserver() const {
  if (observer_ == nullptr) return std::nullopt;
  const absl::Status status = observer_->status();
  if (status.ok()) return std::nullopt;
  return RunEnd::OfHost(status);
}

std::optional<RunEnd> Machine::AskDisks() const {
  for (size_t i = 0; i < disks_.size(); ++i) {
    const absl::Status& error = disks_[i].error();
    if (error.ok()) continue;
    return RunEnd{RunEnd::Kind::kObserver,
                  absl::StrCat("disk ", i, " cannot be read: ", std::string(error.message())),
                  {},
                  error.code()};
  }
  return std::nullopt;
}

std::optional<RunEnd> Machine::RunToEnd() {
  stops_known_to_ = 0;  // the source may be another one, or the state
  // Who has been told of a disk that cannot be read gets no farther.
  if (std::optional<RunEnd> end = AskDisks()) return end;
  for (;;) {
    const alpha::RunResult result = Advance();
    if (result.reason == alpha::StopReason::kFatal) {
      board_.Flush();
      return RunEnd{RunEnd::Kind::kFatal, result.message, {}, {}, acting_cpu_};
    }
    if (round_.open) return AskObserver();
    // The order of things at one boundary: device events, inputs, checkpoint, interrupts.
    if (std::optional<RunEnd> end = HandleBoundary()) return end;
    if (StopsHere()) return AskObserver();
    // Several take theirs when the next round begins, so that a stop here makes no difference.
    if (processors_.size() == 1) TakeInterrupt(processors_.front());
    if (std::optional<RunEnd> end = AskObserver()) return end;
  }
}

void Machine::TakeInterrupt(Processor& processor) {
  alpha::Cpu& cpu = processor.cpu;
  if (processor.waiting || !cpu.InterruptDeliverable()) return;
  acting_cpu_ = cpu.index;
  events_.AdvanceTo(cpu.cycle);
  Tell(cpu.index, events_.now(), InterruptEvent{cpu.PendingInterrupts()});
  alpha::EnterInterrupt(cpu);
}

std::optional<RunEnd> Machine::HandleBoundary() {
  DuePoints due = HandleDueEvents();
  if (std::optional<RunEnd> end = AskDisks()) return end;
  if (std::optional<RunEnd> end = HandlePowerRequest(due)) return end;
  const bool timely = TimeHasPassed();
  stop_requested_ = stop_requested_ || deadline_.leave.load(std::memory_order_relaxed);
  // Before the source is asked: what comes later counts.
  if (stop_requested_) deadline_.leave.store(false);
  const bool requested = timely && std::exchange(stop_requested_, false);
  const bool awaited = timely && now() >= stop_at_;
  if (due.input) ScheduleNext(Points::kInput, config_.input_interval);
  if (std::optional<RunEnd> end = due.input ? TakeInputs() : TakeStop(requested)) {
    // Should the run go on, the checkpoint of this boundary is the next thing.
    if (due.checkpoint) points_.events.Schedule(Points::kCheckpoint, now());
    return end;
  }
  if (due.checkpoint) {
    ScheduleNext(Points::kCheckpoint, config_.checkpoint_interval);
    const Digest state = observer_ != nullptr ? StateDigest() : Digest();
    Tell(kNoCpu, now(), CheckpointEvent{Instructions(), state});
  }
  if (std::optional<RunEnd> end = awaited ? TakeDebugged() : std::nullopt) return end;
  if (now() < alpha::Cpu::kEndOfTime) return std::nullopt;
  board_.Flush();
  return RunEnd{RunEnd::Kind::kEndOfTime, "", {}};
}

void Machine::ScheduleNext(int point, uint64_t interval) {
  points_.events.Schedule(point, now() + interval - now() % interval);
}

alpha::RunResult Machine::AdvanceAlone(Processor& processor) {
  alpha::Cpu& cpu = processor.cpu;
  const uint64_t event = std::min(events_.next(), alpha::Cpu::kEndOfTime);
  if (processor.waiting) {
    const uint64_t overflow = alpha::LatchOverflows(cpu, alpha::Retiring::kNo);
    if (cpu.PendingInterrupts() == 0) {
      const uint64_t wake = std::min(event, overflow);
      StandStill(processor, std::min({wake, NextStop(wake), stop_watch_.WaitLimit()}));
      return {};
    }
    processor.waiting = false;
  }
  deadline_.cycle =
      std::min({event, NextStop(cpu.cycle), stop_watch_.WaitLimit(), stop_watch_.RunLimit(cpu)});
  return engine_->Run(cpu, deadline_);
}

Machine::DuePoints Machine::HandleDueEvents() {
  events_.SetNow(now());
  while (events_.HandleNext()) {
  }
  for (Processor& processor : processors_) {
    const int cpu = static_cast<int>(processor.cpu.index);
    if (board_.platform().ConsumeWait(cpu)) processor.waiting = true;
    if (board_.platform().ConsumeWake(cpu)) processor.waiting = false;
  }
  return std::exchange(points_.due, {});
}

InputPoint Machine::PointHere() { return {now(), idle_cycles(), &board_}; }

uint64_t Machine::NextStop(uint64_t quiet_until) {
  if (input_source_ == nullptr) return kNever;
  if (now() >= stops_known_to_) {
    stops_known_to_ =
        std::max(quiet_until, std::min(points_.events.DueCycle(Points::kInput),
                                       now() + kStopInterval - now() % kStopInterval));
    stop_at_ = input_source_->NextStop(now(), stops_known_to_);
  }
  return stop_at_;
}

std::optional<RunEnd> Machine::TakeStop(bool requested) {
  const bool stop_point = TimeHasPassed() && now() >= stop_at_;
  if (input_source_ == nullptr || (!requested && !stop_point)) return std::nullopt;
  if (stop_point) stop_at_ = stops_known_to_;  // it may refuse
  using Occasion = InputSource::Occasion;
  std::optional<Input> stop =
      input_source_->TakeStop(PointHere(), stop_point ? Occasion::kStopPoint : Occasion::kRequest);
  if (!stop.has_value()) return std::nullopt;
  Tell(kNoCpu, now(), InputEvent{*stop});
  return RunEnd{RunEnd::Kind::kStopped, "", *std::move(stop)};
}

std::optional<RunEnd> Machine::TakeInputs() {
  if (input_source_ == nullptr) return std::nullopt;
  std::vector<Input> inputs;
  input_source_->Poll(PointHere(), inputs);
  for (Input& input : inputs) {
    Tell(kNoCpu, now(), InputEvent{input});
    if (input.kind == InputKind::kStop) {
      return RunEnd{RunEnd::Kind::kStopped, "", std::move(input)};
    }
    InputLine* const line = board_.input(input.port);
    if (line == nullptr) continue;
    if (input.kind == InputKind::kBytes) line->Receive(input.bytes);
    if (input.kind == InputKind::kBreak) line->ReceiveBreak();
    if (input.kind == InputKind::kFrame) line->ReceiveFrame(input.bytes);
  }
  return std::nullopt;
}

std::optional<RunEnd> Machine::HandlePowerRequest(DuePoints& due) {
  const PowerRequest request = TakePowerRequest();
  if (request == PowerRequest::kNone) return std::nullopt;
  const uint32_t cpu = board_.platform().power_cpu();
  board_.Flush();
  switch (request) {
    case PowerRequest::kNone: break;
    case PowerRequest::kOff: return RunEnd{RunEnd::Kind::kPowerOff, "", {}};
    case PowerRequest::kFatal:
      return RunEnd{RunEnd::Kind::kFatal, DescribeFatalHalt(cpu, memory_), {}, {}, cpu};
    case PowerRequest::kReset: break;
  }
  if (!config_.reboot) return RunEnd{RunEnd::Kind::kReset, "", {}};
  // Memory keeps what it holds. The loading takes time, so that a guest that does nothing else
  // comes past input points.
  const uint64_t loaded = now() + FirmwareCycles(images_.kernel, images_.initrd);
  for (Processor& processor : processors_) processor.cpu.cycle = loaded;
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
  for (size_t i = 0; i < self.processors_.size(); ++i) {
    visitor.Field(kWaitingNames[i], self.processors_[i].waiting);
  }
  if (self.processors_.size() > 1) {
    visitor.Field("round_open", self.round_.open);
    visitor.Field("round_next", self.round_.next);
    visitor.Field("round_limit", self.round_.limit);
    visitor.Field("round_begun", self.round_.begun);
  }
  if (self.schedule_.has_value()) visitor.Component("schedule", *self.schedule_);
  for (size_t i = 0; i < self.processors_.size(); ++i) {
    visitor.Component(kCpuNames[i], self.processors_[i].cpu);
  }
  visitor.Component("events", self.events_);
  visitor.Whole(self.board_);
  for (size_t i = 0; i < self.disks_.size(); ++i) {
    visitor.Component(kDiskNames[i], self.disks_[i]);
  }
}

void Machine::VisitWithoutMemory(alpha::StateVisitor& visitor) const {
  WalkWithoutMemory(visitor, *this);
}

void Machine::RestoreWithoutMemory(alpha::StateReader& reader) {
  WalkWithoutMemory(reader, *this);
  // Behind the last access or event there may be what an engine ran before the machine had to end.
  if (events_.now() > now() || now() - events_.now() > config_.input_interval) {
    reader.Fail("CPUs and devices stand at different cycles");
  }
  quiet_until_ = 0;
  acting_cpu_ = 0;
  CheckRound(reader);
  turn_ = nullptr;
  if (round_.open && reader.ok()) NextTurn();  // as it was asked there
  for (const Processor& processor : processors_) {
    lock_watch_.Resume(processor.cpu);
    if (processors_.size() > 1) lock_watch_.Park(processor.cpu);
  }
  // Without them a restored machine could not be stopped.
  const EventPort& points = points_.events;
  const bool points_are_due =
      points.DueCycle(Points::kInput) <= now() + config_.input_interval &&
      points.DueCycle(Points::kCheckpoint) <= now() + config_.checkpoint_interval;
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
  for (size_t i = 0; i < disks_.size(); ++i) {
    visitor.Section(kBlocksNames[i]);
    disks_[i].VisitBlocks(visitor);
  }
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
  for (size_t i = 0; i < disks_.size(); ++i) {
    reader.Section(kBlocksNames[i]);
    disks_[i].RestoreBlocks(reader);
  }
  CheckRestored(reader);
  engine_->Invalidate();
}

void Machine::CheckRestored(alpha::StateReader& reader) const {
  for (const Disk& disk : disks_) disk.CheckRestored(reader);
}

std::string Machine::SaveWithoutMemory() const {
  alpha::StateWriter writer;
  VisitWithoutMemory(writer);
  return writer.Release();
}

absl::Status Machine::Restore(const Fill& fill) {
  ClearMemory();
  engine_->Invalidate();
  return RestoreOver(fill);
}

absl::Status Machine::RestoreOver(const Fill& fill) {
  const absl::StatusOr<std::string> without_memory = fill(memory_, disks_);
  if (!without_memory.ok()) return without_memory.status();
  alpha::StateReader reader(*without_memory);
  RestoreWithoutMemory(reader);
  CheckRestored(reader);
  engine_->ForgetCpus();
  return reader.Finish();
}

// In a sanitized build memory is hashed anew every now and then: what both engines, or a device,
// write without marking the page makes equal digests that are stale.
void Machine::CheckMemoryDigest(const Digest& memory) const {
  if (!kChecksDigests) return;
  if (!std::has_single_bit(++digests_) || memory == memory_digest_.Recompute()) return;
  std::fprintf(stderr, "at cycle %llu a page has changed without its dirty mark\n",
               static_cast<unsigned long long>(now()));
  std::abort();
}

const MemoryDigest& Machine::UpdateMemoryDigest() const {
  CheckMemoryDigest(memory_digest_.Update());
  return memory_digest_;
}

Digest Machine::StateDigest() const {
  const Digest memory = UpdateMemoryDigest().sum();
  alpha::StateWriter writer;
  VisitWithoutMemory(writer);
  writer.Component("memory", memory);
  return DigestOf(writer.bytes());
}

void Machine::Tell(uint32_t cpu, uint64_t cycle, EventBody body) {
  const Event event{cycle, static_cast<uint8_t>(cpu), std::move(body)};
  stop_watch_.Note(event);
  if (observer_ != nullptr) observer_->On(event);
}

bool Machine::TranslateAtMost(uint32_t instructions, int cpu) {
  alpha::TranslationProbe* const probe = engine_->probe();
  return probe != nullptr && probe->TranslateAtMost(processors_[cpu].cpu, instructions);
}

std::string Machine::DescribeCode(int cpu) const {
  const alpha::TranslationProbe* const probe = engine_->probe();
  return probe != nullptr ? probe->DescribeCode(processors_[cpu].cpu) : std::string();
}

std::optional<alpha::TranslationStats> Machine::translation_stats() const {
  const alpha::TranslationProbe* const probe = engine_->probe();
  if (probe == nullptr) return std::nullopt;
  return probe->translation_stats();
}

void Machine::OnDeviceWrite(uint64_t pa, uint64_t size) {
  if (deadline_.ranges == nullptr) return;
  deadline_.ranges->Note({std::nullopt, pa, size, true, {}, debugger_writes_});
}

void Machine::OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) {
  if (console_sink_ != nullptr) console_sink_->OnConsoleByte(uart, cycle, byte);
  Tell(kNoCpu, cycle, OutputEvent{static_cast<uint8_t>(uart), byte});
}

void Machine::OnFrame(uint64_t cycle, std::string_view frame) {
  if (frame_sink_ != nullptr) frame_sink_->OnFrame(cycle, frame);
  Tell(kNoCpu, cycle, FrameEvent::Of(frame, config_.network->whole_frames));
}

void Machine::SetIrq(int line, bool asserted) {
  alpha::Cpu& cpu = processors_[line / Cchip::kCpuPins].cpu;
  const auto pin = static_cast<uint8_t>(1 << (line % Cchip::kCpuPins));
  const bool of_cpu = line % Cchip::kCpuPins == Cchip::kIpiPin;
  if (Planted(Break::kIpiLate) && of_cpu && asserted && round_.open) return;
  cpu.irq_pins = asserted ? cpu.irq_pins | pin : cpu.irq_pins & ~pin;
}

}  // namespace isochron::machine
