// How the console reaches disks and its NVRAM.

#ifndef ISOCHRON_MACHINE_DEVICES_CONSOLE_DEVICE_H_
#define ISOCHRON_MACHINE_DEVICES_CONSOLE_DEVICE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alpha/memory.h"
#include "alpha/state_visitor.h"
#include "machine/bus/device.h"
#include "machine/bus/event_queue.h"
#include "machine/disks/disk.h"
#include "machine/disks/disk_timing.h"
#include "machine/events/config.h"
#include "machine/firmware/console_environment.h"

namespace isochron::machine {

// Our own, no chip: moves blocks between memory and a disk, whatever controller that is behind, and
// keeps the console's environment. Its registers are aligned quadwords and stand in docs/machine.md
// and machine/firmware/firmware_layout.h; an access of another size gives zero and does nothing,
// and so does a write while a command is under way. A command takes what the timing of the disk
// says.
class ConsoleDevice final : public RegisterDevice {
 public:
  struct Unit {
    Disk* disk = nullptr;
    const DiskTiming* timing = &kSolidStateDisk;
  };

  // `units`: by the numbers that the console knows; they and `memory` must outlive the device.
  // `nvram`: what it holds at power-on; nothing: there is none. A reset leaves it alone.
  ConsoleDevice(EventQueue& events, alpha::Memory& memory, std::vector<Unit> units,
                std::optional<ConsoleEnvironment> nvram);

  void Reset() override;
  uint64_t Read(const Access& access) override;
  void Write(const Access& access, uint64_t value) override;
  void OnEvent(int kind) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

  // What NVRAM holds now.
  const std::optional<ConsoleEnvironment>& nvram() const { return nvram_; }

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  static constexpr int kDone = 0;  // event kind

  // The disk that the unit register names; nullptr: there is none.
  Disk* disk() const { return unit_ < units_.size() ? units_[unit_].disk : nullptr; }
  // Whether the registers name a transfer that can be.
  bool CanTransfer(bool writes) const;
  // Begins a command.
  void Begin(uint64_t command);
  void Transfer(bool writes);
  // Whether the environment was as one can be.
  bool Save();

  EventPort events_;
  alpha::Memory& memory_;
  const std::vector<Unit> units_;
  std::optional<ConsoleEnvironment> nvram_;

  uint64_t unit_ = 0;
  uint64_t block_ = 0;
  uint64_t count_ = 0;
  uint64_t address_ = 0;
  uint64_t command_ = 0;                                        // under way; 0: none
  uint64_t status_ = 0;                                         // of the last one
  std::array<uint64_t, MachineConfig::kMaxDisks> positions_{};  // behind the last transfer of each
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_CONSOLE_DEVICE_H_
