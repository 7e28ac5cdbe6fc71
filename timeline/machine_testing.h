// A machine for tests of this folder.

#ifndef ISOCHRON_TIMELINE_MACHINE_TESTING_H_
#define ISOCHRON_TIMELINE_MACHINE_TESTING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "machine/disks/disk_contents.h"
#include "machine/firmware/elf_image.h"
#include "machine/firmware/elf_test_image.h"
#include "machine/machine.h"
#include "ref/engine.h"

namespace isochron::timeline {

// Its kernel is a branch to itself.
inline std::unique_ptr<machine::Machine> MakeMachine(
    uint64_t memory_bytes = uint64_t{64} << 20,
    std::vector<std::shared_ptr<const machine::DiskContents>> disks = {}) {
  machine::ElfTestImage image;
  image.Entry(machine::PhysicalToKseg(0x310000))
      .Load(machine::PhysicalToKseg(0x310000), std::string("\xff\xff\xff\xc3", 4), 0x2000);
  machine::BootImages images;
  images.kernel = *machine::ParseKernel(image.Build());
  machine::MachineConfig config;
  config.memory_bytes = memory_bytes;
  for (const auto& disk : disks) config.disks.push_back({.bytes = disk->size()});
  images.disks = std::move(disks);
  return *machine::Machine::Create(config, std::move(images), ref::CreateEngine);
}

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_MACHINE_TESTING_H_
