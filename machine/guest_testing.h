// A guest for tests that go far in a run: it costs the host next to nothing.

#ifndef ISOCHRON_MACHINE_GUEST_TESTING_H_
#define ISOCHRON_MACHINE_GUEST_TESTING_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alpha/engine.h"
#include "machine/devices/network/network_testing.h"
#include "machine/devices/virtio/virt_queue.h"
#include "machine/devices/virtio/virtio_testing.h"
#include "machine/firmware/elf_test_image.h"
#include "machine/machine.h"

namespace isochron::machine {

// What the host has done for a guest.
struct GuestWork {
  uint64_t instructions = 0;
};

// An engine whose instructions take a cycle each and are of no account but for every 4096th: that
// one changes a page of memory, now and then prints a byte and, where there is a network, sends a
// frame and takes one. Of several CPUs all do so. What it does follows from the state of CPU and
// memory alone, and it counts what it runs.
class GuestEngine final : public alpha::Engine {
 public:
  static constexpr uint64_t kEvery = 4096;
  static constexpr uint64_t kPages = 64;  // that change, one after the other

  GuestEngine(alpha::Memory& memory, alpha::IoBus& io, GuestWork& work, bool network)
      : memory_(memory), io_(io), work_(work), network_(network) {}

  alpha::RunResult Run(alpha::Cpu& cpu, alpha::Deadline& deadline) override {
    if (cpu.r[9] != 0) return {alpha::StopReason::kFatal, "it was told to"};
    while (cpu.cycle < deadline.cycle && !deadline.leave.load()) {
      const uint64_t quiet = std::min(deadline.cycle - cpu.cycle, kEvery - cpu.r[1] % kEvery);
      cpu.r[1] += quiet;
      cpu.cycle += quiet;
      cpu.instructions += quiet;
      work_.instructions += quiet;
      if (cpu.r[1] % kEvery == 0) Act(cpu, cpu.r[1] / kEvery);
    }
    return {};
  }
  void Invalidate() override {}
  alpha::EngineStats stats() const override { return {}; }

 private:
  static constexpr uint64_t kData = 0x80'0000, kPorts = 0x801'fc00'0000, kBar = 0x9000;
  static constexpr uint64_t kSlot3 = 0x801'fe00'0000 + (3 << 11), kPctl = 0x801'8000'0300;
  static constexpr uint64_t kReceiveQueue = 0xa0'0000, kSendQueue = 0xa1'0000;
  static constexpr uint64_t kReceived = 0xa2'0000, kSent = 0xa2'1000;
  static constexpr uint16_t kQueueSize = 128;
  static constexpr size_t kHeader = 10;

  void Act(alpha::Cpu& cpu, uint64_t number) {
    cpu.cycle += 700 * cpu.index;  // so that several CPUs do not come to the same cycles
    cpu.r[2] = (cpu.r[2] ^ number) * 0x9e37'79b9'7f4a'7c15;
    memory_.Write(kData + number % kPages * alpha::kPageSize, &cpu.r[2], sizeof cpu.r[2]);
    if (number % 16 == 0) io_.Write(cpu, kPorts + 0x3f8, 1, 'a' + number / 16 % 26);
    if (!network_) return;
    if (number == 1) Start(cpu);
    if (number % 8 == 1) Send(cpu, number);
    Receive(cpu);
  }
  void Start(alpha::Cpu& cpu) {
    io_.Write(cpu, kPctl, 8, 0xc1);  // the monster window is on
    io_.Write(cpu, kSlot3 + PciRegister::kBar0, 4, kBar);
    io_.Write(cpu, kSlot3 + PciRegister::kCommand, 2, PciCommand::kIo | PciCommand::kMaster);
    Out(cpu, 0x12, 1, VirtioStatus::kAcknowledge | VirtioStatus::kDriver);
    for (const uint64_t queue : {0, 1}) {
      Out(cpu, 0x0e, 2, queue);
      Out(cpu, 0x08, 4, (queue == 0 ? kReceiveQueue : kSendQueue) >> 12);
    }
    Out(cpu, 0x12, 1, VirtioStatus::kDriverOk);
  }
  void Out(alpha::Cpu& cpu, uint64_t at, int size, uint64_t value) {
    io_.Write(cpu, kPorts + kBar + at, size, value);
  }
  void Send(alpha::Cpu& cpu, uint64_t number) {
    const size_t size = 60 + number % 1000;
    const std::string bytes =
        std::string(kHeader, '\0') + TestFrame(size, static_cast<char>('A' + number / 8 % 26));
    memory_.Write(kSent, bytes.data(), bytes.size());
    Offer(kSendQueue, {kSent, static_cast<uint32_t>(bytes.size()), 0, 0});
    Out(cpu, 0x10, 2, 1);
  }
  // Takes the frame that has come, if one has, and offers the buffer again.
  void Receive(alpha::Cpu& cpu) {
    const auto place = VirtQueuePlace::Legacy(kReceiveQueue, kQueueSize);
    const auto offered = memory_.Load<uint16_t>(place.driver + 2);
    if (memory_.Load<uint16_t>(place.device + 2) != offered) return;
    if (offered != 0) cpu.r[3] = cpu.r[3] * 31 + memory_.Load<uint64_t>(kReceived + kHeader);
    Offer(kReceiveQueue, {kReceived, 1526, VirtioDescriptor::kWrite, 0});
  }
  void Offer(uint64_t queue, const VirtioDescriptor& descriptor) {
    const auto place = VirtQueuePlace::Legacy(queue, kQueueSize);
    const auto next = static_cast<uint16_t>(memory_.Load<uint16_t>(place.driver + 2) + 1);
    memory_.Write(place.descriptors, &descriptor, sizeof descriptor);
    memory_.Write(place.driver + 2, &next, sizeof next);
  }

  alpha::Memory& memory_;
  alpha::IoBus& io_;
  GuestWork& work_;
  const bool network_;
};

// A machine of that guest at power-on; `work` must outlive it.
inline std::unique_ptr<Machine> MakeGuest(GuestWork& work, MachineConfig config = {}) {
  BootImages images;
  images.kernel = KernelOfNothing();
  config.memory_bytes = MachineConfig::kMinMemory;
  const bool network = config.network.has_value();
  return *Machine::Create(config, std::move(images),
                          [&work, network](alpha::Memory& memory, alpha::IoBus& io) {
                            return std::make_unique<GuestEngine>(memory, io, work, network);
                          });
}

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_GUEST_TESTING_H_
