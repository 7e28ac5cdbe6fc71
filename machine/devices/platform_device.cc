#include "machine/devices/platform_device.h"

#include <algorithm>

#include "machine/devices/split_mix.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kMaxNap = uint64_t{1} << 32;  // cycles

}  // namespace

void PlatformDevice::Reset() {
  entropy_ = seed_;
  power_request_ = PowerRequest::kNone;
  std::fill(waits_.begin(), waits_.end(), false);
  power_cpu_ = 0;
  wakes_ = 0;
  for (int kind = kAttention; kind < EventQueue::kKinds; ++kind) events_.Cancel(kind);
}

uint64_t PlatformDevice::Read(const Access& access) {
  if (access.offset != FW_PLATFORM_ENTROPY || access.size != 8) return 0;
  return NextSplitMix(entropy_);
}

void PlatformDevice::Write(const Access& access, uint64_t value) {
  if (access.size != 8) return;
  if (access.offset == FW_PLATFORM_POWER) {
    if (value < 1 || value > 3 || power_request_ == PowerRequest::kFatal) return;
    power_request_ = static_cast<PowerRequest>(value);
    power_cpu_ = static_cast<uint32_t>(access.cpu);
  } else if (access.offset == FW_PLATFORM_WAIT) {
    waits_[access.cpu] = true;
    if (access.cpu > 0) events_.Cancel(access.cpu);  // the end of a nap that an interrupt ended
  } else if (access.offset == FW_PLATFORM_NAP && access.cpu > 0) {
    waits_[access.cpu] = true;
    events_.Schedule(access.cpu, events_.now() + std::min(value, kMaxNap));
  } else {
    return;
  }
  events_.Schedule(kAttention, events_.now());
  events_.StopEngine();
}

void PlatformDevice::OnEvent(int kind) {
  if (kind != kAttention) wakes_ |= 1u << kind;
}

template <typename Visitor, typename Self>
void PlatformDevice::Walk(Visitor& visitor, Self& self) {
  visitor.Section("platform");
  visitor.Field("entropy", self.entropy_);
  visitor.Field("power_request", self.power_request_);
  if (self.waits_.size() > 1) visitor.Field("power_cpu", self.power_cpu_);
  constexpr const char* kNames[] = {"wait", "wait1", "wait2", "wait3"};
  for (size_t cpu = 0; cpu < self.waits_.size(); ++cpu) {
    visitor.Field(kNames[cpu], self.waits_[cpu]);
  }
}

void PlatformDevice::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void PlatformDevice::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  if (power_request_ > PowerRequest::kFatal) reader.Fail("unknown power request");
  if (power_cpu_ >= waits_.size()) reader.Fail("no such CPU");
}

}  // namespace isochron::machine
