// The controller chip: memory configuration and interrupts.

#ifndef ISOCHRON_MACHINE_CHIPSET_CCHIP_H_
#define ISOCHRON_MACHINE_CHIPSET_CCHIP_H_

#include <array>
#include <cstdint>

#include "alpha/state_visitor.h"
#include "machine/bus/device.h"

namespace isochron::machine {

// The Cchip of a 21272 in its four-processor form ("Typhoon"). Registers: Tsunami/Typhoon
// 21272 Chipset Hardware Reference Manual (DS-0025A-TE), chapter 10; AlphaServer ES40 Service
// Guide, appendix D.
//
// Input lines 0 to 63 are the bits of DRIR. Line kIntervalTimer is the interval timer: each
// rising edge is one tick.
class Cchip final : public RegisterDevice, public IrqSink {
 public:
  static constexpr int kMaxCpus = 4;
  static constexpr int kIntervalTimer = 64;
  // Bits of DRIR that the board wires.
  static constexpr int kIsaInterrupt = 55;
  static constexpr int kPchip0Error = 62;
  static constexpr int kInternalError = 63;
  // MISC<NXS> of what is no CPU.
  static constexpr int kPchip0 = 4;
  // Interrupt pins of a CPU.
  static constexpr int kErrorPin = 0, kDevicePin = 1, kTimerPin = 2, kIpiPin = 3;

  // The line of `cpus` for pin b_irq<pin> of CPU `cpu` is cpu * kCpuPins + pin.
  static constexpr int kCpuPins = 8;
  // `memory_bytes` shows in the array address registers.
  Cchip(int cpu_count, uint64_t memory_bytes, IrqSink& cpus)
      : cpu_count_(cpu_count), memory_bytes_(memory_bytes), cpus_(cpus) {}

  void Reset() override;
  // MISC shows the number of the CPU that reads it.
  uint64_t Read(const Access& access) override;
  void Write(const Access& access, uint64_t value) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

  void SetIrq(int line, bool asserted) override;
  // One tick of the interval timer: latches MISC<ITINTR> of every CPU whose IIC lets it.
  void OnIntervalTimer();
  // A CPU (0 to 3) or Pchip 0 (kPchip0) addressed what nothing answers to: latches MISC<NXM> and
  // <NXS>.
  void ReportNonexistent(int source);

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  uint64_t ReadRegister(int cpu, int index) const;
  void WriteMisc(uint64_t value);
  // Array address registers for the configured memory.
  void ConfigureArrays();
  uint64_t Requests() const;
  void UpdateOutputs();

  const int cpu_count_;
  const uint64_t memory_bytes_;
  IrqSink& cpus_;

  uint64_t csc_ = 0;
  uint64_t mtr_ = 0;
  uint64_t misc_ = 0;  // without CPUID and REV
  uint64_t mpd_ = 0;
  uint64_t lines_ = 0;  // DRIR as the pins drive it
  uint64_t probe_enable_ = 0;
  uint64_t ttr_ = 0;
  uint64_t tdr_ = 0;
  std::array<uint64_t, 4> arrays_{};                // AAR
  std::array<uint64_t, kMaxCpus> masks_{};          // DIM
  std::array<uint32_t, kMaxCpus> ignore_counts_{};  // IIC
  bool timer_line_ = false;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_CHIPSET_CCHIP_H_
