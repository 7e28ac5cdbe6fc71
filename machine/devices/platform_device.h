// What firmware has on this board instead of a power supply and a service processor.

#ifndef ISOCHRON_MACHINE_DEVICES_PLATFORM_DEVICE_H_
#define ISOCHRON_MACHINE_DEVICES_PLATFORM_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "alpha/state_visitor.h"
#include "machine/bus/device.h"
#include "machine/bus/event_queue.h"

namespace isochron::machine {

// What a guest asked of the power register. The values are those it writes.
enum class PowerRequest : uint8_t {
  kNone = 0,
  kOff = 1,
  kReset = 2,
  kFatal = 3,  // stop: PALcode cannot go on
};

// The platform device. Its registers are aligned quadwords and stand in docs/machine.md and
// machine/firmware/firmware_layout.h; an access of another size gives zero and does nothing.
class PlatformDevice final : public RegisterDevice {
 public:
  // `cpu_count`: 1 to 4. `seed`: where the entropy register's sequence starts, at power-on and
  // every reset.
  PlatformDevice(EventQueue& events, int cpu_count, uint64_t seed)
      : events_(events, *this), seed_(seed), waits_(static_cast<size_t>(cpu_count)) {}

  void Reset() override;
  uint64_t Read(const Access& access) override;
  void Write(const Access& access, uint64_t value) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

  // The last request, until it is cleared. A request makes an event due at once, so that the
  // engine stops behind the store.
  PowerRequest power_request() const { return power_request_; }
  // Whose it was.
  uint32_t power_cpu() const { return power_cpu_; }
  void ClearPowerRequest() { power_request_ = PowerRequest::kNone; }

  // Whether this CPU asked to stand still since the last call. Makes an event due, too.
  bool ConsumeWait(int cpu) { return std::exchange(waits_[cpu], false) != 0; }
  // Whether a CPU that asked to stand still for so long, and no longer, has done so.
  bool ConsumeWake(int cpu) {
    return (std::exchange(wakes_, wakes_ & ~(1u << cpu)) >> cpu & 1) != 0;
  }
  void OnEvent(int kind) override;

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  // Event kinds: the engine is to stop, which is all. Those of their numbers are the ends of the
  // naps of CPUs 1 to 3.
  static constexpr int kAttention = 0;

  EventPort events_;
  const uint64_t seed_;
  uint64_t entropy_ = 0;
  PowerRequest power_request_ = PowerRequest::kNone;
  uint32_t power_cpu_ = 0;
  std::vector<uint8_t> waits_;  // by CPU, 0 or 1
  uint32_t wakes_ = 0;          // a bit a CPU: never set where the sequencer looks
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_PLATFORM_DEVICE_H_
