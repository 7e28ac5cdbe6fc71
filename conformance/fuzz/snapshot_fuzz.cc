// Restores a machine from a snapshot's state that has been tampered with, and runs it: an error, or
// some other machine; never a fault of ours.
//
// The input is a list of changes to a good state, three bytes each: where (two bytes) and what to
// XOR; a rest of one or two bytes cuts the state short.
//
// It is built twice, with ISOCHRON_FUZZ_CPUS of 1 and more: then the good state is one in the turn
// of a CPU, inside a round.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "machine/disks/disk_testing.h"
#include "machine/firmware/elf_image.h"
#include "machine/firmware/elf_test_image.h"
#include "machine/machine.h"
#include "ref/engine.h"

namespace isochron::replaylog {
namespace {

constexpr uint64_t kInterval = 20'000;

std::unique_ptr<machine::Machine> MakeMachine() {
  // br . : the PALcode is what runs first, and whatever the changes lead to.
  const std::string loop("\xff\xff\xff\xc3", 4);
  machine::ElfTestImage image;
  image.Entry(machine::PhysicalToKseg(0x310000))
      .Load(machine::PhysicalToKseg(0x310000), loop, 0x2000);
  machine::BootImages images;
  images.kernel = *machine::ParseKernel(image.Build());
  machine::MachineConfig config;
  config.memory_bytes = machine::MachineConfig::kMinMemory;
  config.itb_entries = config.dtb_entries = machine::MachineConfig::kMinTlbEntries;
  config.input_interval = kInterval;
  config.cpus = ISOCHRON_FUZZ_CPUS;
  if (config.cpus > 1) {
    config.quantum = 700;
    config.schedule = *machine::ScheduleConfig::Parse("random:1:1-50");
  }
  images.disks = {std::make_shared<machine::ZeroContents>(machine::kSectorSize)};
  config.disks = {{.bytes = machine::kSectorSize}};
  return *machine::Machine::Create(config, std::move(images), ref::CreateEngine);
}

// Past so many input points.
void RunFor(machine::Machine& machine, uint64_t points) {
  machine.RunUntil(machine::StopCondition::AtCycleOf(0, machine.cpu().cycle + points * kInterval));
}

std::string GoodState() {
  const std::unique_ptr<machine::Machine> machine = MakeMachine();
  RunFor(*machine, 2);
  while (machine->cpu_count() > 1 && !machine->inside_round()) {
    machine->RunUntil(machine::StopCondition::AtMoment(machine->moment() + 1));
  }
  return machine->SaveWithoutMemory();
}

void Restore(std::string state) {
  const std::unique_ptr<machine::Machine> machine = MakeMachine();
  const absl::Status status = machine->Restore(
      [&](alpha::Memory&, std::span<machine::Disk>) -> absl::StatusOr<std::string> {
        return std::move(state);
      });
  if (status.ok()) RunFor(*machine, 3);
}

}  // namespace
}  // namespace isochron::replaylog

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string good = isochron::replaylog::GoodState();
  std::string state = good;
  for (; size >= 3; data += 3, size -= 3) {
    char& byte = state[(data[0] | data[1] << 8) % state.size()];
    byte = static_cast<char>(byte ^ data[2]);
  }
  if (size != 0) state.resize(state.size() * data[0] / 256);
  isochron::replaylog::Restore(std::move(state));
  return 0;
}
