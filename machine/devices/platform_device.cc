#include "machine/devices/platform_device.h"

#include <algorithm>

#include "machine/devices/split_mix.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {

void PlatformDevice::Reset() {
  entropy_ = seed_;
  power_request_ = PowerRequest::kNone;
  std::fill(waits_.begin(), waits_.end(), false);
  events_.Cancel(kAttention);
}

uint64_t PlatformDevice::Read(const Access& access) {
  if (access.offset != FW_PLATFORM_ENTROPY || access.size != 8) return 0;
  return NextSplitMix(entropy_);
}

void PlatformDevice::Write(const Access& access, uint64_t value) {
  if (access.size != 8) return;
  if (access.offset == FW_PLATFORM_POWER) {
    if (value < 1 || value > 3) return;
    power_request_ = static_cast<PowerRequest>(value);
  } else if (access.offset == FW_PLATFORM_WAIT) {
    waits_[access.cpu] = true;
  } else {
    return;
  }
  events_.Schedule(kAttention, events_.now());
}

template <typename Visitor, typename Self>
void PlatformDevice::Walk(Visitor& visitor, Self& self) {
  visitor.Section("platform");
  visitor.Field("entropy", self.entropy_);
  visitor.Field("power_request", self.power_request_);
  constexpr const char* kNames[] = {"wait", "wait1", "wait2", "wait3"};
  for (size_t cpu = 0; cpu < self.waits_.size(); ++cpu) {
    visitor.Field(kNames[cpu], self.waits_[cpu]);
  }
}

void PlatformDevice::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void PlatformDevice::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  if (power_request_ > PowerRequest::kFatal) reader.Fail("unknown power request");
}

}  // namespace isochron::machine
