// Drives an IDE controller with a disk and a CD-ROM on one channel and a disk on the other as a
// driver would that has lost its mind: registers of drives and bus master, tables in memory,
// packets, time, and states that are saved and restored on the way. Whatever it does, no event
// moves more than a chunk and a table, time goes on, the lines of the interrupts are what the
// drives say, a state that was saved is restored, no drive is busy for ever, and a reset ends it
// all.
//
// The input is a byte that says whether disks can be written, and commands of a byte and their
// operands; see Command(). Where it ends operands are zeros.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "conformance/fuzz/device_fuzzing.h"
#include "machine/bus/pci_testing.h"
#include "machine/devices/ide/ali_ide.h"
#include "machine/disks/disk.h"
#include "machine/disks/disk_testing.h"

namespace isochron::machine {
namespace {

// What an event may move: a chunk, and descriptors.
constexpr uint64_t kMostInAnEvent =
    IdeDrive::kMaxChunk * kSectorSize + 8 * uint64_t{IdeChannel::kMaxDescriptors};
constexpr uint64_t kDiskBytes = uint64_t{1} << 20;
constexpr uint64_t kPorts[] = {0x1f0, 0x170}, kControl[] = {0x3f6, 0x376};
constexpr uint64_t kMaster = 0xf000;
constexpr int kIrqs[] = {14, 15};
// Tables of descriptors and what they are likely to name.
constexpr uint64_t kTable = 0x8000;

struct BehindIde {
  explicit BehindIde(bool read_only)
      : disks{Disk(std::make_shared<ZeroContents>(kDiskBytes), read_only),
              Disk(std::make_shared<ZeroContents>(kDiskBytes), true),
              Disk(std::make_shared<ZeroContents>(kDiskBytes), read_only)} {}
  std::array<Disk, 3> disks;
  FakeIrqs isa;
};
struct Rig : BehindIde, PciRig<AliIde> {
  explicit Rig(bool read_only)
      : BehindIde(read_only),
        PciRig(IrqLine{&isa, kIrqs[0]}, IrqLine{&isa, kIrqs[1]}),
        read_only(read_only) {
    device.Attach(0, disks[0]);
    device.Attach(1, disks[1], true);
    device.Attach(2, disks[2]);
    device.Reset();
  }
  std::unique_ptr<Rig> Another() const {
    auto other = std::make_unique<Rig>(read_only);
    for (size_t i = 0; i < disks.size(); ++i) other->disks[i].SetWritten(disks[i].written());
    other->isa = isa;
    return other;
  }
  // A number of a drive's state.
  uint64_t Of(int channel, int drive, const char* field) const {
    return StateNumber(device, absl::StrCat("ide.channel[", channel, "].drive", drive, ".", field));
  }
  uint64_t Of(int channel, const char* field) const {
    return StateNumber(device, absl::StrCat("ide.channel[", channel, "].", field));
  }
  const bool read_only;
};

class Driver {
 public:
  Driver(FuzzInput& input, uint8_t how)
      : input_(input), rig_(std::make_unique<Rig>((how & 1) != 0)) {}

  void Run() {
    while (!input_.empty()) Command();
    SaveAndRestore();
    // A drive that is held in reset is let go; what has begun comes to its end.
    rig_->Config(PciRegister::kCommand, 2, PciCommand::kIo | PciCommand::kMaster);
    for (const uint64_t port : kControl) rig_->bus.io().Write({port, 1}, 0);
    Wait(uint64_t{1} << 32);
    for (const int channel : {0, 1}) {
      for (const int drive : {0, 1}) {
        if (channel == 1 && drive == 1) continue;
        if ((rig_->Of(channel, drive, "status") & AtaStatus::kBusy) != 0) std::abort();
      }
    }
    CheckReset(*rig_);
  }

