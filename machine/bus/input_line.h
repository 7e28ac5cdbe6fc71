// How input from outside gets into a device.

#ifndef ISOCHRON_MACHINE_BUS_INPUT_LINE_H_
#define ISOCHRON_MACHINE_BUS_INPUT_LINE_H_

#include <cstddef>
#include <string_view>

namespace isochron::machine {

// A line on which bytes come in; the board knows it by its Port. What arrives is an input of the
// log and has its cycle already.
class InputLine {
 public:
  virtual ~InputLine() = default;
  virtual void Receive(std::string_view bytes) = 0;
  // A break behind what is on the line; nothing where the line knows none.
  virtual void ReceiveBreak() {}
  // A frame; nothing where the line takes none.
  virtual void ReceiveFrame(std::string_view /*frame*/) {}
  // What has arrived and has not been taken yet, in bytes.
  virtual size_t waiting() const = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_INPUT_LINE_H_
