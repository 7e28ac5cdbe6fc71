#include "machine/devices/i8259.h"

namespace isochron::machine {
namespace {

constexpr uint8_t kMasterBase = 0;
constexpr uint8_t kSlaveBase = 8;
// Inputs that the bridge wires to edge sources and that ELCR cannot change: timer, keyboard
// and cascade; clock and coprocessor (Intel 82378ZB data sheet, ELCR registers).
constexpr uint8_t kElcr1Writable = 0xf8;
constexpr uint8_t kElcr2Writable = 0xde;

constexpr uint8_t Bit(int input) { return static_cast<uint8_t>(1u << input); }
constexpr uint8_t Without(uint8_t bits, int input) {
  return static_cast<uint8_t>(bits & ~Bit(input));
}

}  // namespace

void I8259::Reset(uint8_t base, uint8_t cascade) {
  *this = I8259();
  base_ = base;
  cascade_ = cascade;
}

void I8259::SetInput(int input, bool level) {
  const uint8_t bit = Bit(input);
  if (level) {
    const bool rising = (inputs_ & bit) == 0;
    inputs_ |= bit;
    if (rising || IsLevel(input)) requests_ |= bit;
  } else {
    inputs_ &= ~bit;
    // A request must stay until it is acknowledged; otherwise the chip answers for input 7.
    requests_ &= ~bit;
  }
}

void I8259::SetEdgeLevel(uint8_t bits) {
  edge_level_ = bits;
  for (int i = 0; i < kInputs; ++i) {
    if (IsLevel(i) && (inputs_ & Bit(i)) != 0) requests_ |= Bit(i);
  }
}

int I8259::HighestInService() const {
  for (int rank = 0; rank < kInputs; ++rank) {
    const int input = InputOfRank(rank);
    if ((in_service_ & Bit(input)) != 0) return input;
  }
  return -1;
}

int I8259::HighestRequest() const {
  const uint8_t wanted = requests_ & ~mask_;
  // In special mask mode a masked input does not hold back others while it is in service.
  const uint8_t blocking = special_mask_ ? in_service_ & ~mask_ : in_service_;
  for (int rank = 0; rank < kInputs; ++rank) {
    const int input = InputOfRank(rank);
    const bool requested = (wanted & Bit(input)) != 0;
    const bool busy = (blocking & Bit(input)) != 0;
    if (requested && (!busy || (fully_nested_slaves_ && HasSlave(input)))) return input;
    if (busy) return -1;
  }
  return -1;
}

int I8259::Acknowledge() {
  const int input = HighestRequest();
  if (input < 0) return -1;
  if (!IsLevel(input)) requests_ = Without(requests_, input);
  if (!auto_eoi_) {
    in_service_ |= Bit(input);
  } else if (rotate_on_auto_eoi_) {
    lowest_ = static_cast<uint8_t>(input);
  }
  return input;
}

uint8_t I8259::Read(int a0) {
  if (poll_) {
    poll_ = false;
    const int input = Acknowledge();
    return input < 0 ? 0 : static_cast<uint8_t>(0x80 | input);
  }
  if (a0 != 0) return mask_;
  return read_in_service_ ? in_service_ : requests_;
}

void I8259::Write(int a0, uint8_t value) {
  if (a0 != 0) {
    if (init_ == Init::kDone) {
      mask_ = value;
    } else {
      WriteInitWord(value);
    }
  } else if ((value & 0x10) != 0) {
    WriteIcw1(value);
  } else if ((value & 0x08) != 0) {
    WriteOcw3(value);
  } else {
    WriteOcw2(value);
  }
}

void I8259::WriteIcw1(uint8_t value) {
  level_triggered_ = (value & 0x08) != 0;
  single_ = (value & 0x02) != 0;
  needs_icw4_ = (value & 0x01) != 0;
  mask_ = 0;
  in_service_ = 0;
  lowest_ = 7;
  special_mask_ = false;
  read_in_service_ = false;
  poll_ = false;
  auto_eoi_ = false;
  fully_nested_slaves_ = false;
  rotate_on_auto_eoi_ = false;
  // The edge sense circuit starts again: only inputs that rise from now on make a request.
  requests_ = 0;
  SetEdgeLevel(edge_level_);
  init_ = Init::kIcw2;
}

void I8259::WriteInitWord(uint8_t value) {
  switch (init_) {
    case Init::kIcw2:
      base_ = value & 0xf8;
      init_ = !single_ ? Init::kIcw3 : needs_icw4_ ? Init::kIcw4 : Init::kDone;
      break;
    case Init::kIcw3:
      cascade_ = value;
      init_ = needs_icw4_ ? Init::kIcw4 : Init::kDone;
      break;
    case Init::kIcw4:
      auto_eoi_ = (value & 0x02) != 0;
      fully_nested_slaves_ = (value & 0x10) != 0;
      init_ = Init::kDone;
      break;
    case Init::kDone: break;
  }
}

void I8259::WriteOcw2(uint8_t value) {
  const int level = value & 7;
  const bool end = (value & 0x20) != 0;
  const bool specific = (value & 0x40) != 0;
  const bool rotate = (value & 0x80) != 0;
  if (end) {
    const int input = specific ? level : HighestInService();
    if (input < 0) return;
    in_service_ = Without(in_service_, input);
    if (rotate) lowest_ = static_cast<uint8_t>(input);
  } else if (specific) {
    if (rotate) lowest_ = static_cast<uint8_t>(level);  // set priority; 010 is a no-op
  } else {
    rotate_on_auto_eoi_ = rotate;
  }
}

void I8259::WriteOcw3(uint8_t value) {
  if ((value & 0x40) != 0) special_mask_ = (value & 0x20) != 0;
  if ((value & 0x04) != 0) {
    poll_ = true;
  } else if ((value & 0x02) != 0) {
    read_in_service_ = (value & 0x01) != 0;
  }
}

template <typename Visitor, typename Self>
void I8259::Walk(Visitor& visitor, Self& self) {
  visitor.Field("inputs", self.inputs_);
  visitor.Field("requests", self.requests_);
  visitor.Field("in_service", self.in_service_);
  visitor.Field("mask", self.mask_);
  visitor.Field("edge_level", self.edge_level_);
  visitor.Field("base", self.base_);
  visitor.Field("cascade", self.cascade_);
  visitor.Field("lowest", self.lowest_);
  visitor.Field("init", self.init_);
  visitor.Field("level_triggered", self.level_triggered_);
  visitor.Field("single", self.single_);
  visitor.Field("needs_icw4", self.needs_icw4_);
  visitor.Field("auto_eoi", self.auto_eoi_);
  visitor.Field("fully_nested_slaves", self.fully_nested_slaves_);
  visitor.Field("rotate_on_auto_eoi", self.rotate_on_auto_eoi_);
  visitor.Field("special_mask", self.special_mask_);
  visitor.Field("read_in_service", self.read_in_service_);
  visitor.Field("poll", self.poll_);
}

void I8259::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void I8259::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  if (lowest_ >= kInputs || init_ > Init::kIcw4) reader.Fail("8259 state out of range");
  lowest_ %= kInputs;
}