 private:
  void Command() {
    const uint8_t command = input_.Byte();
    channel_ = command >> 4 & 1;
    const int size = std::min(1 << (command >> 6), 4);
    const uint64_t master = kMaster + IdeChannel::kMasterSize * static_cast<uint64_t>(channel_);
    switch (command & 0xf) {
      case 0: Out(input_.Byte() & 7 & -size, size, input_.Number(size)); break;
      case 1: rig_->bus.io().Read({kPorts[channel_] + (input_.Byte() & 7u & -size), size}); break;
      case 2: rig_->bus.io().Write({kControl[channel_], 1}, input_.Byte()); break;
      case 3: rig_->bus.io().Read({kControl[channel_], 1}); break;
      case 4:
        rig_->bus.io().Write({master + (input_.Byte() & 7u & -size), size}, input_.Number(size));
        break;
      case 5: rig_->bus.io().Read({master + (input_.Byte() & 7u & -size), size}); break;
      case 6: Describe(); break;
      case 7: AskDisk(); break;
      case 8: AskDisc(); break;
      case 9: Wait(input_.Number(3)); break;
      case 10: SaveAndRestore(); break;
      case 11: rig_->device.Reset(); break;
      case 12:
        for (int words = 16 * input_.Byte(); words > 0; --words) {
          rig_->bus.io().Read({kPorts[channel_], 2});
        }
        break;
      case 13:
        for (int words = 16 * input_.Byte(); words > 0; --words) Out(AtaRegister::kData, 2, 0x1234);
        break;
      case 14: rig_->Config(input_.Byte() & -size, size, input_.Number(size)); break;
      default:
        rig_->bus.io().Write({master + IdeChannel::kMasterTable, 4}, TestRam::kWindow + kTable);
        rig_->bus.io().Write({master, 1}, input_.Byte());
        break;
    }
  }

  void Out(int reg, int size, uint64_t value) {
    rig_->bus.io().Write({kPorts[channel_] + static_cast<uint64_t>(reg), size}, value);
  }
  // An entry of the table; addresses are likely to lead somewhere.
  void Describe() {
    const uint64_t at = kTable + 8u * input_.Byte();
    const uint64_t number = input_.Number(2);
    const uint64_t address =
        number == 0xffff ? input_.Number(4) : TestRam::kWindow + (number << 4) % TestRam::kSize;
    const uint64_t count = input_.Number(2);
    const uint64_t last = input_.Byte();
    rig_->memory.Put(at, std::array<uint32_t, 2>{static_cast<uint32_t>(address),
                                                 static_cast<uint32_t>(count | last << 24)});
  }
  // A command in order, as far as the input is.
  void AskDisk() {
    const uint8_t where = input_.Byte();
    Out(AtaRegister::kDevice, 1, 0xe0 | (where & 0x10));
    Out(AtaRegister::kFeatures, 1, where & 0xf);
    Out(AtaRegister::kCount, 1, input_.Byte());
    Out(AtaRegister::kLow, 1, input_.Byte());
    Out(AtaRegister::kMid, 1, input_.Byte());
    Out(AtaRegister::kHigh, 1, 0);
    Out(AtaRegister::kCommand, 1, input_.Byte());
  }
  void AskDisc() {
    Out(AtaRegister::kDevice, 1, 0x10);
    Out(AtaRegister::kFeatures, 1, input_.Byte());
    const uint64_t limit = input_.Number(2);
    Out(AtaRegister::kMid, 1, limit & 0xff);
    Out(AtaRegister::kHigh, 1, limit >> 8);
    Out(AtaRegister::kCommand, 1, 0xa0);
    for (int i = 0; i < 6; ++i) Out(AtaRegister::kData, 2, input_.Number(2));
  }

  void Wait(uint64_t cycles) {
    LetPass(*rig_, cycles, kMostInAnEvent);
    for (const int channel : {0, 1}) {
      constexpr uint64_t kDisable = 2;  // of device control
      const uint64_t drive = rig_->Of(channel, "selected");
      const bool there = channel == 0 || drive == 0;
      const bool wants = there && rig_->Of(channel, static_cast<int>(drive), "interrupt") != 0 &&
                         (rig_->Of(channel, "control") & kDisable) == 0;
      if (rig_->isa.levels[kIrqs[channel]] != wants) std::abort();
    }
  }

  void SaveAndRestore() {
    Wait(0);
    GoOnRestored(rig_, rig_->Another());
  }

  FuzzInput& input_;
  int channel_ = 0;  // that the command is about
  std::unique_ptr<Rig> rig_;
};

}  // namespace
}  // namespace isochron::machine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace isochron::machine;  // NOLINT: the program
  FuzzInput input(data, size);
  const uint8_t how = input.Byte();
  Driver(input, how).Run();
  return 0;
}
