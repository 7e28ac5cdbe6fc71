// The two cascaded interrupt controllers of the ISA bridge.

#ifndef ISOCHRON_MACHINE_DEVICES_I8259_H_
#define ISOCHRON_MACHINE_DEVICES_I8259_H_

#include <array>
#include <cstdint>

#include "alpha/state_visitor.h"
#include "machine/bus/device.h"

namespace isochron::machine {

// One 8259A (Intel 8259A data sheet, order number 231468): its registers and the priority
// resolver, without the wiring between two of them.
class I8259 {
 public:
  // The state after firmware has initialised the chip: 8086 mode, edge triggered, fully
  // nested, every input masked. `base` is the vector of input 0, `cascade` ICW3.
  void Reset(uint8_t base, uint8_t cascade);

  uint8_t Read(int a0);
  void Write(int a0, uint8_t value);

  // Drives one of the eight inputs.
  void SetInput(int input, bool level);
  // Bit i: input i is level sensitive (ELCR of the ISA bridge).
  uint8_t edge_level() const { return edge_level_; }
  void SetEdgeLevel(uint8_t bits);

  // The level of the INT pin.
  bool Interrupting() const { return HighestRequest() >= 0; }
  // The first INTA pulse: freezes priorities and moves the highest request into service.
  // Returns its input, or -1 when the request has gone (the chip then answers for input 7).
  int Acknowledge();

  // Whether the next read is a poll, which acknowledges.
  bool polled() const { return poll_; }

  uint8_t base() const { return base_; }
  // Whether input `i` of a master carries a slave.
  bool HasSlave(int i) const { return !single_ && (cascade_ >> i & 1) != 0; }
  // A slave's own number on the cascade bus.
  int slave_id() const { return cascade_ & 7; }

  void VisitState(alpha::StateVisitor& visitor) const;
  void RestoreState(alpha::StateReader& reader);

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  // Which initialisation command word the next write to the odd port is.
  enum class Init : uint8_t { kDone, kIcw2, kIcw3, kIcw4 };
  static constexpr int kInputs = 8;

  void WriteIcw1(uint8_t value);
  void WriteInitWord(uint8_t value);
  void WriteOcw2(uint8_t value);
  void WriteOcw3(uint8_t value);

  // The input of priority `rank`; rank 0 is the highest.
  int InputOfRank(int rank) const { return (lowest_ + 1 + rank) % kInputs; }
  // The input that INT is for, or -1.
  int HighestRequest() const;
  // The highest-priority input in service, or -1.
  int HighestInService() const;
  bool IsLevel(int input) const { return level_triggered_ || (edge_level_ >> input & 1) != 0; }

  uint8_t inputs_ = 0;      // levels of the pins
  uint8_t requests_ = 0;    // IRR
  uint8_t in_service_ = 0;  // ISR
  uint8_t mask_ = 0xff;     // IMR
  uint8_t edge_level_ = 0;
  uint8_t base_ = 0;
  uint8_t cascade_ = 0;  // ICW3
  uint8_t lowest_ = 7;   // the input of lowest priority
  Init init_ = Init::kDone;
  bool level_triggered_ = false;      // ICW1 LTIM
  bool single_ = false;               // ICW1 SNGL
  bool needs_icw4_ = true;            // ICW1 IC4
  bool auto_eoi_ = false;             // ICW4 AEOI
  bool fully_nested_slaves_ = false;  // ICW4 SFNM
  bool rotate_on_auto_eoi_ = false;
  bool special_mask_ = false;
  bool read_in_service_ = false;
  bool poll_ = false;
};

// Master and slave as an ISA bridge holds them. Input lines 0..15; line 2 is the cascade and
// ignores what a device drives. Offsets: 0, 1 master (ports 0x20, 0x21), 2, 3 slave (0xa0,
// 0xa1), 4, 5 the edge/level control registers ELCR1 and ELCR2 (0x4d0, 0x4d1).
class PicPair final : public RegisterDevice, public IrqSink {
 public:
  static constexpr int kCascadeInput = 2;

  // `output` is the INT pin of the master.
  explicit PicPair(IrqLine output) : output_(output) {}

  void Reset() override;
  uint64_t Read(const Access& access) override;
  void Write(const Access& access, uint64_t value) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

  void SetIrq(int line, bool asserted) override;

  // An interrupt acknowledge cycle on the bus: the vector, 0..255, of the highest-priority
  // request. Without one: the vector of input 7 of the chip that was asked (spurious).
  int Acknowledge();

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  // Carries the slave's INT to the master and the master's to the output.
  void UpdateOutputs();

  I8259 master_;
  I8259 slave_;
  IrqLine output_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_I8259_H_
