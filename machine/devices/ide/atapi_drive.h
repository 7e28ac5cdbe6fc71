// An ATAPI CD-ROM drive.

#ifndef ISOCHRON_MACHINE_DEVICES_IDE_ATAPI_DRIVE_H_
#define ISOCHRON_MACHINE_DEVICES_IDE_ATAPI_DRIVE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "alpha/state_visitor.h"
#include "machine/devices/ide/ide_drive.h"
#include "machine/disks/disk.h"

namespace isochron::machine {

// A drive that obeys the PACKET feature set of ATA/ATAPI-5 (T13/1321D), with packets as SFF 8020i
// and MMC-2 (T10/1228D) have them, and a disc with one track of data in it, which is `disk`: its
// sectors four by four are the blocks of 2048 bytes.
class AtapiDrive final : public IdeDrive {
 public:
  static constexpr uint64_t kBlockSize = 2048;
  static constexpr size_t kPacketBytes = 12;

  // `number`: 0 to 3 on a controller. Both must outlive the drive. `disk` has whole blocks.
  AtapiDrive(AtaHost& host, Disk& disk, int number)
      : IdeDrive(host), disk_(disk), number_(number) {}

  void Reset() override;
  void SoftReset() override;
  uint8_t Read(int reg, bool high) const override;
  void Write(int reg, uint8_t value) override;
  void Command(uint8_t code) override;
  uint16_t ReadData() override;
  void WriteData(uint16_t value) override;
  void OnWake() override;
  bool wants_dma() const override { return phase_ == Phase::kDmaIn; }
  bool dma_in() const override { return wants_dma(); }
  std::span<uint8_t> DmaBytes() override;
  bool OnDma(size_t bytes) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

 private:
  enum class Phase : uint8_t {
    kIdle,
    kReset,     // waits for OnWake() to show the signature
    kBusy,      // waits for OnWake() to finish a command without data
    kIdentify,  // waits for OnWake() to have what IDENTIFY PACKET DEVICE says
    kPacket,    // the host writes a packet
    kExecute,   // waits for OnWake() to do what the packet says
    kFetch,     // waits for OnWake() to read blocks
    kDataIn,    // the host reads
    kDmaIn,
    kLast = kDmaIn,
  };
  // Sense key, additional code and its qualifier.
  struct Sense {
    uint8_t key = 0, code = 0, qualifier = 0;

    template <typename Visitor, typename Self>
    static void Walk(Visitor& visitor, Self& self);
  };

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  void Signature();
  // Nothing is to be transferred any more.
  void DropChunk();
  // The command, or the packet, is done or has failed.
  void Finish();
  void Abort();
  void Fail(const Sense& sense);
  void WaitFor(Phase phase, uint64_t cycles);
  void BeginDma(uint64_t cycles);
  void SetFeatures();

  // What the packet says at a place, highest byte first.
  uint32_t Field(size_t at, size_t bytes) const;
  // Whether the packet asks for what needs the disc, and whether it may while something is to be
  // told first.
  static bool NeedsDisc(uint8_t code);
  static bool GoesBeforeAttention(uint8_t code);
  void Execute();
  void ExecuteOther(uint8_t code);
  void BeginRead(uint64_t block, uint64_t count);
  void StartStop();
  // Gives back as much of `reply` as there is room for.
  void Reply(std::string reply, size_t room);
  std::string Inquiry() const;
  std::string SenseData() const;
  std::string Toc() const;
  std::string Modes() const;
  std::string Configuration() const;
  std::string Event() const;

  uint64_t blocks() const { return disk_.sectors() * kSectorSize / kBlockSize; }
  // Blocks that the next chunk has, and how long it takes.
  uint64_t ChunkBlocks() const;
  uint64_t ChunkCycles(bool first) const;
  void LoadChunk();
  // Has the host read the next part of the chunk.
  void OfferData();
  // The chunk has been transferred: goes on with the next one, or finishes.
  void Advance();

  Disk& disk_;
  const int number_;

  std::array<uint8_t, 8> registers_{};
  uint8_t error_ = 0;

  Phase phase_ = Phase::kIdle;
  std::array<uint8_t, kPacketBytes> packet_{};
  bool dma_ = false;       // what the packet moves goes by DMA
  uint64_t block_ = 0;     // of the chunk
  uint64_t left_ = 0;      // blocks of the packet from there on; 0: the chunk is a reply
  uint64_t position_ = 0;  // behind the last block that has been read
  uint32_t at_ = 0;        // how far the chunk has been transferred, or the packet
  uint32_t until_ = 0;     // where what the host reads now ends
  uint16_t limit_ = 0;     // bytes that it reads at once; 0: all, and nothing comes behind them
  std::string chunk_;

  Sense sense_;
  uint8_t attention_ = 0;  // the code of what is to be told first; 0: nothing
  bool locked_ = false;
  bool is_open_ = false;  // the tray, with the disc in it
  uint8_t dma_mode_ = 0;  // as SET FEATURES takes it
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_IDE_ATAPI_DRIVE_H_
