// What is behind an IDE channel.

#ifndef ISOCHRON_MACHINE_DEVICES_IDE_IDE_DRIVE_H_
#define ISOCHRON_MACHINE_DEVICES_IDE_IDE_DRIVE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "alpha/state_visitor.h"

namespace isochron::machine {

// Registers of the command block by their offset. Some are others when they are written.
struct AtaRegister {
  static constexpr int kData = 0, kError = 1, kFeatures = 1, kCount = 2, kLow = 3, kMid = 4,
                       kHigh = 5, kDevice = 6, kStatus = 7, kCommand = 7;
};
struct AtaStatus {
  static constexpr uint8_t kError = 0x01, kDataRequest = 0x08, kSeekComplete = 0x10, kReady = 0x40,
                           kBusy = 0x80, kIdle = kReady | kSeekComplete;
};
// What drives of every kind have in common.
struct AtaValues {
  static constexpr uint8_t kDeviceFixed = 0xa0;  // bits of the device register, obsolete and set
  static constexpr uint8_t kPassed = 0x01;       // error register behind a reset: the diagnostics
  // A reset takes 2 ms: the least that a driver waits before it looks (ATA/ATAPI-5, 9.2).
  static constexpr uint64_t kResetsPerSecond = 500;
  // Transfer modes as SET FEATURES takes them.
  static constexpr uint8_t kMultiwordDma = 0x20, kUltraDma = 0x40;
};
struct AtaError {
  static constexpr uint8_t kAborted = 0x04, kNotFound = 0x10;
};
// Commands that concern more than the drive that is selected.
struct AtaCommand {
  static constexpr uint8_t kDiagnose = 0x90;
};

// What a drive asks of the channel that it is on.
class AtaHost {
 public:
  virtual ~AtaHost() = default;
  // Cycles of a guest second.
  virtual uint64_t hz() const = 0;
  // Has OnWake() called so many cycles later, in place of what was asked for before.
  virtual void WakeAfter(uint64_t cycles) = 0;
  // interrupt() may have changed.
  virtual void UpdateInterrupt() = 0;
  // The drive is ready to transfer by DMA, so many cycles from now at the earliest.
  virtual void WantDma(uint64_t cycles) = 0;
};

// A drive. Reads and writes of the disk happen in OnWake() and in DMA alone.
class IdeDrive {
 public:
  // Sectors of 512 bytes that a drive moves at once within a DMA transfer.
  static constexpr size_t kMaxChunk = 128;

  virtual ~IdeDrive() = default;

  virtual void Reset() = 0;      // power-on
  virtual void SoftReset() = 0;  // SRST; the drive is busy until OnWake()

  // A register other than data and command. With `high` reading gives what 48-bit commands keep
  // there.
  virtual uint8_t Read(int reg, bool high) const = 0;
  virtual void Write(int reg, uint8_t value) = 0;
  // The command register.
  virtual void Command(uint8_t code) = 0;
  // The data register, 16 bits wide. Without a request for data zeros, and nothing.
  virtual uint16_t ReadData() = 0;
  virtual void WriteData(uint16_t value) = 0;

  bool busy() const { return (status_ & AtaStatus::kBusy) != 0; }
  // Whether it takes what is written to registers.
  bool listens() const { return (status_ & (AtaStatus::kBusy | AtaStatus::kDataRequest)) == 0; }
  // INTRQ, as long as the drive is selected.
  bool interrupt() const { return interrupt_; }
  // Reading the status register takes the interrupt back, and so does a command.
  void ClearInterrupt() { SetInterrupt(false); }

  // The time that the drive has asked for has passed.
  virtual void OnWake() = 0;

  // DMA. Whether a transfer is under way, and whether it goes to memory.
  virtual bool wants_dma() const = 0;
  virtual bool dma_in() const = 0;
  // The bytes that are to be transferred next, which is the rest of a chunk.
  virtual std::span<uint8_t> DmaBytes() = 0;
  // So many of them have been. True when that was the last of a chunk: then the drive asks for
  // DMA again, or the command is done.
  virtual bool OnDma(size_t bytes) = 0;

  virtual void VisitState(alpha::StateVisitor& visitor) const = 0;
  virtual void RestoreState(alpha::StateReader& reader) = 0;

 protected:
  // It must outlive the drive.
  explicit IdeDrive(AtaHost& host) : host_(host) {}

  // Asserts INTRQ.
  void Interrupt() { SetInterrupt(true); }

  AtaHost& host_;
  // State, which the kind of drive visits in its place.
  uint8_t status_ = 0;
  bool interrupt_ = false;

 private:
  void SetInterrupt(bool asserted) {
    interrupt_ = asserted;
    host_.UpdateInterrupt();
  }
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_IDE_IDE_DRIVE_H_
