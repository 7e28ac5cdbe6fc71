// A network device in a whole machine: frames as events, as inputs, and in saved states.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "alpha/engine.h"
#include "alpha/state_visitor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/devices/network/network_testing.h"
#include "machine/devices/virtio/virt_queue.h"
#include "machine/devices/virtio/virtio_testing.h"
#include "machine/firmware/elf_test_image.h"
#include "machine/machine.h"

namespace isochron::machine {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kSlot3 = 0x801'fe00'0000 + (3 << 11), kPctl = 0x801'8000'0300;
constexpr uint64_t kPorts = 0x801'fc00'0000, kBar = 0x9000;
constexpr uint64_t kReceiveQueue = 0xa0'0000, kSendQueue = 0xa1'0000, kBuffers = 0xa2'0000;
constexpr uint16_t kQueueSize = 128;
constexpr size_t kHeader = 10;
constexpr uint64_t kInputInterval = 100'000;

std::string Sent() { return TestFrame(300, 's'); }

// The driver: its first step sends a frame and offers a buffer to receive into. Then it waits.
class Driver final : public alpha::Engine {
 public:
  Driver(alpha::Memory& memory, alpha::IoBus& io) : memory_(memory), io_(io) {}

  alpha::RunResult Run(alpha::Cpu& cpu, alpha::Deadline& deadline) override {
    if (cpu.r[1] == 0) Start(cpu);
    cpu.r[1] = 1;
    cpu.cycle = std::max(cpu.cycle + 1, deadline.cycle);
    return {};
  }
  void Invalidate() override {}
  alpha::EngineStats stats() const override { return {}; }

 private:
  void Start(alpha::Cpu& cpu) {
    io_.Write(cpu, kPctl, 8, 0xc1);  // the monster window is on
    io_.Write(cpu, kSlot3 + PciRegister::kBar0, 4, kBar);
    io_.Write(cpu, kSlot3 + PciRegister::kCommand, 2, PciCommand::kIo | PciCommand::kMaster);
    const auto out = [&](uint64_t at, int size, uint64_t value) {
      io_.Write(cpu, kPorts + kBar + at, size, value);
    };
    out(0x12, 1, VirtioStatus::kAcknowledge | VirtioStatus::kDriver);
    for (const uint64_t queue : {0, 1}) {
      out(0x0e, 2, queue);
      out(0x08, 4, (queue == 0 ? kReceiveQueue : kSendQueue) >> 12);
    }
    out(0x12, 1, VirtioStatus::kDriverOk);
    Offer(kReceiveQueue, {kBuffers, 1526, VirtioDescriptor::kWrite, 0});
    const std::string bytes = std::string(kHeader, '\0') + Sent();
    memory_.Write(kBuffers + 0x1000, bytes.data(), bytes.size());
    Offer(kSendQueue, {kBuffers + 0x1000, static_cast<uint32_t>(bytes.size()), 0, 0});
    out(0x10, 2, 1);
  }
  void Offer(uint64_t queue, const VirtioDescriptor& descriptor) {
    const VirtQueuePlace place = VirtQueuePlace::Legacy(queue, kQueueSize);
    const uint16_t ring[] = {0, 1, 0};  // flags, index, the first entry
    memory_.Write(place.descriptors, &descriptor, sizeof descriptor);
    memory_.Write(place.driver, ring, sizeof ring);
  }

