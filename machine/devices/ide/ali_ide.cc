#include "machine/devices/ide/ali_ide.h"

#include <span>

namespace isochron::machine {
namespace {

// Ranges of ports: command and control block of each channel.
constexpr int kRanges = 2;
constexpr uint32_t kCommandPorts[] = {0x1f0, 0x170};
constexpr uint32_t kControlPorts[] = {0x3f6, 0x376};
constexpr uint32_t kMasterPorts = 0xf000;
// Mode and timing registers of the chip.
constexpr int kFirstPrivate = 0x40, kLastPrivate = 0x6f;

}  // namespace

// Revision c1 is what an ES40 has. The interface says that each channel could also be in native
// mode, as chips do and NetBSD's aceride wants to see; bits 0 and 2 say that neither is.
AliIde::AliIde(EventQueue& events, IrqLine primary, IrqLine secondary)
    : PciFunction({.vendor = 0x10b9, .device = 0x5229, .class_code = 0x0101f0, .revision = 0xc1}),
      events_(events, *this),
      master_(*this),
      channels_{IdeChannel(events_, 0, master_, primary),
                IdeChannel(events_, 1, master_, secondary)} {
  AddIoBar(kMasterBar, 2 * IdeChannel::kMasterSize);
  SetConfig(PciRegister::kBar0 + 4 * kMasterBar, 4, kMasterPorts | 1);
  SetConfig(PciRegister::kCommand, 2, PciCommand::kIo | PciCommand::kMaster);
  SetConfig(PciRegister::kStatus, 2, 0x0280);  // medium DEVSEL timing, back-to-back
  for (int reg = kFirstPrivate; reg <= kLastPrivate; ++reg) SetWritable(reg, 1, 0xff);
  for (int channel = 0; channel < 2; ++channel) {
    AddPorts(kRanges * channel, kCommandPorts[channel], 8);
    AddPorts(kRanges * channel + 1, kControlPorts[channel], 1);
  }
}

void AliIde::Reset() {
  for (IdeChannel& channel : channels_) channel.Reset();
}

uint64_t AliIde::ReadPorts(int range, const Access& access) {
  IdeChannel& channel = channels_[range / kRanges];
  return range % kRanges == 0 ? channel.ReadCommand(access) : channel.ReadControl();
}

void AliIde::WritePorts(int range, const Access& access, uint64_t value) {
  IdeChannel& channel = channels_[range / kRanges];
  if (range % kRanges == 0) {
    channel.WriteCommand(access, value);
  } else {
    channel.WriteControl(static_cast<uint8_t>(value));
  }
}

uint64_t AliIde::ReadBar(int, const Access& access) {
  uint64_t value = 0;
  for (int i = 0; i < access.size; ++i) {
    const uint64_t reg = access.offset + i;
    const IdeChannel& channel = channels_[reg / IdeChannel::kMasterSize];
    value |= uint64_t{channel.ReadMaster(reg % IdeChannel::kMasterSize)} << (8 * i);
  }
  return value;
}

void AliIde::WriteBar(int, const Access& access, uint64_t value) {
  for (int i = 0; i < access.size; ++i) {
    const uint64_t reg = access.offset + i;
    channels_[reg / IdeChannel::kMasterSize].WriteMaster(reg % IdeChannel::kMasterSize,
                                                         static_cast<uint8_t>(value >> (8 * i)));
  }
}

template <typename Visitor, typename Self>
void AliIde::Walk(Visitor& visitor, Self& self) {
  visitor.Section("ide");
  visitor.Field("channel", std::span(self.channels_));
}

void AliIde::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }
void AliIde::RestoreState(alpha::StateReader& reader) { Walk(reader, *this); }

}  // namespace isochron::machine
