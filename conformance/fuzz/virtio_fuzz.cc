// Drives virtio devices as a driver would that has lost its mind: registers of both interfaces and
// configuration space, rings and descriptors in memory, time, and states that are saved and
// restored on the way. Whatever it does, no event moves more than a piece, time goes on, the line
// of the interrupt is what the ISR says, what is sent are frames, a state that was saved is
// restored, and a reset ends it all.
//
// The input is one byte that says which device it is and how the driver began, and then commands of
// a byte and their operands; see Command(). Where the input ends operands are zeros.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "conformance/fuzz/device_fuzzing.h"
#include "machine/devices/network/network_testing.h"
#include "machine/devices/virtio/virtio_blk.h"
#include "machine/devices/virtio/virtio_net.h"
#include "machine/devices/virtio/virtio_rng.h"
#include "machine/devices/virtio/virtio_testing.h"
#include "machine/disks/disk.h"
#include "machine/disks/disk_testing.h"
#include "machine/disks/disk_timing.h"

namespace isochron::machine {
namespace {

// What an event may move: a piece of data, and what there is to read of a request and its queue.
constexpr uint64_t kMostInAnEvent = VirtioBlk::kPieceBytes + 0x4000;
constexpr uint64_t kDiskBytes = uint64_t{1} << 20;

struct DiskOf {
  explicit DiskOf(bool read_only) : disk(std::make_shared<ZeroContents>(kDiskBytes), read_only) {}
  Disk disk;
};
struct BlkRig : DiskOf, VirtioRig<VirtioBlk> {
  explicit BlkRig(bool read_only)
      : DiskOf(read_only), VirtioRig(disk, kSolidStateDisk, "fuzzed"), read_only(read_only) {}
  std::unique_ptr<BlkRig> Another() const {
    auto other = std::make_unique<BlkRig>(read_only);
    other->disk.SetWritten(disk.written());
    return other;
  }
  void Happen(uint8_t) {}
  void CheckSent() {}
  static constexpr int kQueues = 1;
  static constexpr const char* kIsr = "virtio_blk.isr";
  const bool read_only;
};
struct RngRig : VirtioRig<VirtioRng> {
  explicit RngRig(bool) : VirtioRig(uint64_t{7}) {}
  std::unique_ptr<RngRig> Another() const { return std::make_unique<RngRig>(false); }
  void Happen(uint8_t) {}
  void CheckSent() {}
  static constexpr int kQueues = 1;
  static constexpr const char* kIsr = "virtio_rng.isr";
};
struct SinkOf {
  FakeFrameSink sink;
};
struct NetRig : SinkOf, VirtioRig<VirtioNet> {
  explicit NetRig(bool) : VirtioRig(&sink, StationAddress{2, 0, 0, 0, 0, 1}) {}
  std::unique_ptr<NetRig> Another() const { return std::make_unique<NetRig>(false); }
  // A frame arrives.
  void Happen(uint8_t how) {
    device.ReceiveFrame(TestFrame(kMinFrame + 6 * size_t{how} % 1501, 'f'));
  }
  void CheckSent() { CheckFrames(sink); }
  static constexpr int kQueues = 2;
  static constexpr const char* kIsr = "virtio_net.isr";
};

template <typename Rig>
class Driver {
 public:
  Driver(FuzzInput& input, uint8_t how)
      : input_(input), rig_(std::make_unique<Rig>((how & 8) != 0)) {
    // As drivers do, so that what comes then is worth something.
    if ((how & 1) != 0) {
      rig_->StartLegacy(static_cast<uint32_t>(kFeatures), Rig::kQueues);
    } else {
      rig_->Start(kFeatures | ((how & 2) != 0 ? VirtioFeature::kAccessPlatform : 0), Rig::kQueues,
                  8);
    }
  }

  void Run() {
    while (!input_.empty()) Command();
    Wait(uint64_t{1} << 32);
    SaveAndRestore();
    CheckReset(*rig_);
  }

 private:
  static constexpr uint64_t kFeatures = VirtioFeature::kIndirect | VirtioFeature::kEventIndex |
                                        VirtioBlkFeature::kFlush | VirtioBlkFeature::kDiscard;

