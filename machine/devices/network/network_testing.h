// What tests of network devices need.

#ifndef ISOCHRON_MACHINE_DEVICES_NETWORK_NETWORK_TESTING_H_
#define ISOCHRON_MACHINE_DEVICES_NETWORK_NETWORK_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alpha/state_list.h"
#include "alpha/state_visitor.h"
#include "machine/bus/frame_sink.h"

namespace isochron::machine {

// Keeps what has been sent.
class FakeFrameSink final : public FrameSink {
 public:
  void OnFrame(uint64_t cycle, std::string_view frame) override {
    frames.emplace_back(frame);
    cycles.push_back(cycle);
  }
  std::vector<std::string> frames;
  std::vector<uint64_t> cycles;
};

// A frame that says by each of its bytes where that is, and by `kind` which one it is.
inline std::string TestFrame(size_t size, char kind) {
  std::string frame(size, kind);
  for (size_t i = 1; i < size; i += 2) frame[i] = static_cast<char>(i);
  return frame;
}

// The number that the state of a device has under `path`; all ones when there is no such.
template <typename Device>
uint64_t StateNumber(const Device& device, const std::string& path) {
  alpha::StateLister lister(path);
  device.VisitState(lister);
  return lister.fields().size() == 1 ? lister.fields()[0].value : ~uint64_t{0};
}

// The state of a device as bytes, with another number under `path`.
template <typename Device>
std::string WithNumber(const Device& device, std::string_view path, uint64_t value) {
  class Writer final : public alpha::StateVisitor {
   public:
    Writer(std::string_view changed, uint64_t value) : changed_(changed), value_(value) {}
    std::string bytes;

   protected:
    void OnSection(std::string_view mark) override {
      const auto size = static_cast<uint32_t>(mark.size());
      bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
      bytes.append(mark);
    }
    void OnNumber(uint64_t number, size_t size) override {
      if (path() == changed_) number = value_;
      bytes.append(reinterpret_cast<const char*>(&number), size);
    }
    void OnBytes(std::string_view more) override { bytes.append(more); }

   private:
    const std::string_view changed_;
    const uint64_t value_;
  };
  Writer writer(path, value);
  writer.Whole(device);
  return std::move(writer.bytes);
}

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_NETWORK_NETWORK_TESTING_H_
