// Drives a 21143 as a driver would that has lost its mind: registers, descriptors in memory, frames
// that arrive, time, and states that are saved and restored on the way. Whatever it does, no event
// moves more than a frame and its descriptors, time brings events to an end, and a state that was
// saved is restored.
//
// The input is commands of a byte and their operands; see Command(). Where it ends operands are
// zeros.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "machine/devices/tulip/tulip_testing.h"

namespace isochron::machine {
namespace {

// What an event may move: a frame in descriptors, or two buffers of one.
constexpr uint64_t kMostInAnEvent = 2 * 2048 + 32 * (Tulip::kMostDescriptors + 1);
constexpr int kMostEvents = 20'000;

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), end_(data + size) {}
  bool empty() const { return data_ == end_; }
  uint8_t Byte() { return empty() ? 0 : *data_++; }
  uint32_t Number(int bytes) {
    uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      const uint8_t byte = Byte();  // of a quadword there are four more, which count for nothing
      if (i < 4) value |= uint32_t{byte} << (8 * i);
    }
    return value;
  }

 private:
  const uint8_t* data_;
  const uint8_t* end_;
};

class Driver {
 public:
  explicit Driver(Input& input) : input_(input) {
    for (int i = 0; i < 4; ++i) rig_->AddBuffer();
    rig_->Start();
  }

  void Run() {
    while (!input_.empty()) Command();
    Wait(uint64_t{1} << 32);
    SaveAndRestore();
  }

 private:
  void Command() {
    const uint8_t command = input_.Byte();
    const int size = 1 << (command >> 6);
    switch (command & 0xf) {
      case 0: {
        const uint32_t at = input_.Byte() & 0x7f & ~uint32_t(size - 1);
        rig_->bus.io().Write({TulipRig::kIoBase + at, std::min(size, 4)}, input_.Number(size));
        break;
      }
      case 1: {
        const uint32_t at = input_.Number(2) & 0x3ff & ~uint32_t(size - 1);
        rig_->bus.memory().Read({TulipRig::kMemoryBase + at, size});
        break;
      }
      case 2: rig_->Out(input_.Byte() & 0xf, input_.Number(4)); break;
      case 3: rig_->In(input_.Byte() & 0xf); break;
      case 4: rig_->Config(input_.Byte() & ~(size - 1), size, input_.Number(size)); break;
      case 5:
        rig_->memory.Put(TulipRig::kSendRing + (input_.Number(2) & 0x3fff), input_.Byte());
        break;
      case 6:
      case 7: Describe((command & 1) != 0 ? TulipRig::kSendRing : TulipRig::kReceiveRing); break;
      case 8: rig_->device.ReceiveFrame(TestFrame(kMinFrame + input_.Number(2) % 1501, 'f')); break;
      case 9: Wait(input_.Number(3)); break;
      case 10: SaveAndRestore(); break;
      case 11: rig_->device.Reset(); break;
      case 12: rig_->Start(input_.Number(4)); break;
      default:
        rig_->Out(input_.Byte() & 1 ? TulipCsr::kTransmitPoll : TulipCsr::kReceivePoll, 1);
        break;
    }
  }

  // An address that is likely to lead somewhere.
  uint32_t Address() {
    const uint32_t number = input_.Number(2);
    return number == 0xffff ? input_.Number(4) : TulipRig::Bus((number << 4) % 0x100000);
  }
  void Describe(uint32_t ring) {
    const uint32_t at = ring + 16u * (input_.Byte() & 0x1f);
    const uint32_t control = input_.Number(4);
    const uint32_t first = Address();
    rig_->Describe(at, TulipDescriptor::kOwn, control, first, Address());
  }

  void Wait(uint64_t cycles) {
    EventQueue& events = rig_->bench.events();
    const uint64_t end = events.now() + cycles;
    for (int count = 0; events.next() <= end; ++count) {
      if (count == kMostEvents) return;
      rig_->memory.transferred = 0;
      events.SetNow(std::max(events.now(), events.next()));
      events.HandleNext();
      if (rig_->memory.transferred > kMostInAnEvent) std::abort();
    }
    events.SetNow(end);
  }

  void SaveAndRestore() {
    Wait(0);
    if (rig_->bench.events().next() < rig_->bench.events().now()) return;
    auto other = std::make_unique<TulipRig>();
    if (!rig_->CopyTo(*other).ok() || other->Save() != rig_->Save()) std::abort();
    rig_ = std::move(other);
  }

  Input& input_;
  std::unique_ptr<TulipRig> rig_ = std::make_unique<TulipRig>();
};

}  // namespace
}  // namespace isochron::machine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace isochron::machine;  // NOLINT: the program
  Input input(data, size);
  Driver(input).Run();
  return 0;
}
