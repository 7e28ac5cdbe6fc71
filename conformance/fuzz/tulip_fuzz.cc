// Drives a 21143 as a driver would that has lost its mind: registers, descriptors in memory, frames
// that arrive, time, and states that are saved and restored on the way. Whatever it does, no event
// moves more than a frame and its descriptors, time goes on, the line of the interrupt is what
// status and mask say, what is sent are frames, a state that was saved is restored, and a reset
// ends it all.
//
// The input is commands of a byte and their operands; see Command(). Where it ends operands are
// zeros.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "conformance/fuzz/device_fuzzing.h"
#include "machine/devices/tulip/tulip_testing.h"

namespace isochron::machine {
namespace {

// What an event may move: a frame in descriptors, or two buffers of one.
constexpr uint64_t kMostInAnEvent = 2 * 2048 + 32 * (Tulip::kMostDescriptors + 1);

class Driver {
 public:
  explicit Driver(FuzzInput& input) : input_(input) {
    for (int i = 0; i < 4; ++i) rig_->AddBuffer();
    rig_->Start();
  }

  void Run() {
    while (!input_.empty()) Command();
    Wait(uint64_t{1} << 32);
    SaveAndRestore();
    CheckReset(*rig_);
  }

 private:
  void Command() {
    const uint8_t command = input_.Byte();
    const int size = 1 << (command >> 6);
    switch (command & 0xf) {
      case 0: {
        const uint32_t at = input_.Byte() & 0x7f & ~uint32_t(size - 1);
        rig_->bus.io().Write({TulipRig::kIoBase + at, std::min(size, 4)}, Longword(size));
        break;
      }
      case 1: {
        const uint32_t at = Longword(2) & 0x3ff & ~uint32_t(size - 1);
        rig_->bus.memory().Read({TulipRig::kMemoryBase + at, size});
        break;
      }
      case 2: rig_->Out(input_.Byte() & 0xf, Longword()); break;
      case 3: rig_->In(input_.Byte() & 0xf); break;
      case 4: rig_->Config(input_.Byte() & ~(size - 1), size, Longword(size)); break;
      case 5: rig_->memory.Put(TulipRig::kSendRing + (Longword(2) & 0x3fff), input_.Byte()); break;
      case 6:
      case 7: Describe((command & 1) != 0 ? TulipRig::kSendRing : TulipRig::kReceiveRing); break;
      case 8: rig_->device.ReceiveFrame(TestFrame(kMinFrame + Longword(2) % 1501, 'f')); break;
      case 9: Wait(Longword(3)); break;
      case 10: SaveAndRestore(); break;
      case 11: rig_->device.Reset(); break;
      case 12: rig_->Start(Longword()); break;
      default:
        rig_->Out(input_.Byte() & 1 ? TulipCsr::kTransmitPoll : TulipCsr::kReceivePoll, 1);
        break;
    }
  }

  // Wherever the function is now on the bus.
  uint32_t Shown(int csr) {
    return static_cast<uint32_t>(rig_->device.ReadBar(0, {8u * static_cast<uint32_t>(csr), 4}));
  }
  uint32_t Longword(int bytes = 4) { return static_cast<uint32_t>(input_.Number(bytes)); }
  // An address that is likely to lead somewhere.
  uint32_t Address() {
    const uint32_t number = Longword(2);
    return number == 0xffff ? Longword() : TulipRig::Bus((number << 4) % 0x100000);
  }
  void Describe(uint32_t ring) {
    const uint32_t at = ring + 16u * (input_.Byte() & 0x1f);
    const uint32_t control = Longword();
    const uint32_t first = Address();
    rig_->Describe(at, TulipDescriptor::kOwn, control, first, Address());
  }

  void Wait(uint64_t cycles) {
    LetPass(*rig_, cycles, kMostInAnEvent);
    // A summary is shown where a cause is that may interrupt, and interrupts if it may itself.
    const uint32_t summaries = TulipStatus::kNormal | TulipStatus::kAbnormal;
    const uint32_t status = Shown(TulipCsr::kStatus);
    const uint32_t wanted = status & Shown(TulipCsr::kInterrupts);
    if (((status & summaries) != 0) != ((wanted & TulipStatus::kCauses) != 0)) std::abort();
    CheckLine(*rig_, (wanted & summaries) != 0);
    CheckFrames(rig_->sink);
  }

  void SaveAndRestore() {
    Wait(0);
    GoOnRestored(rig_, std::make_unique<TulipRig>());
  }

  FuzzInput& input_;
  std::unique_ptr<TulipRig> rig_ = std::make_unique<TulipRig>();
};

}  // namespace
}  // namespace isochron::machine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace isochron::machine;  // NOLINT: the program
  FuzzInput input(data, size);
  Driver(input).Run();
  return 0;
}