void PicPair::Reset() {
  master_.Reset(kMasterBase, Bit(kCascadeInput));
  slave_.Reset(kSlaveBase, kCascadeInput);
  UpdateOutputs();
}

uint64_t PicPair::Read(const Access& access) {
  uint8_t value = 0xff;
  if (access.offset < 2) {
    value = master_.Read(static_cast<int>(access.offset));
  } else if (access.offset < 4) {
    if (slave_.polled()) master_.SetInput(kCascadeInput, false);
    value = slave_.Read(static_cast<int>(access.offset - 2));
  } else if (access.offset == 4) {
    value = master_.edge_level();
  } else if (access.offset == 5) {
    value = slave_.edge_level();
  }
  UpdateOutputs();  // a poll acknowledges
  return value;
}

void PicPair::Write(const Access& access, uint64_t value) {
  const uint8_t byte = static_cast<uint8_t>(value);
  if (access.offset < 2) {
    master_.Write(static_cast<int>(access.offset), byte);
  } else if (access.offset < 4) {
    slave_.Write(static_cast<int>(access.offset - 2), byte);
  } else if (access.offset == 4) {
    master_.SetEdgeLevel(byte & kElcr1Writable);
  } else if (access.offset == 5) {
    slave_.SetEdgeLevel(byte & kElcr2Writable);
  }
  UpdateOutputs();
}

void PicPair::SetIrq(int line, bool asserted) {
  if (line == kCascadeInput || line < 0 || line > 15) return;
  if (line < 8) {
    master_.SetInput(line, asserted);
  } else {
    slave_.SetInput(line - 8, asserted);
  }
  UpdateOutputs();
}

int PicPair::Acknowledge() {
  const int input = master_.Acknowledge();
  int vector;
  if (input < 0) {
    vector = master_.base() + 7;
  } else if (input == kCascadeInput && master_.HasSlave(input)) {
    if (slave_.slave_id() != kCascadeInput) {
      vector = 0xff;  // no slave answers to this number: the data bus floats
    } else {
      const int slave_input = slave_.Acknowledge();
      // INT falls after each acknowledge, so that a further request makes another edge.
      master_.SetInput(kCascadeInput, false);
      vector = slave_.base() + (slave_input < 0 ? 7 : slave_input);
    }
  } else {
    vector = master_.base() + input;
  }
  UpdateOutputs();
  return vector & 0xff;
}

void PicPair::UpdateOutputs() {
  master_.SetInput(kCascadeInput, slave_.Interrupting());
  output_.Set(master_.Interrupting());
}

template <typename Visitor, typename Self>
void PicPair::Walk(Visitor& visitor, Self& self) {
  visitor.Section("i8259");
  visitor.Field("master", self.master_);
  visitor.Field("slave", self.slave_);
}

void PicPair::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void PicPair::RestoreState(alpha::StateReader& reader) { Walk(reader, *this); }

}  // namespace isochron::machine
