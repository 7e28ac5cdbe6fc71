// The least device that has everything: what docs/architecture.md shows, and tests put on a board.

#ifndef ISOCHRON_MACHINE_DEVICES_COPIER_TESTING_H_
#define ISOCHRON_MACHINE_DEVICES_COPIER_TESTING_H_

#include <algorithm>
#include <cstdint>
#include <string>

#include "alpha/state_visitor.h"
#include "machine/bus/event_queue.h"
#include "machine/bus/pci_function.h"

namespace isochron::machine {

// Copies memory: up to 4 KiB from one address of the bus to another, some time after it was told
// to, and then interrupts.
class Copier final : public PciFunction {
 public:
  // Registers behind BAR 0. A write to kGo starts; kStatus is cleared by any write.
  static constexpr uint64_t kSource = 0x00, kTarget = 0x08, kSize = 0x10, kGo = 0x18,
                            kStatus = 0x20;
  static constexpr uint64_t kIdle = 0, kBusy = 1, kDone = 2, kFailed = 3;
  static constexpr uint32_t kBarSize = 0x100;
  static constexpr uint64_t kMaxBytes = 4096;
  static constexpr uint64_t kCycles = 300'000;

  explicit Copier(EventQueue& events)
      : PciFunction({.vendor = 0x1234, .device = 0xc0b1, .class_code = 0x088000}),
        events_(events, *this) {
    AddMemoryBar(0, kBarSize);
    SetInterruptPin(1);
  }

  void Reset() override {
    source_ = target_ = size_ = 0;
    status_ = kIdle;
    events_.Cancel(kFinish);
  }
  uint64_t ReadBar(int, const Access& access) override {
    return access.offset == kStatus ? status_ : 0;
  }
  void WriteBar(int, const Access& access, uint64_t value) override {
    switch (access.offset) {
      case kSource: source_ = value; break;
      case kTarget: target_ = value; break;
      case kSize: size_ = std::min(value, kMaxBytes); break;
      case kGo:
        status_ = kBusy;
        events_.Schedule(kFinish, events_.now() + kCycles);
        break;
      case kStatus:
        status_ = kIdle;
        SetInterrupt(false);
        break;
    }
  }
  void OnEvent(int) override {
    std::string bytes(size_, '\0');
    const bool copied = ReadMemory(source_, bytes.data(), size_) == DmaResult::kOk &&
                        WriteMemory(target_, bytes.data(), size_) == DmaResult::kOk;
    status_ = copied ? kDone : kFailed;
    SetInterrupt(true);
  }

  void VisitState(alpha::StateVisitor& visitor) const override { Walk(visitor, *this); }
  void RestoreState(alpha::StateReader& reader) override {
    Walk(reader, *this);
    if (size_ > kMaxBytes) reader.Fail("it copies more than it can");
  }

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Section("copier");
    visitor.Field("source", self.source_);
    visitor.Field("target", self.target_);
    visitor.Field("size", self.size_);
    visitor.Field("status", self.status_);
  }

  static constexpr int kFinish = 0;  // event kind

  EventPort events_;
  uint64_t source_ = 0;
  uint64_t target_ = 0;
  uint64_t size_ = 0;
  uint64_t status_ = kIdle;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_COPIER_TESTING_H_