  alpha::Memory& memory_;
  alpha::IoBus& io_;
};

class Notes final : public Observer {
 public:
  void On(const Event& event) override {
    if (const auto* sent = std::get_if<FrameEvent>(&event.body)) {
      frames.push_back(*sent);
      cycles.push_back(event.cycle);
    }
    inputs += std::holds_alternative<InputEvent>(event.body) ? 1 : 0;
  }
  absl::Status status() const override { return absl::OkStatus(); }
  std::vector<FrameEvent> frames;
  std::vector<uint64_t> cycles;
  int inputs = 0;
};

class Peer final : public InputSource {
 public:
  void Poll(const InputPoint& point, std::vector<Input>& inputs) override {
    if (point.cycle == kInputInterval) inputs.push_back(Input::Frame(TestFrame(1514, 'r')));
  }
};

std::unique_ptr<Machine> MakeMachine(std::optional<NetworkConfig> network) {
  BootImages images;
  images.kernel = KernelOfNothing();
  MachineConfig config;
  config.memory_bytes = MachineConfig::kMinMemory;
  config.input_interval = kInputInterval;
  config.network = network;
  return *Machine::Create(config, std::move(images), [](alpha::Memory& memory, alpha::IoBus& io) {
    return std::make_unique<Driver>(memory, io);
  });
}

struct Rig {
  explicit Rig(std::optional<NetworkConfig> network = NetworkConfig())
      : machine(MakeMachine(network)) {
    machine->SetObserver(&notes);
    machine->SetFrameSink(&sink);
    machine->SetInputSource(&peer);
  }
  void RunTo(uint64_t cycle) {
    EXPECT_FALSE(machine->RunUntil(StopCondition::AtCycle(cycle)).has_value());
  }
  std::string Ram(uint64_t at, size_t size) const {
    return {reinterpret_cast<const char*>(machine->memory().host(at)), size};
  }
  Notes notes;
  FakeFrameSink sink;
  Peer peer;
  std::unique_ptr<Machine> machine;
};

TEST(MachineNetwork, WhatTheGuestSendsIsAnEvent) {
  Rig rig;
  rig.RunTo(kInputInterval / 2);
  EXPECT_THAT(rig.notes.frames, ElementsAre(FrameEvent::Of(Sent(), kMaxFrame)));
  EXPECT_EQ(rig.notes.frames[0].bytes, Sent());
  EXPECT_THAT(rig.sink.frames, ElementsAre(Sent()));
  EXPECT_EQ(rig.sink.cycles, rig.notes.cycles);
}

TEST(MachineNetwork, FramesAboveAMeasureAreToldByTheirDigest) {
  for (const uint32_t whole : {299u, 300u}) {
    NetworkConfig network;
    network.whole_frames = whole;
    Rig rig(network);
    rig.RunTo(kInputInterval / 2);
    ASSERT_EQ(rig.notes.frames.size(), 1u);
    EXPECT_EQ(rig.notes.frames[0].bytes, whole == 300 ? Sent() : "");
    EXPECT_EQ(rig.notes.frames[0].size(), 300u);
    EXPECT_EQ(rig.notes.frames[0].digest, whole == 300 ? Digest() : DigestOf(Sent()));
    EXPECT_THAT(rig.sink.frames, ElementsAre(Sent())) << "the peer gets all of it";
  }
}

TEST(MachineNetwork, AFrameIsAnInputOfAnInputPoint) {
  Rig rig;
  rig.RunTo(kInputInterval);
  EXPECT_EQ(rig.notes.inputs, 1);
  rig.RunTo(2 * kInputInterval);
  EXPECT_EQ(rig.Ram(kBuffers + kHeader, 1514), TestFrame(1514, 'r'));
}

TEST(MachineNetwork, WithoutADeviceAFrameIsAnInputThatNobodyTakes) {
  Rig rig{std::nullopt};
  rig.RunTo(2 * kInputInterval);
  EXPECT_EQ(rig.notes.inputs, 1);
  EXPECT_TRUE(rig.notes.frames.empty());
}

TEST(MachineNetwork, ASavedStateHasWhatIsOnTheWires) {
  Rig rig;
  for (const uint64_t cycle : {uint64_t{200}, kInputInterval + 10}) {
    rig.RunTo(cycle);
    Rig other;
    ASSERT_TRUE(alpha::RestoreFromBytes(alpha::StateBytes(*rig.machine), *other.machine).ok());
    other.RunTo(2 * kInputInterval);
    Rig whole;
    whole.RunTo(2 * kInputInterval);
    EXPECT_EQ(other.machine->StateDigest(), whole.machine->StateDigest());
    EXPECT_EQ(other.Ram(kBuffers + kHeader, 1514), TestFrame(1514, 'r'));
    EXPECT_EQ(other.sink.frames.size(), cycle == 200 ? 1u : 0u);
  }
}

}  // namespace
}  // namespace isochron::machine
