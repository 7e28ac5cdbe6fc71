// An ATA disk drive.

#ifndef ISOCHRON_MACHINE_DEVICES_IDE_ATA_DRIVE_H_
#define ISOCHRON_MACHINE_DEVICES_IDE_ATA_DRIVE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "alpha/state_visitor.h"
#include "machine/devices/ide/ide_drive.h"
#include "machine/disks/disk.h"

namespace isochron::machine {

// A drive that obeys ATA/ATAPI-5 (T13/1321D) and, of ATA/ATAPI-6 (T13/1410D), 48-bit addresses: the
// general feature set without power that is ever off, write cache, multiple, PIO and DMA transfers.
class AtaDrive final : public IdeDrive {
 public:
  // `number`: 0 to 3 on a controller. An odd one is device 1 of its channel. Both must outlive the
  // drive.
  AtaDrive(AtaHost& host, Disk& disk, int number) : IdeDrive(host), disk_(disk), number_(number) {}

  void Reset() override;
  void SoftReset() override;
  uint8_t Read(int reg, bool high) const override;
  void Write(int reg, uint8_t value) override;
  void Command(uint8_t code) override;
  uint16_t ReadData() override;
  void WriteData(uint16_t value) override;
  void OnWake() override;
  bool wants_dma() const override { return phase_ == Phase::kDmaIn || phase_ == Phase::kDmaOut; }
  bool dma_in() const override { return phase_ == Phase::kDmaIn; }
  std::span<uint8_t> DmaBytes() override;
  bool OnDma(size_t bytes) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

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
  void Signature();

  // What the address registers name: the sector, or past all of them where there is none such.
  uint64_t Address(bool is_extended) const;
  uint64_t Count(bool is_extended) const;
  // How long the next sectors take, with what it takes to get there when they are the first ones.
  uint64_t TransferCycles(uint64_t sectors, bool first) const;
  uint64_t ChunkCycles(bool first) const { return TransferCycles(ChunkSectors(), first); }
  uint64_t ChunkSectors() const;
  // Makes room for the next chunk; reading, fills it from the disk.
  void LoadChunk();
  // Writes the chunk to the disk and goes past it.
  void StoreChunk();
  void Advance();

  Disk& disk_;
  const int number_;

  // By register; what stood there before the last write is the high part.
  std::array<uint8_t, 8> registers_{};
  std::array<uint8_t, 8> high_{};
  uint8_t error_ = 0;

  Phase phase_ = Phase::kIdle;
  bool identify_ = false;  // what the host reads is no sector of the disk
  bool is_first_ = false;  // no sector of the command has been transferred yet
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