  void Command() {
    const uint8_t command = input_.Byte();
    const int size = 1 << (command >> 6);
    switch (command & 0xf) {
      case 0: {
        const auto at = static_cast<uint32_t>(input_.Number(2) & 0x3fff & ~uint64_t(size - 1));
        rig_->Write(at, size, input_.Number(size));
        break;
      }
      case 1: {
        const auto at = static_cast<uint32_t>(input_.Number(1) & 0x7f & ~uint64_t(size - 1));
        rig_->Out(at, size, input_.Number(size));
        break;
      }
      case 2: {
        const auto at = static_cast<uint32_t>(input_.Number(2) & 0x3fff & ~uint64_t(size - 1));
        rig_->Read(at, size);
        rig_->In(at & 0x7f, size);
        break;
      }
      case 3: {
        const auto at = static_cast<int>(input_.Byte() & ~(size - 1));
        rig_->Config(at, size);
        rig_->Config(at, size, input_.Number(size));
        break;
      }
      case 4:
        rig_->memory.Put(rig_->QueueAt(queue_) + (input_.Number(2) & 0x3fff), input_.Byte());
        break;
      case 5: rig_->memory.Put(rig_->kBuffers + input_.Byte(), input_.Number(8)); break;
      case 6: Describe(); break;
      case 7: rig_->Offer(queue_, input_.Byte()); break;
      case 8: rig_->Kick(queue_); break;
      case 9: Wait(input_.Number(4)); break;
      case 10: SaveAndRestore(); break;
      case 11: rig_->device.Reset(); break;
      case 12: rig_->Happen(input_.Byte()); break;
      case 13: queue_ = input_.Byte() % Rig::kQueues; break;
      default: Ask(); break;
    }
  }

  // An address that is likely to lead somewhere.
  uint64_t Address() {
    const uint64_t number = input_.Number(2);
    if (number == 0xffff) return input_.Number(8);
    return rig_->kBuffers + (number << 4) % 0x80000 + rig_->Bias();
  }
  VirtioDescriptor Descriptor() {
    VirtioDescriptor descriptor;
    descriptor.address = Address();
    descriptor.size = static_cast<uint32_t>(input_.Number(3));
    descriptor.flags = input_.Byte() & 7;
    descriptor.next = input_.Byte() & 0xf;
    return descriptor;
  }
  void Describe() {
    const uint8_t index = input_.Byte();
    const VirtioDescriptor descriptor = Descriptor();
    if ((index & 0x80) != 0) {
      rig_->memory.Put(rig_->kBuffers + 16u * (index & 0x7f), descriptor);
    } else {
      rig_->Describe(queue_, index, descriptor);
    }
  }
  // A request that is in order, as far as the input is.
  void Ask() {
    struct Header {
      uint32_t type, reserved;
      uint64_t sector;
    };
    const uint32_t type = input_.Byte();
    rig_->memory.Put(rig_->kBuffers, Header{type, 0, input_.Number(2)});
    const auto sectors = static_cast<uint32_t>(input_.Number(2) & 0x3ff);
    const uint16_t flags = type == 1 ? 0 : VirtioDescriptor::kWrite;
    rig_->Add(queue_, {{rig_->kBuffers, 16, 0, 0},
                       {rig_->kBuffers + 0x1000, sectors * 512, flags, 0},
                       {rig_->kBuffers + 0x20, 1, VirtioDescriptor::kWrite, 0}});
  }

  void Wait(uint64_t cycles) {
    LetPass(*rig_, cycles, kMostInAnEvent);
    CheckLine(*rig_, StateNumber(rig_->device, Rig::kIsr) != 0);
    rig_->CheckSent();
  }

  void SaveAndRestore() {
    Wait(0);
    GoOnRestored(rig_, rig_->Another());
  }

  FuzzInput& input_;
  int queue_ = 0;  // that commands are about
  std::unique_ptr<Rig> rig_;
};

}  // namespace
}  // namespace isochron::machine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace isochron::machine;  // NOLINT: the program
  FuzzInput input(data, size);
  const uint8_t how = input.Byte();
  if ((how & 16) != 0) {
    Driver<NetRig>(input, how).Run();
  } else if ((how & 4) != 0) {
    Driver<RngRig>(input, how).Run();
  } else {
    Driver<BlkRig>(input, how).Run();
  }
  return 0;
}
