// What defines a machine.

#ifndef ISOCHRON_MACHINE_EVENTS_CONFIG_H_
#define ISOCHRON_MACHINE_EVENTS_CONFIG_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "machine/events/schedule_config.h"

namespace isochron::machine {

inline constexpr uint64_t kSectorSize = 512;  // bytes

// A disk, as its controller presents it.
struct DiskConfig {
  // The last is a CD-ROM behind IDE.
  enum class Interface : uint8_t { kVirtio = 0, kIde = 1, kCdRom = 2 };
  Interface interface = Interface::kVirtio;
  bool read_only = false;
  uint64_t bytes = 0;  // of its contents: whole sectors, at least one

  static constexpr uint64_t kMaxBytes = uint64_t{1} << 46;
  static constexpr uint64_t kCdRomBlock = 2048;  // bytes, of which a CD-ROM has whole ones

  friend bool operator==(const DiskConfig&, const DiskConfig&) = default;
};

// Bytes of an Ethernet frame, from the destination's address on and without the check sequence.
inline constexpr size_t kMinFrame = 14;
inline constexpr size_t kMaxFrame = 1514;

// A network device.
struct NetworkConfig {
  // The numbers are part of the log format.
  enum class Model : uint8_t { kVirtio = 0, kTulip = 1 };
  Model model = Model::kVirtio;
  // Its Ethernet address: of one station, and not all zeros.
  std::array<uint8_t, 6> mac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
  // A frame that the guest sends is an event with all of its bytes when it has at most so many,
  // otherwise with its size and digest alone. Up to kMaxFrame: all frames are whole. It changes
  // nothing in the machine, but is part of what a log holds.
  uint32_t whole_frames = kMaxFrame;

  friend bool operator==(const NetworkConfig&, const NetworkConfig&) = default;
};

// Everything that can change what a guest sees, apart from the images and the inputs. The CLI
// fills it, logs store it.
struct MachineConfig {
  // RAM in bytes: a multiple of 8 KiB (a page), from kMinMemory to kMaxMemory.
  uint64_t memory_bytes = uint64_t{256} << 20;
  // Cycles in a guest second. Linux accepts 590 to 760 MHz for an EV67.
  uint64_t clock_hz = 600'000'000;
  // TLB sizes; 128 is the chip's.
  uint32_t itb_entries = 4096;
  uint32_t dtb_entries = 4096;
  // What the clock chip shows at power-on, in seconds since 1970-01-01 (UTC): up to the end of
  // 9999.
  int64_t rtc_base_seconds = 1'262'304'000;  // 2010-01-01T00:00:00
  // Seed of the platform device's entropy register.
  uint64_t seed = 0;
  // Cycles between input points.
  uint64_t input_interval = 1 << 20;
  // Cycles between checkpoints: boundaries at which an observer gets the digest of the state.
  // They change nothing in the machine, but are part of what a log holds.
  uint64_t checkpoint_interval = uint64_t{1} << 29;
  // The kernel's command line; at most kMaxCommandLine bytes.
  std::string command_line;
  // Whether a reset restarts the machine; else it ends the run.
  bool reboot = true;
  // At most kMaxDisks; those of an interface are numbered in this order.
  std::vector<DiskConfig> disks;
  // Whether there is an entropy device, whose bytes follow from `seed`.
  bool entropy_device = false;
  // Nothing: no network device.
  std::optional<NetworkConfig> network;
  // The disk that the console boots from, by its number; then there is no kernel, and the command
  // line is the flags. Nothing: a kernel is loaded.
  std::optional<uint32_t> boot_disk;
  // What the console's NVRAM holds at power-on, as text (ConsoleEnvironment); nothing: there is
  // none.
  std::optional<std::string> nvram;

  // Whether the console is the one with disks and NVRAM.
  bool has_disk_console() const { return boot_disk.has_value() || nvram.has_value(); }
  // The number of CPUs, at most kMaxCpus. Whatever is one for each CPU takes its number from here.
  uint32_t cpus = 1;
  // How many cycles CPUs get in their turn, at most: see docs/smp.md. One CPU alone has no turns.
  uint64_t quantum = kDefaultQuantum;
  // Which of them has its turn when.
  ScheduleConfig schedule;

  static constexpr uint32_t kMaxCpus = 4;
  static constexpr uint64_t kDefaultQuantum = 1 << 16;
  static constexpr uint64_t kMaxQuantum = uint64_t{1} << 30;
  static constexpr uint64_t kMinMemory = uint64_t{16} << 20;
  static constexpr uint64_t kMaxMemory = uint64_t{32} << 30;
  static constexpr uint32_t kMinTlbEntries = 16;
  static constexpr uint32_t kMaxTlbEntries = 8192;
  static constexpr size_t kMaxCommandLine =
      255;  // bytes: Linux keeps 256 with the terminating zero
  static constexpr int64_t kMaxRtcSeconds = 253'402'300'799;
  static constexpr size_t kMaxDisks = 8;
  static constexpr size_t kMaxIdeDisks = 4;      // of those
  static constexpr size_t kMaxNvram = 32 << 10;  // bytes

  // InvalidArgument naming the first field that is out of its range.
  absl::Status Validate() const;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_EVENTS_CONFIG_H_
