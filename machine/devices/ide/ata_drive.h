// An ATA disk drive.

#ifndef ISOCHRON_MACHINE_DEVICES_IDE_ATA_DRIVE_H_
#define ISOCHRON_MACHINE_DEVICES_IDE_ATA_DRIVE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "alpha/state_visitor.h"
#include "machine/disks/disk.h"

namespace isochron::machine {

// Registers of the command block by their offset. Some are others when they are written.
struct AtaRegister {
  static constexpr int kData = 0, kError = 1, kFeatures = 1, kCount = 2, kLow = 3, kMid = 4,
                       kHigh = 5, kDevice = 6, kStatus = 7, kCommand = 7;
};
struct AtaStatus {
  static constexpr uint8_t kError = 0x01, kDataRequest = 0x08, kSeekComplete = 0x10, kReady = 0x40,
                           kBusy = 0x80;
};
struct AtaError {
  static constexpr uint8_t kAborted = 0x04, kNotFound = 0x10;
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

// A drive that obeys ATA/ATAPI-5 (T13/1321D) and, of ATA/ATAPI-6 (T13/1410D), 48-bit addresses: the
// general feature set without power that is ever off, write cache, multiple, PIO and DMA transfers.
// Reads and writes of the disk happen in OnWake() and in DMA alone.
class AtaDrive final {
 public:
  // Sectors that it moves at once within a DMA transfer.
  static constexpr size_t kMaxChunk = 128;

  // `number`: 0 to 3 on a controller. An odd one is device 1 of its channel. Both must outlive the
  // drive.
  AtaDrive(AtaHost& host, Disk& disk, int number) : host_(host), disk_(disk), number_(number) {}

  void Reset();      // power-on
  void SoftReset();  // SRST; the drive is busy until OnWake()

  // A register other than data and command. With `high` reading gives what 48-bit commands keep
  // there.
  uint8_t Read(int reg, bool high) const;
  void Write(int reg, uint8_t value);
  // The command register.
  void Command(uint8_t code);
  // The data register, 16 bits wide. Without a request for data zeros, and nothing.
  uint16_t ReadData();
  void WriteData(uint16_t value);

  bool busy() const { return (status_ & AtaStatus::kBusy) != 0; }
  // Whether it takes what is written to registers.
  bool listens() const { return (status_ & (AtaStatus::kBusy | AtaStatus::kDataRequest)) == 0; }
  // INTRQ, as long as the drive is selected.
  bool interrupt() const { return interrupt_; }
  // Reading the status register takes the interrupt back, and so does a command.
  void ClearInterrupt();

  // The time that the drive has asked for has passed.
  void OnWake();

  // DMA. Whether a transfer is under way, and whether it goes to memory.
  bool wants_dma() const { return phase_ == Phase::kDmaIn || phase_ == Phase::kDmaOut; }
  bool dma_in() const { return phase_ == Phase::kDmaIn; }
  // The bytes that are to be transferred next, which is the rest of a chunk.
  std::span<uint8_t> DmaBytes();
  // So many of them have been. True when that was the last of a chunk: then the drive asks for
  // DMA again, or the command is done.
  bool OnDma(size_t bytes);

  void VisitState(alpha::StateVisitor& visitor) const;
  void RestoreState(alpha::StateReader& reader);

 private:
  enum class Phase : uint8_t {
    kIdle,
    kBusy,     // waits for OnWake() to finish a command without data
    kFetch,    // waits for it to read a block that the host is to read
    kDataIn,   // the host reads
    kDataOut,  // the host writes
    kStore,    // waits for OnWake() to write the block that the host has written
    kDmaIn,
    kDmaOut,
    kLast = kDmaOut,
  };
  enum class Action : uint8_t;
  struct CommandRow;
  static const CommandRow* FindCommand(uint8_t code);

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  void Execute(const CommandRow& row);
  // Begins a transfer of sectors, or says why not.
  void BeginTransfer(const CommandRow& row);
  // Begins the transfer of one sector of what the drive says of itself.
  void BeginIdentify();
  void SetMultiple();
  void SetFeatures();
  void SetGeometry();
  // The command is done at once or has failed.
  void Finish();
  void Fail(uint8_t error);
  // Asserts INTRQ.
  void Interrupt();
  void Signature();

  // What the address registers name: the sector, or past all of them where there is none such.
  uint64_t Address(bool is_extended) const;
  uint64_t Count(bool is_extended) const;
  // How long the next chunk takes, with what it takes to get there when it is the first one.
  uint64_t ChunkCycles(bool first) const;
  uint64_t ChunkSectors() const;
  // Makes room for the next chunk; reading, fills it from the disk.
  void LoadChunk();
  // Writes the chunk to the disk and goes past it.
  void StoreChunk();
  void Advance();

  AtaHost& host_;
  Disk& disk_;
  const int number_;

  // By register; what stood there before the last write is the high part.
  std::array<uint8_t, 8> registers_{};
  std::array<uint8_t, 8> high_{};
  uint8_t error_ = 0;
  uint8_t status_ = 0;
  bool interrupt_ = false;

  Phase phase_ = Phase::kIdle;
  bool identify_ = false;  // what the host reads is no sector of the disk
  uint64_t sector_ = 0;    // the first of the chunk
  uint64_t left_ = 0;      // sectors of the command from there on
  uint16_t block_ = 1;     // sectors of a chunk at most
  uint64_t position_ = 0;  // behind the last sector that has been transferred by any command
  uint32_t at_ = 0;        // how far the chunk has been transferred
  std::string chunk_;

  uint8_t multiple_ = 0;  // sectors of a block; 0: SET MULTIPLE has not been given
  uint8_t dma_mode_ = 0;  // as SET FEATURES takes it
  bool write_cache_ = true;
  uint16_t heads_ = 0;  // of the translation in use
  uint16_t sectors_per_track_ = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_IDE_ATA_DRIVE_H_
