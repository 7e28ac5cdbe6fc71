// One of two channels of an IDE controller.

#ifndef ISOCHRON_MACHINE_DEVICES_IDE_IDE_CHANNEL_H_
#define ISOCHRON_MACHINE_DEVICES_IDE_IDE_CHANNEL_H_

#include <cstdint>
#include <memory>

#include "alpha/state_visitor.h"
#include "machine/bus/access.h"
#include "machine/bus/device.h"
#include "machine/bus/dma.h"
#include "machine/bus/event_queue.h"
#include "machine/devices/ide/ide_drive.h"
#include "machine/disks/disk.h"

namespace isochron::machine {

// A channel with up to two drives, its registers as the CPU sees them (ATA/ATAPI-5) and its bus
// master (SFF 8038i, "Programming Interface for Bus Master IDE Controller"), which moves at most
// IdeDrive::kMaxChunk sectors and follows at most kMaxDescriptors descriptors in one event.
class IdeChannel final : private AtaHost {
 public:
  // Registers of the bus master.
  static constexpr uint64_t kMasterCommand = 0, kMasterStatus = 2, kMasterTable = 4,
                            kMasterSize = 8;
  static constexpr int kMaxDescriptors = 128;

  // Events of `kind` are the channel's. `dma` and `events` must outlive it.
  IdeChannel(EventPort& events, int kind, DmaPort& dma, IrqLine interrupt)
      : events_(events), kind_(kind), dma_(dma), line_(interrupt) {}

  // Before Reset(). `device` 0 or 1; `number`: see AtaDrive. A CD-ROM is an ATAPI drive.
  void Attach(int device, Disk& disk, int number, bool is_cdrom);

  void Reset();
  void OnEvent();

  // The command block, and the register of the control block.
  uint64_t ReadCommand(const Access& access);
  void WriteCommand(const Access& access, uint64_t value);
  uint8_t ReadControl() const;
  void WriteControl(uint8_t value);
  // A byte of the bus master's registers.
  uint8_t ReadMaster(uint64_t reg) const;
  void WriteMaster(uint64_t reg, uint8_t value);

  void VisitState(alpha::StateVisitor& visitor) const;
  void RestoreState(alpha::StateReader& reader);

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  uint64_t hz() const override { return events_.hz(); }
  void WakeAfter(uint64_t cycles) override { events_.Schedule(kind_, events_.now() + cycles); }
  void UpdateInterrupt() override;
  void WantDma(uint64_t cycles) override;

  bool has_drives() const { return drives_[0] != nullptr || drives_[1] != nullptr; }
  // The drive that is selected; nullptr: there is none.
  IdeDrive* selected() const { return drives_[selected_].get(); }
  void Command(uint8_t code);
  uint8_t ReadRegister(int reg) const;
  void WriteRegister(int reg, uint8_t value);
  void SetMaster(bool starts);
  // Makes a part of a DMA transfer.
  void Transfer();
  // Reads the next descriptor. False when there is none, or it cannot be read.
  bool NextDescriptor();
  void FailMaster();

  EventPort& events_;
  const int kind_;
  DmaPort& dma_;
  const IrqLine line_;
  std::unique_ptr<IdeDrive> drives_[2];

  uint8_t selected_ = 0;
  uint8_t control_ = 0;
  bool level_ = false;  // of INTRQ as it leaves the channel
  uint8_t master_command_ = 0;
  uint8_t master_status_ = 0;
  uint32_t table_ = 0;
  // Of the descriptor in use: where the next one stands, and what is left of it.
  uint32_t next_descriptor_ = 0;
  uint32_t address_ = 0;
  uint32_t left_ = 0;
  bool is_last_ = false;
  uint64_t dma_cycles_ = 0;  // from where both drive and master are ready to the transfer
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_IDE_IDE_CHANNEL_H_
