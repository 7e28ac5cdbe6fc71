// A source of entropy as a virtio device.

#ifndef ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_RNG_H_
#define ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_RNG_H_

#include <cstdint>

#include "alpha/state_visitor.h"
#include "machine/bus/event_queue.h"
#include "machine/devices/virtio/virt_queue.h"
#include "machine/devices/virtio/virtio_pci.h"

namespace isochron::machine {

// An entropy device (Virtual I/O Device 1.2, 5.4) that makes of a seed what no guest can guess and
// every run repeats: a splitmix64 sequence of its own. It fills one buffer after the other, of each
// kMaxBytes at most, at kBytesPerSecond.
class VirtioRng final : public VirtioPci {
 public:
  static constexpr uint32_t kMaxBytes = 256;
  static constexpr uint64_t kBytesPerSecond = 1'000'000;

  // The sequence starts anew at power-on and every reset of the machine.
  VirtioRng(EventQueue& events, uint64_t seed, int interrupt_pin = 1);

  void OnEvent(int kind) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

 private:
  // Event kinds: to look for the next buffer; the one that is filled is full.
  static constexpr int kFetch = 0, kFull = 1;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  void ResetDevice() override;
  void OnNotify(int queue) override;
  void OnStop(int queue) override;

  uint32_t Bytes() const;
  void Fetch();
  void Fill();

  EventPort events_;
  const uint64_t seed_;
  uint64_t sequence_ = 0;
  bool busy_ = false;
  VirtChain chain_;  // while it is busy
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_RNG_H_
