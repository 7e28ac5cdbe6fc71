// What parts have in common that are talked to bit by bit.

#ifndef ISOCHRON_MACHINE_DEVICES_TULIP_BIT_WALK_H_
#define ISOCHRON_MACHINE_DEVICES_TULIP_BIT_WALK_H_

#include <cstdint>

namespace isochron::machine {

// A part with a clock, at whose rising edges it takes a bit, and one wire on which it answers; high
// while it does not.
class BitWalk {
 public:
  bool output() const { return output_; }

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Field("clock", self.clock_);
    visitor.Field("output", self.output_);
    visitor.Field("bits", self.bits_);
    visitor.Field("shift", self.shift_);
  }

 protected:
  void Reset() {
    clock_ = false;
    output_ = true;
    bits_ = shift_ = 0;
  }
  // Drives the clock. True when it rises.
  bool Rises(bool clock) {
    const bool rises = clock && !clock_;
    clock_ = clock;
    return rises;
  }
  // Takes a bit, behind those before it.
  void Shift(bool data) { shift_ = shift_ << 1 | (data ? 1 : 0); }

  bool output_ = true;
  uint32_t bits_ = 0;   // since the start, which counts; 0: it has not come
  uint32_t shift_ = 0;  // those that matter, the last one lowest

 private:
  bool clock_ = false;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_TULIP_BIT_WALK_H_
