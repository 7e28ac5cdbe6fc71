// A network device as a virtio device.

#ifndef ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_NET_H_
#define ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_NET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "alpha/state_visitor.h"
#include "machine/bus/event_queue.h"
#include "machine/bus/frame_sink.h"
#include "machine/bus/input_line.h"
#include "machine/devices/network/ethernet.h"
#include "machine/devices/virtio/virt_queue.h"
#include "machine/devices/virtio/virtio_pci.h"

namespace isochron::machine {

// Features of network devices (Virtual I/O Device 1.2, 5.1.3), as bits of a mask.
struct VirtioNetFeature {
  static constexpr uint64_t kMac = uint64_t{1} << 5, kStatus = uint64_t{1} << 16;
};

// A network device (5.1) with one pair of queues and a link that is always up. No offloads, and no
// filter: it receives all that is on the wire.
//
// Either direction has the wire to itself, for one frame after the other. A frame that arrives is
// lost when the driver is not ready or has no buffer for it, or one that is too small, which it
// gets back empty. A frame to be sent has left when its time on the wire is over; then it is read,
// the sink is told, and the driver gets it back. One that is no frame (shorter than kMinFrame,
// longer than kMaxFrame) goes nowhere and is given back likewise.
class VirtioNet final : public VirtioPci, public InputLine {
 public:
  static constexpr int kReceiveQueue = 0, kSendQueue = 1;

  // `sink` may be nullptr; it and `events` must outlive the device.
  VirtioNet(EventQueue& events, FrameSink* sink, const StationAddress& mac,
            const EthernetTiming& timing = kGigabitEthernet, int interrupt_pin = 1);

  // Only frames come in here.
  void Receive(std::string_view /*bytes*/) override {}
  size_t waiting() const override { return 0; }
  void ReceiveFrame(std::string_view frame) override;

  void OnEvent(int kind) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

 private:
  // Event kinds: to look for the next frame to be sent; the one that is sent has left; one has
  // arrived.
  static constexpr int kFetch = 0, kSent = 1, kArrived = 2;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  void ResetDevice() override;
  void OnNotify(int queue) override;
  void OnStop(int queue) override;

  // Bytes of what stands before each frame in a buffer.
  size_t HeaderBytes() const;
  uint64_t FrameBytes() const;
  void Fetch();
  void Send();
  void ScheduleArrival();
  // Whether the driver has got it.
  bool Deliver(std::string_view frame);

  EventPort events_;
  FrameSink* const sink_;
  const EthernetTiming timing_;
  bool sending_ = false;
  VirtChain chain_;  // while it is sending
  ArrivingFrames arriving_;
  // Counts since power-on.
  uint64_t sent_ = 0;
  uint64_t send_drops_ = 0;
  uint64_t received_ = 0;
  uint64_t receive_drops_ = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_NET_H_
